// From a histogram to the range that is worth quantizing: all of it, a percentile, least squared error, least divergence.
import type { Range } from './activations';
import { type Histogram, sideBins } from './activations-histogram';

export type RangeRule =
  | { readonly kind: 'minmax' }
  /** `percent` of all values lie inside, the rest half and half beyond each end. */
  | { readonly kind: 'percentile'; readonly percent: number }
  | { readonly kind: 'entropy' }
  | { readonly kind: 'mse' };

/** Codes of an 8-bit grid. */
const levels = 256;

/** Always holds zero: it must have a code of its own. */
export function rangeOf(histogram: Histogram, rule: RangeRule): Range {
  if (histogram.isEmpty) return { min: 0, max: 0 };
  const all: Range = { min: Math.min(histogram.min, 0), max: Math.max(histogram.max, 0) };
  if (all.min === all.max) return all;
  switch (rule.kind) {
    case 'minmax':
      return all;
    case 'percentile':
      return percentile(histogram, all, rule.percent);
    case 'mse':
      return leastSquares(histogram, all);
    case 'entropy':
      return leastDivergence(histogram, all);
    default:
      return rule satisfies never;
  }
}

function percentile(histogram: Histogram, all: Range, percent: number): Range {
  const { counts, zeros, width } = histogram;
  const total = counts.reduce((sum, count) => sum + count, zeros);
  const outside = (total * (1 - percent / 100)) / 2;
  // Zeros lie between the two sides.
  const quantile = (from: number, step: number, limit: number): number => {
    let seen = 0;
    for (let bin = from; bin !== limit; bin += step) {
      const count = counts[bin]!;
      if (seen + count > outside) {
        const share = (outside - seen) / count;
        return histogram.edge(step > 0 ? bin : bin + 1) + step * share * width;
      }
      seen += count;
    }
    return 0;
  };
  return {
    min: Math.max(all.min, Math.min(0, quantile(0, 1, sideBins))),
    max: Math.min(all.max, Math.max(0, quantile(counts.length - 1, -1, sideBins - 1))),
  };
}

const candidates = 128;
const leastShare = 0.1;
/**
 * Divergence may clip this share of the values away and no more, as much as the usual percentile does: without a bound it clips half of a
 * distribution with few distinct values. Chosen on samples that no result is reported on: of 1, 1e-2, 3e-3, 1e-3, 3e-4 and 1e-4 the last
 * moved the answers of six real models least, taken together.
 */
const mostClipped = 1e-4;

/**
 * Expected squared error of a grid over [min, max]: step²/12 for each value inside (exact zeros cost nothing), the squared distance to the
 * nearer end for those outside. Each end is tried at 128 places while the other stands, twice.
 */
function leastSquares(histogram: Histogram, all: Range): Range {
  const sums = new Sums(histogram);
  const error = ({ min, max }: Range): number => {
    const step = (max - min) / (levels - 1);
    const below = sums.beyond(min, 'below');
    const above = sums.beyond(max, 'above');
    return ((sums.total - below.count - above.count) * step * step) / 12 + below.squares + above.squares;
  };
  let best = all;
  let least = error(all);
  for (let round = 0; round < 2; round++) {
    for (const end of ['min', 'max'] as const) {
      if (all[end] === 0) continue;
      for (let i = 0; i < candidates; i++) {
        const share = leastShare + ((1 - leastShare) * i) / (candidates - 1);
        const tried = { ...best, [end]: all[end] * share };
        const found = error(tried);
        if (found < least) {
          least = found;
          best = tried;
        }
      }
    }
  }
  return best;
}

/** Running sums over bins: how many values lie beyond an edge, and Σ(x − edge)² of them, values taken at the middle of their bins. */
class Sums {
  readonly total: number;
  private readonly count: Float64Array;
  private readonly first: Float64Array;
  private readonly second: Float64Array;

  constructor(private readonly histogram: Histogram) {
    const { counts, width } = histogram;
    const size = counts.length + 1;
    this.count = new Float64Array(size);
    this.first = new Float64Array(size);
    this.second = new Float64Array(size);
    for (let bin = 0; bin < counts.length; bin++) {
      const x = histogram.edge(bin) + width / 2;
      this.count[bin + 1] = this.count[bin]! + counts[bin]!;
      this.first[bin + 1] = this.first[bin]! + counts[bin]! * x;
      this.second[bin + 1] = this.second[bin]! + counts[bin]! * x * x;
    }
    this.total = this.count[size - 1]!;
  }

  beyond(edge: number, side: 'below' | 'above'): { count: number; squares: number } {
    const { width, counts } = this.histogram;
    const bin = Math.max(0, Math.min(counts.length, Math.round(edge / width) + sideBins));
    const [from, to] = side === 'below' ? [0, bin] : [bin, counts.length];
    const count = this.count[to]! - this.count[from]!;
    const first = this.first[to]! - this.first[from]!;
    const second = this.second[to]! - this.second[from]!;
    return { count, squares: Math.max(0, second - 2 * edge * first + edge * edge * count) };
  }
}

/**
 * Kullback-Leibler divergence of what a clipped 8-bit grid makes of the distribution, least over 128 clips; as in TensorRT's calibrator
 * (Migacz 2017, "8-bit inference with TensorRT"): what lies beyond counts in the end bins of P, a level is spread evenly over those of its
 * bins that hold anything. Exact zeros keep their code and are left out.
 */
function leastDivergence(histogram: Histogram, all: Range): Range {
  const { width } = histogram;
  const sums = new Sums(histogram);
  const clipped = ({ min, max }: Range): number => sums.beyond(min, 'below').count + sums.beyond(max, 'above').count;
  const furthest = Math.max(-all.min, all.max);
  let best = all;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < candidates; i++) {
    const clip = furthest * (leastShare + ((1 - leastShare) * i) / (candidates - 1));
    const range = { min: Math.max(all.min, -clip), max: Math.min(all.max, clip) };
    const from = Math.floor(range.min / width) + sideBins;
    const to = Math.min(2 * sideBins, Math.ceil(range.max / width) + sideBins);
    // A grid finer than the bins loses nothing that they could show.
    if (to - from < levels || clipped(range) > mostClipped * sums.total) continue;
    const found = divergence(histogram.counts, from, to);
    if (found < least) {
      least = found;
      best = range;
    }
  }
  return best;
}

function divergence(counts: Float64Array, from: number, to: number): number {
  const p = counts.slice(from, to);
  let below = 0;
  let above = 0;
  for (let bin = 0; bin < from; bin++) below += counts[bin]!;
  for (let bin = to; bin < counts.length; bin++) above += counts[bin]!;
  p[0]! += below;
  p[p.length - 1]! += above;
  let sumP = 0;
  let sumQ = 0;
  for (let bin = 0; bin < p.length; bin++) {
    sumP += p[bin]!;
    sumQ += counts[from + bin]!;
  }
  if (sumP === 0 || sumQ === 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  for (let level = 0; level < levels; level++) {
    const start = Math.floor((level * p.length) / levels);
    const end = Math.floor(((level + 1) * p.length) / levels);
    let mass = 0;
    let filled = 0;
    for (let bin = start; bin < end; bin++) {
      mass += counts[from + bin]!;
      if (p[bin]! > 0) filled++;
    }
    // Values were clipped into a level that has none of its own: smoothed, so that it costs much and not everything.
    const q = Math.max(mass / Math.max(1, filled) / sumQ, 1e-12);
    for (let bin = start; bin < end; bin++) {
      if (p[bin]! > 0) divergence += (p[bin]! / sumP) * Math.log(p[bin]! / sumP / q);
    }
  }
  return divergence;
}
