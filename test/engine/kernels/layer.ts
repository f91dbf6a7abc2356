// One layer and its inputs, seeded: t5 weights, inputs that are a mixture of few sources with loud channels. And GPTQ as its paper has it.
import type { Hessian, Kernels, QuantizeRequest, QuantizeResult } from '../../../src/engine/kernels';
import { floatTensor } from './tensors';

/** Uniform, normal and Student's t, from one seed (splitmix32). */
export function draws(seed: number) {
  let state = seed * 0x9e3779b9;
  const uniform = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const student = (freedom: number) => {
    let chi = 0;
    for (let i = 0; i < freedom; i++) chi += normal() ** 2;
    return normal() / Math.sqrt(chi / freedom);
  };
  return { uniform, normal, student };
}

export interface Layer {
  readonly rows: number;
  readonly columns: number;
  /** [rows][columns] */
  readonly weights: Float32Array;
  /** [2048][columns] each. */
  readonly calibration: Float32Array;
  readonly heldOut: Float32Array;
}

const inputs = 2048;

/** algorithms.md §4.2: 128 × 256; `white` inputs are independent N(0, 1). */
export function makeLayer(seed: number, { rows = 128, columns = 256, white = false } = {}): Layer {
  const { uniform, normal, student } = draws(seed + 1);
  const weights = Float32Array.from({ length: rows * columns }, () => student(5) * 0.02);
  const rank = columns / 4;
  const mixing = Float64Array.from({ length: columns * rank }, () => normal() / Math.sqrt(rank));
  const loudness = Float64Array.from({ length: columns }, () => Math.exp(normal() * 0.7));
  for (let i = 0; i < columns / 64; i++) loudness[Math.floor(uniform() * columns)]! *= 10;
  const draw = () => {
    const out = new Float32Array(inputs * columns);
    for (let t = 0; t < inputs; t++) {
      const sources = Float64Array.from({ length: rank }, normal);
      for (let k = 0; k < columns; k++) {
        let mixed = 0.3 * normal();
        for (let r = 0; r < rank; r++) mixed += mixing[k * rank + r]! * sources[r]!;
        out[t * columns + k] = white ? normal() : mixed * loudness[k]!;
      }
    }
    return out;
  };
  return { rows, columns, weights, calibration: draw(), heldOut: draw() };
}

/** Σ x·xᵀ in float64. */
export function hessianOf({ columns }: Layer, x: Float32Array): Hessian {
  const data = new Float64Array(columns * columns);
  for (let t = 0; t < x.length; t += columns) {
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j <= i; j++) data[i * columns + j]! += x[t + i]! * x[t + j]!;
    }
  }
  for (let i = 0; i < columns; i++) for (let j = 0; j < i; j++) data[j * columns + i] = data[i * columns + j]!;
  return { columns, data };
}

/** tr(M·H·Mᵀ) of an N × K matrix. */
export function quadratic(matrix: ArrayLike<number>, { columns, data }: Hessian): number {
  let total = 0;
  for (let at = 0; at < matrix.length; at += columns) {
    for (let i = 0; i < columns; i++) {
      let inner = 0;
      for (let j = 0; j < columns; j++) inner += data[i * columns + j]! * matrix[at + j]!;
      total += matrix[at + i]! * inner;
    }
  }
  return total;
}

/** ‖X(W − Ŵ)ᵀ‖² / ‖XWᵀ‖² */
export function relativeError({ weights }: Layer, rebuilt: ArrayLike<number>, hessian: Hessian): number {
  return (
    quadratic(
      weights.map((w, i) => w - rebuilt[i]!),
      hessian,
    ) / quadratic(weights, hessian)
  );
}

/** What a result that is packed plain with unsigned codes stands for. */
export function rebuild(
  { codes, scales, zeroPoints, floatZeroPoints }: QuantizeResult,
  { rows, columns, bits, group }: { rows: number; columns: number; bits: number; group: number },
): Float64Array {
  const groups = Math.ceil(columns / group);
  const zeros = floatZeroPoints ?? zeroPoints;
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const g = Math.floor(i / columns) * groups + Math.floor((i % columns) / group);
    const code = (codes[Math.floor((i * bits) / 8)]! >> ((i * bits) % 8)) & (2 ** bits - 1);
    return (code - (zeros?.[g] ?? 2 ** (bits - 1))) * scales[g]!;
  });
}

/** The whole layer, 4 bits in groups of 64, codes in stored order. */
export const requestOf = ({ weights, rows, columns }: Layer, over: Partial<QuantizeRequest> = {}): QuantizeRequest => ({
  ...{ tensor: floatTensor(weights, [rows, columns]), rows, columns, order: 'rows', bits: 4, groupSize: 64 },
  ...{ symmetric: false, zero: 'unsigned', pack: 'plain', scaleRule: 'signed-max' },
  ...over,
});

export async function quantized(kernels: Kernels, layer: Layer, over: Partial<QuantizeRequest>) {
  const request = requestOf(layer, over);
  const result = await kernels.quantize(request);
  const { rows, columns, bits, groupSize } = request;
  return { result, rebuilt: rebuild(result, { rows, columns, bits, group: groupSize || columns }) };
}

/** Σ|w − ŵ|^norm */
export function lost({ weights }: Layer, rebuilt: Float64Array, norm: number): number {
  return weights.reduce((total, w, i) => total + Math.abs(w - rebuilt[i]!) ** norm, 0);
}

/** Lower Cholesky factor, float64, as in a textbook. */
function factor(matrix: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= out[i * n + k]! * out[j * n + k]!;
      out[i * n + j] = i === j ? Math.sqrt(sum) : sum / out[j * n + j]!;
    }
  }
  return out;
}

function inverseOf(matrix: Float64Array, n: number): Float64Array {
  const lower = factor(matrix, n);
  const out = new Float64Array(n * n);
  for (let c = 0; c < n; c++) {
    const y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let sum = i === c ? 1 : 0;
      for (let k = 0; k < i; k++) sum -= lower[i * n + k]! * y[k]!;
      y[i] = sum / lower[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = y[i]!;
      for (let k = i + 1; k < n; k++) sum -= lower[k * n + i]! * out[k * n + c]!;
      out[i * n + c] = sum / lower[i * n + i]!;
    }
  }
  return out;
}

/**
 * GPTQ by its paper (arXiv 2210.17323): H damped and inverted, the upper factor of the inverse, an update of all later columns after each one.
 * On the grid of `nearest`; float64. Answers the weights, and Σ((w − q)/U_ii)².
 */
export function paperGptq(
  { weights, rows, columns }: Layer,
  hessian: Hessian,
  nearest: { scales: Float32Array; zero: (group: number) => number; bits: number; group: number },
  { damping = 0.01, actOrder = true } = {},
): { rebuilt: Float64Array; loss: number } {
  const n = columns;
  const order = Array.from({ length: n }, (_, k) => k);
  if (actOrder) order.sort((a, b) => hessian.data[b * n + b]! - hessian.data[a * n + a]!);
  let mean = 0;
  for (let k = 0; k < n; k++) mean += hessian.data[k * n + k]! / n;
  const damped = Float64Array.from({ length: n * n }, (_, i) => {
    const [a, b] = [order[Math.floor(i / n)]!, order[i % n]!];
    return hessian.data[a * n + b]! + (a === b ? damping * mean : 0);
  });
  // The upper factor U of the inverse, inverse = Uᵀ·U.
  const lower = factor(inverseOf(damped, n), n);
  const groups = Math.ceil(n / nearest.group);
  const top = 2 ** nearest.bits - 1;
  const rebuilt = new Float64Array(rows * n);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const w = Float64Array.from(order, (k) => weights[row * n + k]!);
    for (let i = 0; i < n; i++) {
      const g = row * groups + Math.floor(order[i]! / nearest.group);
      const [scale, zero] = [nearest.scales[g]!, nearest.zero(g)];
      const code = scale === 0 ? zero : Math.max(0, Math.min(top, Math.round(w[i]! / scale) + zero));
      const q = (code - zero) * scale;
      rebuilt[row * n + order[i]!] = q;
      const e = (w[i]! - q) / lower[i * n + i]!;
      loss += e * e;
      for (let j = i; j < n; j++) w[j]! -= e * lower[j * n + i]!;
    }
  }
  return { rebuilt, loss };
}
