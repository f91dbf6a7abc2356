// Moments of a normal variable behind a clip: N(μ, σ²) cut off at either side, in closed form.

/** Φ(z), to about 1e-15. */
export function cumulative(z: number): number {
  if (z > 8) return 1;
  if (z < -8) return 0;
  // Φ(z) = ½ + φ(z)·(z + z³/3 + z⁵/15 + …): Marsaglia 2004, exact to the last digits in this range.
  let sum = z;
  let term = z;
  for (let i = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && i < 400; i += 2) {
    term *= (z * z) / i;
    sum += term;
  }
  return Math.min(1, Math.max(0, 0.5 + sum * density(z)));
}

export function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** Mean and variance of min(high, max(low, x)), x ~ N(mean, variance). Bounds may be infinite. */
export function clipped(mean: number, variance: number, low: number, high: number): { mean: number; variance: number } {
  const deviation = Math.sqrt(Math.max(0, variance));
  if (deviation < 1e-30) return { mean: Math.min(high, Math.max(low, mean)), variance: 0 };
  const [a, b] = [(low - mean) / deviation, (high - mean) / deviation];
  const [below, above] = [Number.isFinite(a) ? cumulative(a) : 0, Number.isFinite(b) ? 1 - cumulative(b) : 0];
  const [fa, fb] = [Number.isFinite(a) ? density(a) : 0, Number.isFinite(b) ? density(b) : 0];
  const inside = 1 - below - above;
  // E[x; inside] and E[x²; inside] of the normal, then what lies outside sits on the bounds.
  const first = mean * inside + deviation * (fa - fb);
  const second =
    (mean * mean + variance) * inside +
    2 * mean * deviation * (fa - fb) +
    variance * ((Number.isFinite(a) ? a * fa : 0) - (Number.isFinite(b) ? b * fb : 0));
  const at = (bound: number, share: number, power: number): number => (share > 0 ? share * bound ** power : 0);
  const expected = first + at(low, below, 1) + at(high, above, 1);
  const squared = second + at(low, below, 2) + at(high, above, 2);
  return { mean: expected, variance: Math.max(0, squared - expected * expected) };
}
