// Ranges of activations: histograms that grow without losing counts, and what each rule makes of them.
import { describe, expect, test } from 'vitest';
import { Histogram, sideBins } from '../../../src/engine/measure/activations-histogram';
import { rangeOf } from '../../../src/engine/measure/activations-range';
import { randomWeights } from '../models';

const filled = (...parts: Float32Array[]): Histogram => {
  const histogram = new Histogram(true);
  for (const part of parts) histogram.add(part);
  return histogram;
};
const total = ({ counts, zeros }: Histogram): number => counts.reduce((sum, count) => sum + count, zeros);

describe('the histogram', () => {
  test('holds every value once, whatever came first', () => {
    const small = randomWeights(1000, 0.01, 1);
    const large = randomWeights(1000, 50, 2);
    const upwards = filled(small, large);
    const downwards = filled(large, small);
    expect(total(upwards)).toBe(2000);
    expect(upwards.width).toBe(downwards.width);
    expect([...upwards.counts]).toEqual([...downwards.counts]);
  });

  test('the largest value lies inside, on a power of two as well', () => {
    for (const largest of [1, 4096, 0.75, 1e-30, 3e38]) {
      const histogram = filled(Float32Array.of(largest, -largest, largest / 3));
      expect(total(histogram)).toBe(3);
      expect(histogram.edge(2 * sideBins)).toBeGreaterThan(largest);
    }
  });

  test('zeros are apart, numbers that are none are left out and counted', () => {
    const histogram = filled(Float32Array.of(0, 0, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY));
    expect([histogram.zeros, histogram.notFinite, total(histogram)]).toEqual([2, 3, 3]);
    expect([histogram.min, histogram.max]).toEqual([0, 1]);
  });

  test('takes the same memory after many values as after few', () => {
    const histogram = filled(randomWeights(10, 1));
    const bins = histogram.counts.length;
    for (let i = 0; i < 100; i++) histogram.add(randomWeights(1000, 2 ** (i / 10), i));
    expect(histogram.counts.length).toBe(bins);
  });
});

describe('the range', () => {
  const many = randomWeights(200_000, 1, 5);

  test('min–max is all of it, with zero in it', () => {
    expect(rangeOf(filled(Float32Array.of(3, 5)), { kind: 'minmax' })).toEqual({ min: 0, max: 5 });
    expect(rangeOf(filled(Float32Array.of(-3, -1)), { kind: 'minmax' })).toEqual({ min: -3, max: 0 });
    expect(rangeOf(new Histogram(true), { kind: 'mse' })).toEqual({ min: 0, max: 0 });
  });

  test('a percentile is the one of the sorted values, within a bin', () => {
    const histogram = filled(many);
    const sorted = many.toSorted();
    for (const percent of [90, 99, 99.9]) {
      const { min, max } = rangeOf(histogram, { kind: 'percentile', percent });
      const outside = ((1 - percent / 100) / 2) * sorted.length;
      expect(Math.abs(min - sorted[Math.round(outside)]!)).toBeLessThan(4 * histogram.width);
      expect(Math.abs(max - sorted[sorted.length - 1 - Math.round(outside)]!)).toBeLessThan(4 * histogram.width);
    }
    expect(rangeOf(histogram, { kind: 'percentile', percent: 100 })).toEqual(rangeOf(histogram, { kind: 'minmax' }));
  });

  test.each(['mse', 'entropy'] as const)('%s clips an outlier away and nothing that is dense', (kind) => {
    const values = Float32Array.from(many);
    values[7] = 100;
    const { min, max } = rangeOf(filled(values), { kind });
    // One value in 200,000 is worth some of its error to the squares.
    expect(max).toBeLessThan(kind === 'mse' ? 80 : 40);
    expect(max).toBeGreaterThan(2);
    expect(min).toBeLessThan(-2);
    const even = Float32Array.from({ length: 100_000 }, (_, i) => i / 100_000);
    expect(rangeOf(filled(even), { kind }).max).toBeGreaterThan(0.95);
  });

  test('mse loses least among all clips that are tried, measured on the values themselves', () => {
    const values = Float32Array.from(many);
    values[7] = 30;
    const error = ({ min, max }: { min: number; max: number }): number => {
      const step = (max - min) / 255;
      return values.reduce((sum, x) => {
        const code = Math.max(0, Math.min(255, Math.round((x - min) / step)));
        return sum + (x - (min + code * step)) ** 2;
      }, 0);
    };
    const found = error(rangeOf(filled(values), { kind: 'mse' }));
    for (const max of [2, 3, 4, 6, 10, 30])
      expect(found).toBeLessThan(1.05 * error({ min: Math.min(...values.subarray(0, 1e5)), max }));
  });
});
