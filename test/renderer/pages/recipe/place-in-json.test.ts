// Where a place of a recipe stands in its text.
import { expect, it } from 'vitest';
import { lineAndColumn, rangeOf } from '../../../../src/renderer/pages/recipe/place-in-json';

const text = `{
  "lathe": 1, "steps": [
    { "method": "float16", "params": {} },
    { "method": "weight-only", "params": { "bits": 3 },
      "overrides": { "a.b/\\"c\\"": { "bits": 5 } }, "layers": { "exclude": ["x", "y*"] } } ] }`;
const at = (place: string) => {
  const range = rangeOf(text, place);
  return range && text.slice(...range);
};

it('finds values, elements and quoted keys', () => {
  expect(at('lathe')).toBe('1');
  expect(at('steps[1].params.bits')).toBe('3');
  expect(at('steps[1].layers.exclude[1]')).toBe('"y*"');
  expect(at('steps[1].overrides["a.b/\\"c\\""].bits')).toBe('5');
  expect(at('steps[0]')).toBe('{ "method": "float16", "params": {} }');
});

it('answers null where there is no such place, and never runs on', () => {
  expect(at('steps[2].params')).toBeNull();
  expect(at('name')).toBeNull();
  expect(at('lathe.deep')).toBeNull();
  for (const broken of ['', '{', '{"a"', '[1,', '{"a": }', '"only'])
    expect(rangeOf(broken, 'steps[0].params')).toBeNull();
});

it('counts lines and columns from 1', () => {
  expect(lineAndColumn('ab\ncd', 4)).toEqual({ line: 2, column: 2 });
  expect(lineAndColumn('', 0)).toEqual({ line: 1, column: 1 });
});
