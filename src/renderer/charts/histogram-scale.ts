// How a histogram is drawn: the height of a count, the ticks of its axes, which bins are outliers.
import type { Histogram } from '../../contract/words/model';

export type CountScale = 'log' | 'sqrt';

/** A single weight must be seen on a log scale, where log10(1) would be nothing. */
const logFloor = 0.25;

/** Height of a count, before scaling to the frame; 0 for none. */
export const heightOf = (count: number, scale: CountScale): number =>
  count <= 0 ? 0 : scale === 'log' ? Math.log10(count) + logFloor : Math.sqrt(count);

/** Counts that are named at the axis: 1, 10, 100 … or four round numbers. */
export function countTicks(most: number, scale: CountScale): number[] {
  if (scale === 'log') {
    const ticks: number[] = [];
    for (let count = 1; count <= most * 1.1; count *= 10) ticks.push(count);
    return ticks;
  }
  const step = 10 ** Math.floor(Math.log10(Math.max(1, most / 4)));
  const nice = [1, 2, 5, 10].map((each) => each * step).find((each) => most / each <= 4.5) ?? most;
  return Array.from({ length: Math.floor(most / nice) }, (_, at) => (at + 1) * nice);
}

/** 10k, 1k, 100. */
export const shortCount = (count: number): string =>
  count >= 1e9
    ? `${count / 1e9}G`
    : count >= 1e6
      ? `${count / 1e6}M`
      : count >= 1e3
        ? `${count / 1e3}k`
        : String(count);

export interface Bin {
  bin: number;
  from: number;
  to: number;
  count: number;
  outlier: boolean;
}

/** Bins with their edges; an outlier is one whose centre lies beyond 6 σ of the mean. */
export function binsOf(histogram: Histogram, mean: number | null, std: number | null): Bin[] {
  const { min, max, counts } = histogram;
  const width = (max - min) / counts.length;
  return counts.map((count, bin) => {
    const from = min + bin * width;
    const centre = from + width / 2;
    const outlier = mean !== null && std !== null && std > 0 && Math.abs(centre - mean) > 6 * std;
    return { bin, from, to: from + width, count, outlier };
  });
}

/** Where multiples of σ stand, as bins (fractions allowed): every third, named at every sixth. */
export function sigmaTicks(histogram: Histogram, mean: number, std: number): { bin: number; sigmas: number }[] {
  const { min, max, counts } = histogram;
  if (!(std > 0) || !(max > min)) return [];
  const reach = Math.max(max - mean, mean - min) / std;
  const step = reach > 60 ? 3 * Math.ceil(reach / 12 / 3) : reach > 8 ? 3 : 1;
  const ticks: { bin: number; sigmas: number }[] = [];
  for (let sigmas = -Math.ceil(reach / step) * step; sigmas <= reach; sigmas += step) {
    const bin = ((mean + sigmas * std - min) / (max - min)) * counts.length;
    if (bin >= 0 && bin <= counts.length) ticks.push({ bin, sigmas });
  }
  return ticks;
}
