// What moments of a value are, and how those of several channels become those of one, or one those of several.

/** Of one value. Where `axis` is null one entry holds for every element, else there is one for each index along it. */
export interface Moments {
  readonly axis: number | null;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** Six deviations around the mean where a sum was formed, then through ReLU, Clip and pools. */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** What a model's inputs look like, as their preparation says. */
export interface InputMoments {
  readonly mean: number;
  readonly variance: number;
  readonly low: number;
  readonly high: number;
}

/** Deviations on either side that count as the range. */
export const rangeDeviations = 6;

/** Mean ± 6σ. */
export function spread(axis: number | null, mean: Float64Array, variance: Float64Array): Moments {
  const reach = variance.map((one) => rangeDeviations * Math.sqrt(one));
  return {
    axis,
    mean,
    variance,
    low: mean.map((one, i) => one - reach[i]!),
    high: mean.map((one, i) => one + reach[i]!),
  };
}

export const at = (values: Float64Array, i: number): number => values[values.length === 1 ? 0 : i]!;

export function widened(given: Moments, axis: number | null, length: number): Moments {
  if (given.mean.length === length) return { ...given, axis };
  const grown = (values: Float64Array) => new Float64Array(length).fill(values[0]!);
  return {
    axis,
    mean: grown(given.mean),
    variance: grown(given.variance),
    low: grown(given.low),
    high: grown(given.high),
  };
}

/** The same axis and length for both; what cannot be matched is pooled. */
export function together(a: Moments, b: Moments): [Moments, Moments] {
  if (a.axis === b.axis && a.mean.length === b.mean.length) return [a, b];
  if (a.axis === null) return [widened(a, b.axis, b.mean.length), b];
  if (b.axis === null) return [a, widened(b, a.axis, a.mean.length)];
  return [pooled([a]), pooled([b])];
}

/** Moments along the wanted axis; where they lie along another, those of all channels together. */
export function along(given: Moments, axis: number): Moments {
  return given.axis === null || given.axis === axis ? given : pooled([given]);
}

/** All channels as one: the law of total variance. */
export function pooled(parts: readonly Moments[]): Moments {
  let [count, sum, square, low, high] = [0, 0, 0, Infinity, -Infinity];
  for (const part of parts)
    for (const [i, mean] of part.mean.entries()) {
      count++;
      sum += mean;
      square += part.variance[i]! + mean * mean;
      low = Math.min(low, part.low[i]!);
      high = Math.max(high, part.high[i]!);
    }
  const mean = sum / count;
  return {
    axis: null,
    mean: Float64Array.of(mean),
    variance: Float64Array.of(Math.max(0, square / count - mean * mean)),
    low: Float64Array.of(low),
    high: Float64Array.of(high),
  };
}
