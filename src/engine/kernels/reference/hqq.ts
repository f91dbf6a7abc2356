// Half-quadratic quantization (Badri & Shaji 2023): a float zero point for each group, the scale fixed. Plain reference of the SIMD kernel.
import { flushEvery, type Loss, roundHalfUp } from './quantize';

const f = Math.fround;
export const hqqIterations = 20;
const norm = 0.7;
const beta = 10;
const kappa = 1.01;
/**
 * Shrinkage is zero for errors up to β^(−1/(2−p)), which is least in the last iteration (0.1472): below this it is zero in all of them, and
 * what is left is a fixed-point iteration that may end early without changing its answer.
 */
export const shrinksBeyond = f(0.147);

export interface FloatZero {
  readonly scale: number;
  readonly zero: number;
}

/** Range of the finite weights, zero not included; empty groups have none. */
function ends(weights: Float32Array): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (const w of weights) {
    if (!Number.isFinite(w)) continue;
    if (w < low) low = w;
    if (w > high) high = w;
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}

/**
 * Scale and zero of a group; a group of equal weights is one code. The reference's guards for float16 scales (1/scale at most 2e4, a range
 * below 1e−4 not divided by) are left out: these scales are float32.
 */
export function hqqGroup(weights: Float32Array, bits: number): FloatZero {
  const { low, high } = ends(weights);
  const top = 2 ** bits - 1;
  const range = f(high - low);
  const scale = f(range / top);
  if (!(scale >= 2 ** -126 && scale < Infinity)) return { scale: 1, zero: f(0 - low) };
  const reciprocal = f(1 / scale);
  const first = f(0 - f(low * reciprocal));
  let zero = first;
  for (let step = 0; step < hqqIterations; step++) {
    const farthest = f(f(f(0.5) + f(Math.abs(f(zero - first)))) * scale);
    const next =
      farthest < shrinksBeyond
        ? meanWithout(weights, reciprocal, zero, top)
        : meanWith(weights, scale, zero, top, beta * kappa ** step);
    if (next === zero && farthest < shrinksBeyond) break;
    zero = next;
  }
  return { scale, zero };
}

/** Mean of code − w/scale over the finite weights; sums as in `quantizeGroup`. */
function meanWithout(weights: Float32Array, reciprocal: number, zero: number, top: number): number {
  const body = weights.length - (weights.length % 4);
  const lanes = new Float32Array(4);
  let total = 0;
  let count = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    if (Number.isFinite(w)) {
      const t = f(w * reciprocal);
      const code = Math.max(0, Math.min(top, roundHalfUp(f(t + zero))));
      count++;
      if (i < body) lanes[i & 3]! += f(code - t);
      else total += f(code - t);
    }
    if (i < body && ((i + 1) % flushEvery === 0 || i + 1 === body)) {
      total += f(f(lanes[0]! + lanes[1]!) + f(lanes[2]! + lanes[3]!));
      lanes.fill(0);
    }
  }
  return f(total / count);
}

/** The same with what the lp-norm gives up: W_e = sign(e)·max(0, |e| − |e|^(p−1)/β), e = w − ŵ. */
function meanWith(weights: Float32Array, scale: number, zero: number, top: number, beta: number): number {
  let total = 0;
  let count = 0;
  for (const w of weights) {
    if (!Number.isFinite(w)) continue;
    const code = Math.max(0, Math.min(top, roundHalfUp(f(f(w / scale) + zero))));
    const e = w - (code - zero) * scale;
    const size = Math.abs(e);
    const given = size === 0 ? 0 : Math.sign(e) * Math.max(0, size - size ** (norm - 1) / beta);
    total += code - (w - given) / scale;
    count++;
  }
  return f(total / count);
}

/** Codes and loss of a group as `quantizeGroup`, with a float zero. */
export function quantizeWithFloatZero(
  codes: Uint8Array,
  weights: Float32Array,
  { scale, zero }: FloatZero,
  bits: number,
  loss: Loss,
): void {
  const reciprocal = f(1 / scale);
  const top = 2 ** bits - 1;
  const body = weights.length - (weights.length % 4);
  const lanes = new Float32Array(8);
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    if (!Number.isFinite(w)) {
      codes[i] = Number.isNaN(w) ? codeOfZero(zero, top) : w > 0 ? top : 0;
      if (!Number.isNaN(w)) loss.clipped++;
    } else {
      const t = f(w * reciprocal);
      const rounded = roundHalfUp(f(t + zero));
      const code = Math.max(0, Math.min(top, rounded));
      if (code !== rounded) loss.clipped++;
      codes[i] = code;
      const e = f(f(w - f(f(code - zero) * scale)) * reciprocal);
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

/** What pads a group, and stands for NaN. */
export function codeOfZero(zero: number, top: number): number {
  return Math.max(0, Math.min(top, roundHalfUp(zero)));
}
