// What the page offers to do about a refused recipe.
import { expect, it } from 'vitest';
import type { Recipe } from '../../../../src/contract/words/recipe';
import type { Refusal } from '../../../../src/contract/words/refusal';
import { mendOf, stepOf } from '../../../../src/renderer/pages/recipe/mend';
import { card } from './card';

const recipe: Recipe = {
  lathe: 1,
  steps: [
    {
      method: 'weight-only',
      params: { bits: 3 },
      layers: { exclude: ['gone*', 'conv1'] },
      overrides: { 'no.where': { bits: 8 } },
    },
  ],
};
const refused = (place: string, mend?: string): Refusal => ({
  code: 'bad-recipe',
  sentence: 'no',
  place,
  ...(mend ? { mend } : {}),
});
const mended = (place: string, mend?: string) => mendOf(recipe, refused(place, mend), [card]);

it('sets a parameter to what the refusal says, else to its default', () => {
  expect(mended('steps[0].params.bits', 'Choose 2.')).toMatchObject({
    label: 'Use 2',
    next: { steps: [{ params: { bits: 2 } }] },
  });
  expect(mended('steps[0].params.bits')?.label).toBe('Use 4');
});

it('drops a pattern or an override that matches nothing', () => {
  expect(mended('steps[0].layers.exclude[0]')?.next.steps[0]?.layers).toEqual({ exclude: ['conv1'] });
  const dropped = mended('steps[0].overrides["no.where"]');
  expect(dropped?.label).toBe('Drop the settings of no.where');
  expect(dropped?.next.steps[0]).not.toHaveProperty('overrides');
});

it('removes a step whose method is not there, and knows nothing of other places', () => {
  expect(mended('steps[0].method')?.next.steps).toEqual([]);
  expect(mended('seed')).toBeNull();
  expect(mended('steps[4].params.bits')).toBeNull();
  expect(stepOf('steps[12].params.bits')).toBe(12);
  expect(stepOf('name')).toBeNull();
});
