// The recipe document: defaults unsaid, steps moved, layers taken, left and set apart by name.
import { describe, expect, it } from 'vitest';
import type { Recipe } from '../../../../src/contract/words/recipe';
import {
  addStep,
  dropExclude,
  dropInclude,
  isShown,
  moveStep,
  parametersFor,
  setBits,
  setForLayer,
  setName,
  setParameter,
  setTouched,
  titleOf,
  widthsOf,
} from '../../../../src/renderer/pages/recipe/document';
import { touches } from '../../../../src/renderer/pages/recipe/layer-globs';
import { card } from './card';

const bits = card.params[0]!;
const empty: Recipe = { lathe: 1, steps: [{ method: 'weight-only', params: {} }] };

describe('the recipe document', () => {
  it('leaves defaults unsaid and says what differs', () => {
    const eight = setParameter(empty, 0, bits, 8);
    expect(eight.steps[0]!.params).toEqual({ bits: 8 });
    expect(setParameter(eight, 0, bits, 4).steps[0]!.params).toEqual({});
  });

  it('reorders and refuses to fall off the end', () => {
    const two = addStep(empty, { ...card, id: 'float16' });
    expect(moveStep(two, 0, 1).steps.map((step) => step.method)).toEqual(['float16', 'weight-only']);
    expect(moveStep(two, 0, 2)).toBe(two);
  });

  it('leaves one layer out by name, takes it in again, and drops its override', () => {
    const apart = setForLayer(empty, 0, '/conv1/Conv', bits, 8);
    expect(parametersFor(apart.steps[0]!, card, '/conv1/Conv')).toEqual({ bits: 8, symmetric: true });
    const left = setTouched(apart, 0, '/conv1/Conv', false);
    expect(left.steps[0]).toEqual({ method: 'weight-only', params: {}, layers: { exclude: ['/conv1/Conv'] } });
    expect(touches(left.steps[0]!, '/conv1/Conv')).toBe(false);
    expect(setTouched(left, 0, '/conv1/Conv', true).steps[0]).toEqual({ method: 'weight-only', params: {} });
  });

  it('takes a layer into a step that names its layers', () => {
    const only: Recipe = { lathe: 1, steps: [{ method: 'weight-only', params: {}, layers: { include: ['fc*'] } }] };
    expect(setTouched(only, 0, 'conv1', true).steps[0]!.layers).toEqual({ include: ['fc*', 'conv1'] });
  });

  it('sets several layers as one change, and says nothing that the step says anyway', () => {
    const two = setBits(empty, 0, card, ['a', 'b'], 2);
    expect(two.steps[0]!.overrides).toEqual({ a: { bits: 2 }, b: { bits: 2 } });
    expect(setBits(two, 0, card, ['a', 'b'], 4)).toEqual(empty);
    expect(setBits(empty, 0, card, ['a', 'b'], 32).steps[0]!.layers).toEqual({ exclude: ['a', 'b'] });
  });

  it('knows an override by a pattern: the later one wins, as in the run', () => {
    const globbed: Recipe = {
      lathe: 1,
      steps: [{ method: 'weight-only', params: {}, overrides: { 'conv*': { bits: 8 }, conv2: { bits: 2 } } }],
    };
    expect(parametersFor(globbed.steps[0]!, card, 'conv1').bits).toBe(8);
    expect(parametersFor(globbed.steps[0]!, card, 'conv2').bits).toBe(2);
    // Back to what the pattern says: nothing of its own. To the step's own 4: it must be said, against the pattern.
    expect(setForLayer(globbed, 0, 'conv2', bits, 8).steps[0]!.overrides).toEqual({ 'conv*': { bits: 8 } });
    expect(setForLayer(globbed, 0, 'conv1', bits, 4).steps[0]!.overrides).toMatchObject({ conv1: { bits: 4 } });
  });

  it('drops patterns, and takes all layers where none is left', () => {
    const named: Recipe = {
      lathe: 1,
      steps: [{ method: 'weight-only', params: {}, layers: { include: ['a*'], exclude: ['ab', 'ac'] } }],
    };
    expect(dropExclude(named, 0, 'ab').steps[0]!.layers).toEqual({ include: ['a*'], exclude: ['ac'] });
    expect(dropInclude(dropExclude(dropExclude(named, 0, 'ab'), 0, 'ac'), 0, 'a*')).toEqual(empty);
  });

  it('hides what does not apply, names an unnamed recipe, and offers the widths of a method', () => {
    expect(isShown({ method: 'weight-only', params: { bits: 2 } }, card.params[1]!, card)).toBe(false);
    expect(titleOf(empty, [card])).toBe('Weight-only 4 bits');
    expect(titleOf(setName(empty, 'mine'), [card])).toBe('mine');
    expect(setName(setName(empty, 'mine'), '')).toEqual(empty);
    expect(widthsOf(card)).toEqual([8, 4, 2]);
    expect(widthsOf({ ...card, id: 'float16', params: [] })).toEqual([16]);
  });
});

it('takes bits that hang on another choice for something else than the precision of layers', () => {
  const base = card.params.map((each) => (each.id === 'bits' ? { ...each, when: { init: ['loftq'] } } : each));
  expect(widthsOf({ ...card, family: 'train', params: base })).toEqual([]);
  expect(widthsOf(card)).toEqual([8, 4, 2]);
});
