// Block quantization of weights as onnxruntime's own quantizer does it (`MlasQuantizeBlockwise`), in float32 step by step.
// Plain reference: the SIMD kernel gives the same bytes.
const f = Math.fround;
/** Squares are summed in float32 over at most this many weights, then in float64. */
export const flushEvery = 256;
/** Below this the reciprocal overflows: such a group is all zeros. */
const smallestScale = 2 ** -126;

/** The grid: `codes` 0…top, `middle` the code of zero where symmetric. */
export interface Grid {
  readonly bits: 2 | 4 | 8;
  readonly rule: 'signed-max' | 'restricted' | 'asymmetric';
}

export interface GroupScale {
  readonly scale: number;
  /** The code of zero. */
  readonly zero: number;
}

/** The largest float32 below a half. */
const almostHalf = f(0.49999997);

/** To the nearest whole, halves up: C's `roundf` for every float32 from 0 to 2^23; what is below zero is clamped by the caller. */
export function roundHalfUp(x: number): number {
  return Math.floor(f(x + almostHalf));
}

/** Scale and zero of a group whose finite weights lie in [low, high], zero included. */
export function groupScale(low: number, high: number, { bits, rule }: Grid): GroupScale {
  const middle = 2 ** (bits - 1);
  const top = 2 ** bits - 1;
  const extreme = high > -low ? high : low;
  switch (rule) {
    case 'signed-max':
      return usable(f(extreme / -middle), middle);
    case 'restricted':
      return usable(f(Math.abs(extreme) / (middle - 1)), middle);
    case 'asymmetric': {
      const scale = f(f(high - low) / top);
      const zero = scale > 0 ? Math.min(top, roundHalfUp(f(0 - f(low / scale)))) : 0;
      return usable(scale, zero);
    }
    default:
      return rule satisfies never;
  }
}

function usable(scale: number, zero: number): GroupScale {
  return Math.abs(scale) >= smallestScale && Number.isFinite(scale) ? { scale, zero } : { scale: 0, zero };
}

/** Range of the finite weights and zero. */
export function groupRange(weights: Float32Array): { low: number; high: number } {
  let low = 0;
  let high = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    if (!Number.isFinite(w)) continue;
    if (w < low) low = w;
    if (w > high) high = w;
  }
  return { low, high };
}

export interface Loss {
  signal: number;
  noise: number;
  clipped: number;
}

/** Where the noise is too small for its float32 steps: the errors must be taken from the weights themselves. */
export function isTooSmallForFloats({ signal, noise }: { signal: number; noise: number }): boolean {
  return noise > 0 && noise < 1e-9 * signal;
}

/**
 * Codes of one group, and what was lost: Σw² and Σ(w − ŵ)² of the finite weights are added to `loss`. NaN takes the code of zero, ±∞ an end of
 * the grid. Squares are taken in units of the scale, so that nothing overflows, and the error from the code to w/scale + zero as float32 has
 * it: right to 2^−15 of a step, so weights that lie on the grid may show a noise below 10^−9 of the signal (`isTooSmallForFloats`). Four float32
 * accumulators take the weights 4i … 4i+3, are joined as (0 + 1) + (2 + 3) every 256 weights and at the end of the body, then the last n mod 4
 * weights follow one by one.
 */
export function quantizeGroup(codes: Uint8Array, weights: Float32Array, group: GroupScale, bits: number, loss: Loss) {
  const { scale, zero } = group;
  const reciprocal = scale === 0 ? 0 : f(1 / scale);
  const top = 2 ** bits - 1;
  const body = weights.length - (weights.length % 4);
  const lanes = new Float32Array(8);
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    if (!Number.isFinite(w)) {
      codes[i] = Number.isNaN(w) || scale === 0 ? zero : w > 0 === scale > 0 ? top : 0;
      if (!Number.isNaN(w)) loss.clipped++;
    } else {
      const t = f(w * reciprocal);
      const y = f(t + zero);
      const rounded = roundHalfUp(y);
      const code = Math.max(0, Math.min(top, rounded));
      if (code !== rounded) loss.clipped++;
      codes[i] = code;
      const e = f(y - code);
      if (i < body) {
        lanes[i & 3]! += f(t * t);
        lanes[(i & 3) + 4]! += f(e * e);
      } else {
        signal += f(t * t);
        noise += f(e * e);
      }
    }
    if (i < body && ((i + 1) % flushEvery === 0 || i + 1 === body)) {
      signal += f(f(lanes[0]! + lanes[1]!) + f(lanes[2]! + lanes[3]!));
      noise += f(f(lanes[4]! + lanes[5]!) + f(lanes[6]! + lanes[7]!));
      lanes.fill(0);
    }
  }
  loss.signal += scale * scale * signal;
  loss.noise += scale * scale * noise;
}
