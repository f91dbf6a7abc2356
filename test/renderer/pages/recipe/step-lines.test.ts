// Recipes in lines: defaults filled in, so that two recipes differ only where they do different things.
import { expect, it } from 'vitest';
import type { Recipe } from '../../../../src/contract/words/recipe';
import { stepLines } from '../../../../src/renderer/pages/recipe/step-lines';
import { card } from './card';

it('fills in defaults and gives patterns their own lines', () => {
  const recipe: Recipe = {
    lathe: 1,
    steps: [
      {
        method: 'weight-only',
        params: {},
        layers: { include: ['fc*'], exclude: ['fc9'] },
        overrides: { fc1: { bits: 8, symmetric: false } },
      },
      { method: 'unknown', params: { x: 1 } },
    ],
  };
  expect(stepLines(recipe, [card])).toEqual([
    'weight-only  bits 4 · symmetric',
    '  only fc*',
    '  without fc9',
    '  fc1  bits 8 · not symmetric',
    'unknown  x 1',
  ]);
});

it('says the same of a default that is written and one that is not', () => {
  const said = (params: Record<string, number>) =>
    stepLines({ lathe: 1, steps: [{ method: 'weight-only', params }] }, [card]);
  expect(said({ bits: 4 })).toEqual(said({}));
});
