// A histogram of a stream whose range nobody knows beforehand: bins lie on multiples of a power of two and pairs of them merge when it grows.

/** Bins on each side of zero. After it has grown, a stream fills between half of them and all. */
export const sideBins = 4096;

/**
 * Bin i of 2·sideBins holds [(i − sideBins)·width, (i + 1 − sideBins)·width). Since every edge is a multiple of the width, doubling the width
 * merges whole bins: counts stay exact whatever the order of the samples. Exact zeros are counted apart.
 */
export class Histogram {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  zeros = 0;
  notFinite = 0;
  width = 0;
  readonly counts: Float64Array;

  /** Without `keepsCounts` only the extremes are kept. */
  constructor(readonly keepsCounts: boolean) {
    this.counts = new Float64Array(keepsCounts ? 2 * sideBins : 0);
  }

  /** True where nothing finite came. */
  get isEmpty(): boolean {
    return this.min > this.max;
  }

  add(data: Float32Array): void {
    let { min, max } = this;
    let bad = 0;
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      // Neither NaN nor an infinity passes.
      if (!(value - value === 0)) {
        bad++;
        continue;
      }
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.min = min;
    this.max = max;
    this.notFinite += bad;
    if (!this.keepsCounts || this.isEmpty) return;
    this.growTo(Math.max(-min, max));
    const { counts, width } = this;
    if (width === 0) {
      this.zeros += data.length - bad;
      return;
    }
    const inverse = 1 / width;
    let zeros = 0;
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!;
      if (value === 0) zeros++;
      else if (value - value === 0) counts[Math.floor(value * inverse) + sideBins]!++;
    }
    this.zeros += zeros;
  }

  /** The lower edge of a bin. */
  edge(bin: number): number {
    return (bin - sideBins) * this.width;
  }

  private growTo(magnitude: number): void {
    if (magnitude === 0) return;
    if (this.width === 0) this.width = 2 ** Math.ceil(Math.log2(magnitude / sideBins));
    // The largest value itself must lie below the last edge.
    while (magnitude >= sideBins * this.width) this.double();
  }

  private double(): void {
    const { counts } = this;
    const merged = new Float64Array(counts.length);
    for (let bin = 0; bin < counts.length; bin++) {
      merged[Math.floor((bin - sideBins) / 2) + sideBins]! += counts[bin]!;
    }
    counts.set(merged);
    this.width *= 2;
  }
}
