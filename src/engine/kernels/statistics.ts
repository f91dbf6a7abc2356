// Statistics of a whole tensor in two readings: first the moments and ranges, then the histogram and the outliers.
import type { Histogram, Statistics } from '../../contract/words/model';
import { type DataType, elementCount, type Tensor } from '../graph/graph';
import type { Weights } from './bench';
import type { StatisticsOptions } from './kernels';
import type { Pool } from './pool';
import { binWidth } from './reference/histogram';
import { addSums, emptySums, type Moments, momentsOf, type PowerSums } from './reference/moments';
import { type ChannelShape, channelsOf, nothing, outlierLimits, statisticsOf, thinned } from './summary';
import { flatPieces } from './tasks/task';
import { floatWeights, sourceOf } from './tensor-source';
import { wideHistogram, wideStatistics } from './wide';

/** Readings about a better shift before digits are taken as they are. */
const mostReadings = 3;

interface Swept {
  readonly sums: PowerSums;
  readonly moments: Moments;
  readonly channels: { min: Float32Array; max: Float32Array } | null;
}

export async function statistics(pool: Pool, tensor: Tensor, options: StatisticsOptions): Promise<Statistics> {
  const { dequantization, signal } = options;
  const channels = channelsOf(options.dims ?? tensor.dims, options.channelAxis);
  const weights = weightsOf(tensor, dequantization);
  if (!weights || weights.element === 'float64') return wideStatistics(tensor, channels, dequantization, signal);
  const swept = await sweep(pool, weights, channels, signal);
  const { sums, moments } = swept;
  if (sums.count === 0) return { ...nothing, nonFinite: sums.nonFinite };
  const limits = outlierLimits(sums, moments);
  const { counts, beyond } = await countedBins(pool, weights, sums, limits, signal);
  return {
    ...statisticsOf(sums, moments),
    outliers: beyond / sums.count,
    histogram: { min: sums.min, max: sums.max, counts: [...counts] },
    ...(channels && swept.channels ? { channels: thinned(channels, swept.channels) } : {}),
  };
}

export async function histogram(
  pool: Pool,
  tensor: Tensor,
  { min, max, signal }: { min: number; max: number; signal?: AbortSignal },
): Promise<Histogram> {
  const weights = weightsOf(tensor, undefined);
  if (!weights || weights.element === 'float64') return wideHistogram(tensor, min, max, signal);
  const { counts } = await countedBins(pool, weights, { min, max, nonFinite: 1 }, null, signal);
  return { min, max, counts: [...counts] };
}

interface CountedWeights extends Weights {
  /** Stored elements, padding included. */
  readonly count: number;
}

/** Null for types that only the caller's thread reads. */
function weightsOf(tensor: Tensor, dequantization: StatisticsOptions['dequantization']): CountedWeights | null {
  if (!dequantization) return floatWeights(tensor);
  const perElement = codesPerElement(tensor.dtype, dequantization.bits);
  if (perElement === null) return null;
  return { source: sourceOf(tensor), element: dequantization, count: elementCount(tensor.dims) * perElement };
}

/** Codes of an element of a packed tensor; null where the type's elements are not codes of 2, 4 or 8 bits. */
function codesPerElement(dtype: DataType, bits: number): number | null {
  if (dtype === 'uint8' || dtype === 'int8') return 8 / bits;
  return /^u?int[24]$/.test(dtype) ? 1 : null;
}

/** The first reading, repeated about the mean where that lies far from zero. */
export async function sweep(
  pool: Pool,
  { count, ...weights }: CountedWeights,
  channels: ChannelShape | null,
  signal: AbortSignal | undefined,
): Promise<Swept> {
  let shift = 0;
  let swept: Swept;
  for (let reading = 1; ; reading++) {
    const pieces: PowerSums[] = [];
    const ends = await pool.run({
      name: 'sums',
      ask: { weights, count, shift, channels },
      pieces: flatPieces(count),
      here: weights.source.kind === 'bytes',
      signal,
      onPiece: (index, piece) => {
        pieces[index] = piece;
      },
    });
    const sums = emptySums();
    for (const piece of pieces) addSums(sums, piece);
    const moments = momentsOf(sums, shift);
    swept = { sums, moments, channels: channels && widest(ends) };
    const better = Math.fround(moments.mean);
    if (moments.settled || reading === mostReadings || sums.count === 0 || better === shift) return swept;
    shift = better;
  }
}

function widest(ends: readonly ({ min: Float32Array; max: Float32Array } | null)[]) {
  const [first, ...rest] = ends.filter((end) => end !== null);
  for (const { min, max } of rest) {
    for (let c = 0; c < min.length; c++) {
      first!.min[c] = Math.min(first!.min[c]!, min[c]!);
      first!.max[c] = Math.max(first!.max[c]!, max[c]!);
    }
  }
  return first!;
}

export async function countedBins(
  pool: Pool,
  { count, ...weights }: CountedWeights,
  { min, max, nonFinite }: { min: number; max: number; nonFinite: number },
  beyond: { low: number; high: number } | null,
  signal: AbortSignal | undefined,
): Promise<{ counts: Uint32Array; beyond: number }> {
  const ends = await pool.run({
    name: 'bins',
    ask: { weights, count, min, width: binWidth(min, max), beyond, finite: nonFinite === 0 },
    pieces: flatPieces(count),
    here: weights.source.kind === 'bytes',
    signal,
  });
  const total = { counts: new Uint32Array(256), beyond: 0 };
  for (const end of ends) {
    total.beyond += end.beyond;
    for (let bin = 0; bin < 256; bin++) total.counts[bin]! += end.counts[bin]!;
  }
  return total;
}
