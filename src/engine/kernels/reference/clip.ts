// Ranges clipped to the least Σ h·|w − ŵ|^2.4 (GPTQ's `quant.py`, where h = 1): p = 1, 0.99 … 0.21 of the range. Plain reference: the SIMD kernel
// gives the same bits.
import { flushEvery, type GroupScale, roundHalfUp } from './quantize';

const f = Math.fround;
export const clipSteps = 80;
const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/*
 * |x|^2.4 = x² · m^0.4 · 2^(0.4·e) with |x| = m·2^e. The first is a polynomial over [1, 2) (Chebyshev, 1.4e−5 relative); 0.4·e has only five
 * fractions, through which the second goes.
 */
const mantissa = [0.43128634, 0.80384684, -0.31129736, 0.08664147, -0.010463891].map(f);
const fraction = [1, 0.6930825, 0.2408933, 0.053219613, 0.012731906].map(f);

function polynomial([a, b, c, d, e]: readonly number[], x: number): number {
  return f(f(f(f(f(f(f(f(e! * x) + d!) * x) + c!) * x) + b!) * x) + a!);
}

/** |x|^2.4 in float32 steps; 0 for 0. */
export function power24(x: number): number {
  float[0] = x;
  const exponent = ((bits[0]! >>> 23) & 0xff) - 127;
  bits[0] = (bits[0]! & 0x7fffff) | 0x3f800000;
  const root = polynomial(mantissa, float[0]!);
  const power = f(exponent * f(0.4));
  const whole = Math.floor(power);
  const rest = polynomial(fraction, f(power - whole));
  bits[0] = (whole + 127) << 23;
  return f(f(f(x * x) * root) * f(rest * float[0]!));
}

/**
 * The scale whose grid loses least. Errors are taken in units of the unclipped scale; the search ends where the error of the weight farthest
 * beyond the grid is more than the least so far, since it only grows. Sums as in `quantizeGroup`; weights that are not finite count nothing.
 * `loudness`: h of each weight, null where all are alike.
 */
export function clippedScale(
  weights: Float32Array,
  { scale, zero }: GroupScale,
  bits: number,
  loudness: Float32Array | null = null,
): number {
  if (scale === 0) return 0;
  const reciprocal = f(1 / scale);
  const top = 2 ** bits - 1;
  const units = weights.map((w) => (Number.isFinite(w) ? w * reciprocal : Number.NaN));
  let low = 0;
  let high = 0;
  for (const t of units) {
    if (t < low) low = t;
    if (t > high) high = t;
  }
  const quietest = loudness === null ? 1 : loudness.reduce((least, h) => Math.min(least, h), Infinity);
  let best = Infinity;
  let chosen = 1;
  for (let step = 0; step < clipSteps; step++) {
    const p = f(1 - step / 100);
    const beyond = Math.max(f(high - f((top - zero) * p)), f(f(-zero * p) - low), 0);
    if (f(quietest * power24(beyond)) > best) break;
    const lost = clipLoss(units, p, zero, top, loudness);
    if (lost < best) {
      best = lost;
      chosen = p;
    }
  }
  const clipped = f(scale * chosen);
  return Math.abs(clipped) >= 2 ** -126 ? clipped : scale;
}

export function clipLoss(
  units: Float32Array,
  p: number,
  zero: number,
  top: number,
  loudness: Float32Array | null = null,
): number {
  const reciprocal = f(1 / p);
  const body = units.length - (units.length % 4);
  const lanes = new Float32Array(4);
  let total = 0;
  for (let i = 0; i < units.length; i++) {
    const t = units[i]!;
    if (!Number.isNaN(t)) {
      const rounded = roundHalfUp(f(f(t * reciprocal) + zero));
      const code = Math.max(0, Math.min(top, rounded));
      const alone = power24(f(t - f((code - zero) * p)));
      const lost = loudness === null ? alone : f(alone * loudness[i]!);
      if (i < body) lanes[i & 3]! += lost;
      else total += lost;
    }
    if (i < body && ((i + 1) % flushEvery === 0 || i + 1 === body)) {
      total += f(f(lanes[0]! + lanes[1]!) + f(lanes[2]! + lanes[3]!));
      lanes.fill(0);
    }
  }
  return total;
}
