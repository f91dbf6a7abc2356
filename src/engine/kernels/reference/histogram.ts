// 256 equal bins over [min, max], the last edge inclusive. Plain reference: the SIMD kernel gives the same counts.
export const binCount = 256;

/** Width of a bin; each end is divided first, so that the widest float64 range does not overflow. */
export function binWidth(min: number, max: number): number {
  return max / binCount - min / binCount;
}

/**
 * The bin of a finite value: the last i with min + i·width ≤ value, edges in float64 as numpy's `linspace` has them. Values beyond an end
 * count in the end bin; where min = max all are in bin 0.
 */
export function binOf(value: number, min: number, width: number): number {
  if (width === 0) return 0;
  let bin = Math.min(binCount - 1, Math.max(0, Math.floor((value - min) / width)));
  while (bin < binCount - 1 && value >= min + (bin + 1) * width) bin++;
  while (bin > 0 && value < min + bin * width) bin--;
  return bin;
}

/** Adds the finite values to `counts`. */
export function countBins(counts: Uint32Array, values: Float32Array | Float64Array, min: number, width: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) counts[binOf(value, min, width)]!++;
  }
}

/** How many finite values lie below `low` or above `high`. */
export function countBeyond(values: Float32Array | Float64Array, low: number, high: number): number {
  let beyond = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if ((value < low || value > high) && Number.isFinite(value)) beyond++;
  }
  return beyond;
}
