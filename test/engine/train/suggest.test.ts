// Suggested settings: no step takes more than an eighth of the samples, and the steps lie between 200 and 2,000.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { suggestedFor } from '../../../src/engine/train/suggest';

const pace = (stepsPerEpoch: number) => ({
  rows: 1,
  accumulate: 1,
  stepsPerEpoch,
  steps: stepsPerEpoch,
  judgeEvery: 1,
});
const of = (samples: number, stepsPerEpoch: number, mostRows = 1e6) =>
  Object.fromEntries(suggestedFor(samples, pace(stepsPerEpoch), mostRows).map((each) => [each.parameter, each]));

it('leaves usual sizes as they are', () => {
  const { batch, epochs } = of(2880, 90);
  expect(batch).toMatchObject({ value: 32, why: 'for 90 steps an epoch' });
  expect(epochs).toMatchObject({ value: 3, why: 'for 270 steps' });
});

it('takes smaller batches of few samples, or where memory is short', () => {
  expect(of(100, 10).batch).toMatchObject({ value: 8, why: 'an eighth of 100 samples at most' });
  expect(of(3, 3).batch!.value).toBe(1);
  expect(of(2880, 90, 6).batch).toMatchObject({ value: 4, why: 'for what memory is free' });
});

it('keeps the steps between 200 and 2,000', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (stepsPerEpoch) => {
      const steps = of(1e6, stepsPerEpoch).epochs!.value * stepsPerEpoch;
      expect(steps).toBeGreaterThanOrEqual(199.9);
      expect(steps).toBeLessThanOrEqual(2000.1);
    }),
  );
});
