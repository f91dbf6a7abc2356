// Operators that onnxruntime has no float64 kernel of, in plain float64: what finite differences are taken of.
import { readFloat, readString } from '../../src/engine/graph/edit';
import type { Node } from '../../src/engine/graph/graph';

/** Abramowitz and Stegun 7.1.5 and its complement by continued fraction: exact to float64 where gradients are checked. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 3) {
    // erf x = 2/√π · Σ (−1)ⁿ x^(2n+1) / (n!·(2n+1))
    let term = x;
    let total = x;
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (size + fraction));
}

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

type Function = (x: number, node: Node) => number;

const functions: Readonly<Record<string, Function>> = {
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  Cosh: Math.cosh,
  Erf: erf,
  Sinh: Math.sinh,
  Tan: Math.tan,
  Celu: (x, node) => {
    const alpha = readFloat(node, 'alpha', 1);
    return Math.max(0, x) + Math.min(0, alpha * (Math.exp(x / alpha) - 1));
  },
  Elu: (x, node) => (x > 0 ? x : readFloat(node, 'alpha', 1) * (Math.exp(x) - 1)),
  Gelu: (x, node) =>
    readString(node, 'approximate', 'none') === 'tanh'
      ? (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x / 2) * (1 + erf(x * Math.SQRT1_2)),
  HardSigmoid: (x, node) => Math.max(0, Math.min(1, readFloat(node, 'alpha', 0.2) * x + readFloat(node, 'beta', 0.5))),
  HardSwish: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  LeakyRelu: (x, node) => (x > 0 ? x : readFloat(node, 'alpha', 0.01) * x),
  Mish: (x) => x * Math.tanh(softplus(x)),
  Selu: (x, node) => {
    const alpha = readFloat(node, 'alpha', 1.6732631921768188);
    return readFloat(node, 'gamma', 1.0507010221481323) * (x > 0 ? x : alpha * (Math.exp(x) - 1));
  },
  Shrink: (x, node) => {
    const bias = readFloat(node, 'bias', 0);
    return Math.abs(x) <= readFloat(node, 'lambd', 0.5) ? 0 : x - Math.sign(x) * bias;
  },
  Softplus: softplus,
  Softsign: (x) => x / (1 + Math.abs(x)),
  Swish: (x, node) => x / (1 + Math.exp(-readFloat(node, 'alpha', 1) * x)),
  ThresholdedRelu: (x, node) => (x > readFloat(node, 'alpha', 1) ? x : 0),
};

export interface Doubles {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** What a node of one of these operators makes; null where it is none of them. */
export function forward(node: Node, inputs: readonly Doubles[]): Doubles | null {
  const [x] = inputs as [Doubles];
  const compute = functions[node.op];
  if (compute) return { dims: x.dims, data: x.data.map((value) => compute(value, node)) };
  if (node.op === 'PRelu') {
    const [, slope] = inputs as [Doubles, Doubles];
    return { dims: x.dims, data: x.data.map((value, i) => (value > 0 ? value : value * at(slope, x.dims, i))) };
  }
  if (node.op === 'Mean') {
    const rank = Math.max(...inputs.map(({ dims }) => dims.length));
    const dims = Array.from({ length: rank }, (_, i) =>
      Math.max(...inputs.map((input) => input.dims[i - rank + input.dims.length] ?? 1)),
    );
    const count = dims.reduce((a, b) => a * b, 1);
    const data = Float64Array.from({ length: count }, (_, i) =>
      inputs.reduce((total, input) => total + at(input, dims, i) / inputs.length, 0),
    );
    return { dims, data };
  }
  return null;
}

/** The element that broadcasting to `dims` puts at flat place `index`. */
function at({ dims, data }: Doubles, wide: readonly number[], index: number): number {
  let left = index;
  let place = 0;
  let stride = 1;
  for (let i = wide.length - 1; i >= 0; i--) {
    const own = dims[i - wide.length + dims.length] ?? 1;
    if (own > 1) place += (left % wide[i]!) * stride;
    stride *= own;
    left = Math.floor(left / wide[i]!);
  }
  return data[place]!;
}
