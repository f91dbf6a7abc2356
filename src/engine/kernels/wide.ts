// Statistics of element types that threads do not read (float64, 32- and 64-bit integers, the float8s): plain, here, in the same pieces.
import type { Histogram, Statistics } from '../../contract/words/model';
import { dataTypes, elementCount, type Tensor } from '../graph/graph';
import { numbersOf, readRange } from '../graph/tensor';
import { rescale } from './dequantize';
import type { Dequantization } from './kernels';
import { binWidth, countBeyond, countBins } from './reference/histogram';
import { addSums, emptySums, momentsOf, powerSums } from './reference/moments';
import { widenRanges } from './reference/ranges';
import { type ChannelShape, nothing, outlierLimits, statisticsOf, thinned } from './summary';
import { flatPiece } from './tasks/task';

/** The weights as float64, a piece at a time; 64-bit integers beyond 2^53 are rounded. */
async function* doubles(
  tensor: Tensor,
  dequantization: Dequantization | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ first: number; values: Float64Array }> {
  const count = elementCount(tensor.dims);
  const { bits } = dataTypes[tensor.dtype];
  for (let first = 0; first < count; first += flatPiece) {
    signal?.throwIfAborted();
    const length = Math.min(flatPiece, count - first);
    const bytes = await readRange(tensor, (first * bits) / 8, Math.ceil((length * bits) / 8));
    const numbers = numbersOf(tensor.dtype, length, bytes, tensor.name);
    const values = Float64Array.from(numbers as Iterable<number | bigint>, Number);
    if (dequantization) rescale(values, first, dequantization);
    yield { first, values };
  }
}

export async function wideStatistics(
  tensor: Tensor,
  channels: ChannelShape | null,
  dequantization: Dequantization | undefined,
  signal: AbortSignal | undefined,
): Promise<Statistics> {
  const ranges = { min: new Float64Array(channels?.count ?? 0), max: new Float64Array(channels?.count ?? 0) };
  let shift = 0;
  for (;;) {
    ranges.min.fill(Infinity);
    ranges.max.fill(-Infinity);
    const sums = emptySums();
    for await (const { first, values } of doubles(tensor, dequantization, signal)) {
      addSums(sums, powerSums(values, shift));
      if (channels) widenRanges(ranges.min, ranges.max, values, first, channels.inner);
    }
    if (sums.count === 0) return { ...nothing, nonFinite: sums.nonFinite };
    const moments = momentsOf(sums, shift);
    if (!moments.settled && moments.mean !== shift && shift === 0) {
      shift = moments.mean;
      continue;
    }
    const limits = outlierLimits(sums, moments);
    const counts = new Uint32Array(256);
    let beyond = 0;
    for await (const { values } of doubles(tensor, dequantization, signal)) {
      countBins(counts, values, sums.min, binWidth(sums.min, sums.max));
      if (limits) beyond += countBeyond(values, limits.low, limits.high);
    }
    return {
      ...statisticsOf(sums, moments),
      outliers: beyond / sums.count,
      histogram: { min: sums.min, max: sums.max, counts: [...counts] },
      ...(channels ? { channels: thinned(channels, ranges) } : {}),
    };
  }
}

export async function wideHistogram(
  tensor: Tensor,
  min: number,
  max: number,
  signal: AbortSignal | undefined,
): Promise<Histogram> {
  const counts = new Uint32Array(256);
  for await (const { values } of doubles(tensor, undefined, signal)) countBins(counts, values, min, binWidth(min, max));
  return { min, max, counts: [...counts] };
}
