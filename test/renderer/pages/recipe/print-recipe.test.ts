// A recipe as text: short things on one line, and nothing lost.
import { expect, it } from 'vitest';
import type { Recipe } from '../../../../src/contract/words/recipe';
import { printRecipe, tokensOf } from '../../../../src/renderer/pages/recipe/print-recipe';

const recipe: Recipe = {
  lathe: 1,
  name: 'a "quoted" name',
  steps: [
    { method: 'float16', params: {} },
    {
      method: 'weight-only',
      params: { bits: 4, groupSize: 32 },
      layers: { exclude: ['node_Conv_18'] },
      overrides: { 'layers.0.attention.query': { bits: 8 }, 'layers.11.attention.query': { bits: 8 } },
    },
  ],
};

it('reads back as the same recipe', () => {
  expect(JSON.parse(printRecipe(recipe))).toEqual(recipe);
  expect(JSON.parse(printRecipe({ lathe: 1, steps: [] }))).toEqual({ lathe: 1, steps: [] });
});

it('keeps a short step on one line and opens a long one', () => {
  expect(printRecipe(recipe)).toBe(`{
  "lathe": 1,
  "name": "a \\"quoted\\" name",
  "steps": [
    { "method": "float16", "params": {} },
    {
      "method": "weight-only",
      "params": { "bits": 4, "groupSize": 32 },
      "layers": { "exclude": [ "node_Conv_18" ] },
      "overrides": {
        "layers.0.attention.query": { "bits": 8 },
        "layers.11.attention.query": { "bits": 8 }
      }
    }
  ]
}`);
});

it('parts a line into its words and loses none', () => {
  const line = '      "params": { "bits": 4, "on": true, "x": "a \\" b" },';
  const tokens = tokensOf(line);
  expect(tokens.map((token) => token.text).join('')).toBe(line);
  expect(tokens.filter((token) => token.kind !== 'plain').map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'key "params":',
    'key "bits":',
    'number 4',
    'key "on":',
    'number true',
    'key "x":',
    'text "a \\" b"',
  ]);
});
