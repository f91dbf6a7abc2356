// Recipes by themselves: golden refusals with their places, and layer patterns.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globMatcher } from '../../../src/contract/words/layer-globs';
import { recipe as shape } from '../../../src/contract/words/recipe';
import { Refused } from '../../../src/contract/words/refusal';
import { methods } from '../../../src/engine/methods';
import { readRecipe } from '../../../src/engine/recipe';
import { chooseLayers, subjectOf } from '../../../src/engine/recipe-steps';
import { tinyConv } from '../models';

const good = { method: 'weight-only', params: { bits: 4, groupSize: 32, rounding: 'nearest' } };

function refusalOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
  throw new Error('not refused');
}

describe('a recipe by itself', () => {
  test.each([
    [5, 'the recipe: 5 is not an object'],
    [{ lathe: 2, steps: [good] }, 'lathe: 2 is not 1, the only version there is'],
    [{ lathe: 1, step: [] }, 'step: a recipe has no such key'],
    [{ lathe: 1, steps: [] }, 'steps: 0 steps are not 1 to 64'],
    [{ lathe: 1, seed: -1, steps: [good] }, 'seed: -1 is not a whole number from 0 to 4294967295'],
    [{ lathe: 1, name: 7, steps: [good] }, 'name: 7 is not a text of at most 200 characters'],
    [
      { lathe: 1, steps: [good, { method: 'gptq' }] },
      `steps[1].method: gptq is not one of ${methods.map(({ card }) => card.id).join(', ')}`,
    ],
    [{ lathe: 1, steps: [good, { ...good, params: { bits: 5 } }] }, 'steps[1].params.bits: 5 is not one of 2, 4, 8'],
    [{ lathe: 1, steps: [{ ...good, params: { bits: '4' } }] }, 'steps[0].params.bits: "4" is not one of 2, 4, 8'],
    [
      { lathe: 1, steps: [{ ...good, params: { rounding: 'up' } }] },
      'steps[0].params.rounding: up is not one of nearest, mse, hqq, gptq',
    ],
    [{ lathe: 1, steps: [{ ...good, params: { symmetric: 1 } }] }, 'steps[0].params.symmetric: 1 is not true or false'],
    [{ lathe: 1, steps: [{ ...good, params: { bit: 4 } }] }, 'steps[0].params.bit: weight-only has no such parameter'],
    [{ lathe: 1, steps: [{ ...good, layer: '*' }] }, 'steps[0].layer: a step has no such key'],
    [{ lathe: 1, steps: [{ ...good, layers: { only: [] } }] }, 'steps[0].layers.only: layers has no such key'],
    [
      { lathe: 1, steps: [{ ...good, layers: { include: '*' } }] },
      'steps[0].layers.include: * is not a list of patterns',
    ],
    [{ lathe: 1, steps: [{ ...good, layers: { exclude: [''] } }] }, 'steps[0].layers.exclude[0]: "" is not a pattern'],
    [
      { lathe: 1, steps: [{ ...good, overrides: { 'a/b': { bits: 3 } } }] },
      'steps[0].overrides["a/b"].bits: 3 is not one of 2, 4, 8',
    ],
  ])('%j', (recipe, sentence) => {
    const refusal = refusalOf(() => readRecipe(recipe));
    expect(refusal).toMatchObject({ code: 'bad-recipe', sentence });
    expect(sentence.startsWith(refusal.place!)).toBe(true);
  });

  test('comes back as it was given, with params', () => {
    const given = {
      lathe: 1,
      name: 'n',
      seed: 7,
      steps: [{ method: 'float16' }, { ...good, layers: { exclude: ['a'] } }],
    };
    const read = readRecipe(given);
    expect(read).toEqual({ ...given, steps: [{ method: 'float16', params: {} }, given.steps[1]] });
    expect(shape.parse(read)).toEqual(read);
    expect(readRecipe(read)).toEqual(read);
  });

  test('whatever is given, the answer is a recipe or a refusal', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (a, b) => {
        for (const given of [
          a,
          { lathe: 1, steps: a },
          { lathe: 1, steps: [a, b] },
          { lathe: 1, steps: [{ method: 'float16', params: a, layers: b }] },
        ]) {
          try {
            shape.parse(readRecipe(given));
          } catch (error) {
            expect(error).toBeInstanceOf(Refused);
          }
        }
      }),
    );
  });
});

describe('patterns', () => {
  test.each([
    ['*', '/a/b/c', true],
    ['/a/*', '/a/b/c', true],
    ['/a/?', '/a/b', true],
    ['/a/?', '/a/bc', false],
    ['/{a,b}/*', '/b/x', true],
    ['/{a,b{1,2}}/x', '/b2/x', true],
    ['/{a,b}/x', '/c/x', false],
    ['{a', '{a', true],
    ['a}', 'a}', true],
    ['a.b', 'axb', false],
    ['[ab]+', '[ab]+', true],
    ['*MatMul', '/q/MatMul', true],
    ['*MatMul', '/q/MatMul_1', false],
    ['a*b*c', 'a-b-b-c', true],
    ['', '', true],
  ])('%s on %s: %s', (pattern, name, expected) => {
    expect(globMatcher(pattern)(name)).toBe(expected);
  });

  test('a pattern of stars and braces takes no time', () => {
    const started = performance.now();
    globMatcher(`${'*a'.repeat(200)}b`)('a'.repeat(5000));
    globMatcher('{a,b}'.repeat(60))('ab');
    globMatcher('{'.repeat(500))('x');
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('that match nothing are refused', async () => {
    const subject = await subjectOf(tinyConv());
    const choose = (step: object) =>
      chooseLayers(subject, readRecipe({ lathe: 1, steps: [{ ...good, ...step }] }).steps[0]!, 'steps[0]');
    expect(refusalOf(() => choose({ layers: { include: ['*', '/head/*'] } })).sentence).toBe(
      'steps[0].layers.include[1]: /head/* matches no layer',
    );
    expect(refusalOf(() => choose({ layers: { exclude: ['/head/*'] } })).place).toBe('steps[0].layers.exclude[0]');
    expect(refusalOf(() => choose({ overrides: { '/head/*': { bits: 8 } } })).place).toBe(
      'steps[0].overrides["/head/*"]',
    );
    const onlyConvs = { layers: { include: ['*/Conv'] }, overrides: { '/fc/*': { bits: 8 } } };
    expect(refusalOf(() => choose(onlyConvs)).sentence).toBe(
      'steps[0].overrides["/fc/*"]: /fc/* matches no layer of this step',
    );
    const mixed = choose({ layers: { exclude: ['/conv1/*'] }, overrides: { '*': { bits: 8 }, '/fc/*': { bits: 2 } } });
    expect(mixed.targets.map(({ site, params }) => [site.name, params.bits])).toEqual([
      ['/dw/Conv', 8],
      ['/conv2/Conv', 8],
      ['/fc/Gemm', 2],
    ]);
  });
});
