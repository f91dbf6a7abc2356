// The paired test: exact where it can be known, and the same from either side.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Answers,
  evenSplit,
  paired,
  parentAnswers,
  samplesNeeded,
} from '../../../../src/renderer/pages/compare/paired';

/** Answers of a run over `n` samples whose truth is 0 and whose parent says `before`. */
const answers = (n: number, changes: readonly [index: number, before: number, after: number][]): Answers => ({
  n,
  labelled: true,
  changed: new Map(changes.map(([index, before, after]) => [index, { index, label: 0, before, after }])),
});

describe('the even split', () => {
  it('is the binomial test of a fair coin', () => {
    expect(evenSplit(0, 0)).toBe(1);
    expect(evenSplit(5, 5)).toBe(1);
    expect(evenSplit(0, 5)).toBeCloseTo(2 / 32, 12);
    expect(evenSplit(1, 9)).toBeCloseTo((2 * 11) / 1024, 12);
    // The example of the words: 73 against 41.
    expect(evenSplit(73, 41)).toBeCloseTo(0.0035, 3);
  });
  it('holds for thousands without running out of numbers', () => {
    expect(evenSplit(4000, 4100)).toBeGreaterThan(0.2);
    expect(evenSplit(3000, 5000)).toBeLessThan(1e-9);
  });
});

describe('two runs over the same samples', () => {
  it('counts who wins, against the parent as against each other', () => {
    const a = answers(1000, [
      [1, 0, 7],
      [2, 0, 7],
      [3, 7, 0],
    ]);
    const b = answers(1000, [
      [2, 0, 7],
      [3, 7, 8],
      [4, 7, 0],
    ]);
    expect(paired(parentAnswers(1000, true), a)).toMatchObject({ wins: 1, losses: 2, n: 1000 });
    // Sample 1: A broke it. 2: both broke it alike. 3: A mended it, B is wrong in another way. 4: B mended it.
    expect(paired(a, b)).toMatchObject({ wins: 2, losses: 1 });
    expect(paired(a, b)?.sides.map((side) => side.index)).toEqual([1, 3, 4]);
  });

  it('is the difference of the accuracies, and turns over with the sides', () => {
    const changes = fc.uniqueArray(fc.tuple(fc.nat(199), fc.nat(2), fc.nat(2)), { selector: ([index]) => index });
    fc.assert(
      fc.property(changes, changes, (one, other) => {
        // Both must tell the same parent.
        const before = new Map([...one, ...other].map(([index, was]) => [index, was]));
        const consistent = (list: typeof one) =>
          list
            .map(([index, , after]): [number, number, number] => [index, before.get(index) ?? 0, after])
            .filter(([, was, after]) => was !== after);
        const [a, b] = [answers(200, consistent(one)), answers(200, consistent(other))];
        const right = (run: Answers) =>
          Array.from({ length: 200 }, (_, index) => run.changed.get(index)?.after ?? before.get(index) ?? 0).filter(
            (answer) => answer === 0,
          ).length;
        const there = paired(a, b)!;
        const back = paired(b, a)!;
        expect(there.difference).toBeCloseTo((right(b) - right(a)) / 200, 12);
        expect(back.difference).toBeCloseTo(-there.difference, 12);
        expect(back.p).toBeCloseTo(there.p, 12);
        expect([back.wins, back.losses]).toEqual([there.losses, there.wins]);
      }),
    );
  });

  it('says nothing of runs over other samples', () => {
    expect(paired(answers(10, []), answers(11, []))).toBeNull();
    expect(paired(parentAnswers(10, true), parentAnswers(10, false))).toBeNull();
  });

  it('tells how many samples a difference of this size needs', () => {
    const pair = paired(
      parentAnswers(1000, true),
      answers(
        1000,
        Array.from({ length: 12 }, (_, at) => [at, at < 8 ? 7 : 0, at < 8 ? 0 : 7]),
      ),
    )!;
    expect(pair).toMatchObject({ wins: 8, losses: 4, real: false });
    expect(samplesNeeded(pair)).toBeGreaterThan(5000);
    expect(samplesNeeded(paired(parentAnswers(10, true), parentAnswers(10, true))!)).toBeNull();
  });
});
