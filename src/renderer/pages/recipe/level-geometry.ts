// The level chart in numbers: outlines, ticks, what lies beyond 6 σ and what the grid clips. No drawing.

import type { Preview } from '../../../contract/words/recipe';
import { roundTicks } from '../../charts/axes';

export interface Bins {
  min: number;
  max: number;
  counts: readonly number[];
}

/** Fewer weights a bin than this on average, and the outline is a comb that says nothing. */
const leastInBin = 12;
const fewestBins = 32;

/** The bins, joined by twos until enough weights are in each. */
export function joinedBins(bins: Bins): Bins {
  const total = bins.counts.reduce((sum, count) => sum + count, 0);
  if (bins.counts.length < 2 * fewestBins || total / bins.counts.length >= leastInBin) return bins;
  const counts = Array.from(
    { length: Math.ceil(bins.counts.length / 2) },
    (_, at) => (bins.counts[2 * at] ?? 0) + (bins.counts[2 * at + 1] ?? 0),
  );
  return joinedBins({ min: bins.min, max: bins.max, counts });
}

/** Heights are square roots of counts, so that a level of few weights is still seen; 1 is the highest bin. */
export const heightOf = (count: number, most: number): number =>
  most > 0 ? Math.min(1.05, Math.sqrt(count / most)) : 0;

export interface OutlinePoint {
  x: number;
  /** All weights, as a step outline. */
  before: number;
  /** Those beyond 6 σ, drawn over it. */
  far: number;
}

/**
 * The count that is drawn full height. A grid laid through each group's largest weight piles one weight per group on its
 * outermost level, so the two highest bins do not set the height: they may be cut off.
 */
const fullHeight = (counts: readonly number[]): number => [...counts].sort((one, other) => other - one)[2] || 1;

/**
 * A step outline: each bin's left edge carries its count. `perLevel` makes it comparable with stems: how many bins a level
 * gathers, and the count of the highest stem.
 */
export function outlineOf(
  bins: Bins,
  sixSigma: readonly [number, number] | null,
  perLevel?: { bins: number; most: number },
): OutlinePoint[] {
  const most = perLevel ? perLevel.most / perLevel.bins : fullHeight(bins.counts);
  const width = (bins.max - bins.min) / bins.counts.length || 1;
  const points = bins.counts.map((count, at): OutlinePoint => {
    const x = bins.min + at * width;
    const centre = x + width / 2;
    const before = heightOf(count, most);
    const far = sixSigma && (centre < sixSigma[0] || centre > sixSigma[1]) ? before : 0;
    return { x, before, far };
  });
  // A step area ends where its last bin begins: one more point closes it.
  const last = points.at(-1);
  return last ? [...points, { ...last, x: bins.max }] : points;
}

/** Mean − 6 σ and mean + 6 σ of what the bins hold, each weight at its bin's centre; null for an empty or flat one. */
export function sixSigmaOf(bins: Bins): [number, number] | null {
  const width = (bins.max - bins.min) / bins.counts.length;
  const centre = (at: number) => bins.min + (at + 0.5) * width;
  const total = bins.counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const mean = bins.counts.reduce((sum, count, at) => sum + count * centre(at), 0) / total;
  const variance = bins.counts.reduce((sum, count, at) => sum + count * (centre(at) - mean) ** 2, 0) / total;
  const std = Math.sqrt(variance);
  return std > 0 ? [mean - 6 * std, mean + 6 * std] : null;
}

/** Up to so many levels each get a stem of their own; finer grids are ticks under the reconstructed outline. */
export const mostStems = 17;

export const gridOf = (preview: Preview) =>
  preview.levels && preview.scaled && preview.levels.length <= mostStems ? preview.levels : null;

/** Where the grid ends, half a step beyond its outermost levels: what lies outside is clipped. Only sides that clip. */
export function clippingLimits(preview: Preview): number[] {
  const values = (preview.levels ?? []).map((level) => level.value);
  if (preview.clipped === 0 || values.length < 2 || !preview.scaled) return [];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const half = (high - low) / (values.length - 1) / 2;
  return [low - half, high + half].filter((limit) => limit > preview.scaled!.min && limit < preview.scaled!.max);
}

/** Share of the weights looked at that lie beyond the last level. */
export const clippedShare = (preview: Preview): number =>
  preview.clipped /
  Math.max(
    1,
    preview.before.counts.reduce((sum, count) => sum + count, 0),
  );

/** Every second level of a small grid; round numbers elsewhere. */
export function ticksOf(bins: Bins, isGrid: boolean): number[] {
  if (!isGrid) return roundTicks(bins.min, bins.max, 6);
  const first = Math.ceil(bins.min / 2) * 2;
  return Array.from({ length: Math.floor((bins.max - first) / 2) + 1 }, (_, at) => first + at * 2);
}
