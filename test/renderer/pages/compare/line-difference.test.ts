// Lines that only one recipe has.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineDifference } from '../../../../src/renderer/pages/compare/line-difference';

it('says what is taken away and what is added, in order', () => {
  expect(lineDifference(['a', 'b', 'c'], ['a', 'x', 'c', 'd'])).toEqual([
    { sign: '−', text: 'b' },
    { sign: '+', text: 'x' },
    { sign: '+', text: 'd' },
  ]);
  expect(lineDifference(['a'], ['a'])).toEqual([]);
});

it('turns one text into the other', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 });
  fc.assert(
    fc.property(lines, lines, (one, other) => {
      const difference = lineDifference(one, other);
      const without = (texts: readonly string[], sign: string) => {
        const rest = [...texts];
        for (const { text } of difference.filter((line) => line.sign === sign)) rest.splice(rest.indexOf(text), 1);
        return [...rest].sort();
      };
      expect(without(one, '−')).toEqual(without(other, '+'));
    }),
  );
});
