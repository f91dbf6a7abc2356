// From sums to the words of the contract: what every way of reading a tensor ends with.
import type { Statistics } from '../../contract/words/model';
import { elementCount } from '../graph/graph';
import type { Moments, PowerSums } from './reference/moments';

const mostChannels = 512;
/** Ranges of this many channels are kept while reading (4 MiB a thread); a tensor with more has none. */
const countableChannels = 2 ** 19;

/** A tensor as [outer, count, inner]; null where no channels are wanted or there are too many. */
export function channelsOf(dims: readonly number[], axis: number | null | undefined): ChannelShape | null {
  if (axis === null || axis === undefined || axis < 0 || axis >= dims.length) return null;
  const count = dims[axis]!;
  if (count === 0 || count > countableChannels) return null;
  return { axis, count, inner: elementCount(dims.slice(axis + 1)) };
}
export interface ChannelShape {
  readonly axis: number;
  readonly count: number;
  readonly inner: number;
}

/** Where outliers begin; null where the range says that there are none. */
export function outlierLimits(sums: PowerSums, { mean, std }: Moments): { low: number; high: number } | null {
  const low = mean - 6 * std;
  const high = mean + 6 * std;
  return sums.min < low || sums.max > high ? { low, high } : null;
}

export const nothing: Statistics = {
  ...{ min: null, max: null, mean: null, std: null, absMax: null, kurtosis: null },
  ...{ zeros: 0, nonFinite: 0, outliers: null, histogram: null },
};

export function statisticsOf(
  sums: PowerSums,
  { mean, std, kurtosis }: Moments,
): Omit<Statistics, 'outliers' | 'histogram'> {
  const { min, max, zeros, nonFinite } = sums;
  return { min, max, mean, std, absMax: Math.max(Math.abs(min), Math.abs(max)), kurtosis, zeros, nonFinite };
}

/**
 * At most 512 ranges. Where there are more channels, each range is that of a run of neighbours, so that no channel's extreme is lost; a
 * channel without a finite value is [0, 0].
 */
export function thinned(
  { axis, count }: ChannelShape,
  { min, max }: { min: Float32Array | Float64Array; max: Float32Array | Float64Array },
): NonNullable<Statistics['channels']> {
  const ranges = Math.min(count, mostChannels);
  const low = new Array<number>(ranges).fill(Infinity);
  const high = new Array<number>(ranges).fill(-Infinity);
  for (let c = 0; c < count; c++) {
    const range = Math.floor((c * ranges) / count);
    low[range] = Math.min(low[range]!, min[c]!);
    high[range] = Math.max(high[range]!, max[c]!);
  }
  const finite = (value: number) => (Number.isFinite(value) ? value : 0);
  return { axis, count, min: low.map(finite), max: high.map(finite) };
}
