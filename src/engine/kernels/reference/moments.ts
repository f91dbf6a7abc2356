// Power sums of weights about a shift, and the statistics they give. Plain reference: the SIMD kernel gives the same bits.

/** Sums over the finite values of one stretch; stretches about the same shift are merged by adding. */
export interface PowerSums {
  count: number;
  zeros: number;
  nonFinite: number;
  /** +∞ and −∞ where nothing is finite. */
  min: number;
  max: number;
  /** Σ(x − shift)^p, p = 1…4, in float64. */
  sums: [number, number, number, number];
}

export function emptySums(): PowerSums {
  return { count: 0, zeros: 0, nonFinite: 0, min: Infinity, max: -Infinity, sums: [0, 0, 0, 0] };
}

/**
 * The order of additions is part of the definition: four accumulators take the elements 4i, 4i+1, 4i+2, 4i+3 and are joined as
 * (0 + 1) + (2 + 3); then the last n mod 4 elements follow one by one.
 */
export function powerSums(values: Float32Array | Float64Array, shift: number): PowerSums {
  const lanes = new Float64Array(16);
  const out = emptySums();
  const body = values.length - (values.length % 4);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      out.nonFinite++;
      continue;
    }
    if (value === 0) out.zeros++;
    if (value < out.min) out.min = value;
    if (value > out.max) out.max = value;
    if (i >= body) continue;
    const lane = i & 3;
    const d = value - shift;
    const d2 = d * d;
    lanes[lane]! += d;
    lanes[lane + 4]! += d2;
    lanes[lane + 8]! += d2 * d;
    lanes[lane + 12]! += d2 * d2;
  }
  for (let p = 0; p < 4; p++) {
    out.sums[p] = lanes[p * 4]! + lanes[p * 4 + 1]! + (lanes[p * 4 + 2]! + lanes[p * 4 + 3]!);
  }
  for (let i = body; i < values.length; i++) {
    const d = values[i]! - shift;
    if (!Number.isFinite(d)) continue;
    const d2 = d * d;
    out.sums[0] += d;
    out.sums[1] += d2;
    out.sums[2] += d2 * d;
    out.sums[3] += d2 * d2;
  }
  out.count = values.length - out.nonFinite;
  // Adding zero makes −0 plain.
  out.min += 0;
  out.max += 0;
  return out;
}

export function addSums(into: PowerSums, more: PowerSums): void {
  into.count += more.count;
  into.zeros += more.zeros;
  into.nonFinite += more.nonFinite;
  into.min = Math.min(into.min, more.min);
  into.max = Math.max(into.max, more.max);
  for (let p = 0; p < 4; p++) into.sums[p]! += more.sums[p]!;
}

export interface Moments {
  readonly mean: number;
  /** Of the population. */
  readonly std: number;
  /** m4/m2²; null where all values are equal. */
  readonly kurtosis: number | null;
  /** False where the shift was so far from the mean that digits were lost: sum again about `mean`. */
  readonly settled: boolean;
}

export function momentsOf({ count, sums }: PowerSums, shift: number): Moments {
  const [s1, s2, s3, s4] = sums;
  const delta = s1 / count;
  const m2 = Math.max(0, s2 / count - delta * delta);
  const m4 = s4 / count - (4 * delta * s3) / count + (6 * delta * delta * s2) / count - 3 * delta ** 4;
  const std = Math.sqrt(m2);
  return {
    mean: shift + delta,
    std,
    kurtosis: m2 > 0 ? m4 / (m2 * m2) : null,
    // Each power of delta/std costs as many digits of the 16; at one deviation nothing is lost.
    settled: Math.abs(delta) <= std,
  };
}
