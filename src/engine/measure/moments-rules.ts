// The rules of moments: one function per operator that computes.
import { readFloat, readInt } from '../graph/edit';
import { elementCount, type Node, type Tensor } from '../graph/graph';
import type { Shapes } from '../graph/shapes';
import { readFloats } from '../graph/tensor';
import { clipped, density } from './moments-normal';
import { along, at, type Moments, spread, together, widened } from './moments-values';

export interface Step {
  readonly node: Node;
  readonly known: ReadonlyMap<string, Moments>;
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly shapes: Shapes;
}

/**
 * y_m = Σ w·x + b: mean Σ w·μ + b. Variance Σ w²·σ² where neighbours are independent, Σ (Σ_t w)²·σ² where they are alike: pictures lie
 * between, and the larger counts, so that no range is too small. Padding is left out of account: it is what the middle of the
 * picture sees.
 */
export async function convolved({ node, constants }: Step, given: Moments): Promise<Moments | null> {
  const weight = constants.get(node.inputs[1]!);
  if (!weight) return null;
  const input = along(given, 1);
  const bias = await constantFloats(constants, node.inputs[2]);
  if (bias === null) return null;
  const [rows, columns] = weight.dims as [number, number];
  const taps = elementCount(weight.dims.slice(2));
  const perGroup = rows / readInt(node, 'group', 1);
  const values = await readFloats(weight);
  const mean = new Float64Array(rows);
  const variance = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / perGroup) * columns;
    let sum = bias.length > 0 ? bias[row]! : 0;
    let [apart, alike] = [0, 0];
    for (let c = 0; c < columns; c++) {
      const [m, v] = [at(input.mean, first + c), at(input.variance, first + c)];
      let [whole, squares] = [0, 0];
      for (let t = 0; t < taps; t++) {
        const w = values[(row * columns + c) * taps + t]!;
        whole += w;
        squares += w * w;
      }
      sum += whole * m;
      apart += squares * v;
      alike += whole * whole * v;
    }
    mean[row] = sum;
    variance[row] = Math.max(apart, alike);
  }
  return spread(1, mean, variance);
}

export async function multiplied({ node, constants, shapes }: Step, given: Moments): Promise<Moments | null> {
  const weight = constants.get(node.inputs[1]!);
  const rank = shapes.get(node.inputs[0]!)?.shape?.length;
  if (weight?.dims.length !== 2 || rank === undefined || readInt(node, 'transA', 0) !== 0) return null;
  const input = along(given, rank - 1);
  const isGemm = node.op === 'Gemm';
  const turned = isGemm && readInt(node, 'transB', 0) === 1;
  const [n, k] = (turned ? weight.dims : weight.dims.toReversed()) as [number, number];
  const bias = isGemm ? await constantFloats(constants, node.inputs[2]) : new Float32Array(0);
  if (bias === null) return null;
  const [alpha, beta] = isGemm ? [readFloat(node, 'alpha', 1), readFloat(node, 'beta', 1)] : [1, 1];
  const values = await readFloats(weight);
  const mean = new Float64Array(n);
  const variance = new Float64Array(n);
  for (let i = 0; i < values.length; i++) {
    const [row, column] = turned ? [Math.floor(i / k), i % k] : [i % n, Math.floor(i / n)];
    const w = alpha * values[i]!;
    mean[row] = mean[row]! + w * at(input.mean, column);
    variance[row] = variance[row]! + w * w * at(input.variance, column);
  }
  if (bias.length > 0)
    for (let row = 0; row < n; row++) mean[row] = mean[row]! + beta * bias[bias.length === n ? row : 0]!;
  return spread(rank - 1, mean, variance);
}

/** γ and β are the deviation and the mean of what leaves it, whatever comes in. */
export async function normalised({ node, constants }: Step): Promise<Moments | null> {
  const scale = await constantFloats(constants, node.inputs[1]);
  const shift = await constantFloats(constants, node.inputs[2]);
  if (!scale?.length || !shift?.length) return null;
  return spread(
    1,
    Float64Array.from(shift),
    Float64Array.from(scale, (gamma) => gamma * gamma),
  );
}

export function cut(given: Moments, low: number, high: number): Moments {
  const parts = Array.from(given.mean, (mean, i) => clipped(mean, given.variance[i]!, low, high));
  const bound = (value: number): number => Math.min(high, Math.max(low, value));
  return {
    axis: given.axis,
    mean: Float64Array.from(parts, ({ mean }) => mean),
    variance: Float64Array.from(parts, ({ variance }) => variance),
    low: given.low.map(bound),
    high: given.high.map(bound),
  };
}

const quadrature = 256;

/** A rising function of a normal variable, by the midpoint rule over eight deviations either way. */
export function through(given: Moments, of: (x: number) => number): Moments {
  const step = 16 / quadrature;
  const mean = new Float64Array(given.mean.length);
  const variance = new Float64Array(given.mean.length);
  for (let i = 0; i < mean.length; i++) {
    const deviation = Math.sqrt(given.variance[i]!);
    let [sum, square, weight] = [0, 0, 0];
    for (let n = 0; n < quadrature; n++) {
      const z = -8 + (n + 0.5) * step;
      const share = density(z);
      const value = of(given.mean[i]! + deviation * z);
      sum += share * value;
      square += share * value * value;
      weight += share;
    }
    mean[i] = sum / weight;
    variance[i] = Math.max(0, square / weight - mean[i]! ** 2);
  }
  return { axis: given.axis, mean, variance, low: given.low.map(of), high: given.high.map(of) };
}

export async function clippedBy({ node, constants }: Step, given: Moments): Promise<Moments | null> {
  const low = await constantFloats(constants, node.inputs[1]);
  const high = await constantFloats(constants, node.inputs[2]);
  return low && high ? cut(given, low[0] ?? -Infinity, high[0] ?? Infinity) : null;
}

/** Two values, taken to be independent; or one value and a constant, one number or one per channel. */
export async function arithmetic({ node, known, constants, shapes }: Step): Promise<Moments | null> {
  const [left, right] = node.inputs as [string, string];
  const [a, b] = [known.get(left), known.get(right)];
  if (a && b) {
    if (node.op === 'Div') return null;
    const [one, two] = together(a, b);
    if (node.op === 'Mul')
      return spread(
        one.axis,
        one.mean.map((mean, i) => mean * two.mean[i]!),
        one.variance.map((v, i) => v * two.variance[i]! + v * two.mean[i]! ** 2 + two.variance[i]! * one.mean[i]! ** 2),
      );
    const sign = node.op === 'Add' ? 1 : -1;
    return spread(
      one.axis,
      one.mean.map((mean, i) => mean + sign * two.mean[i]!),
      one.variance.map((variance, i) => variance + two.variance[i]!),
    );
  }
  const given = a ?? b;
  const tensor = constants.get(a ? right : left);
  const rank = shapes.get(node.outputs[0]!)?.shape?.length;
  if (!given || tensor?.dtype !== 'float32' || rank === undefined) return null;
  if (!a && (node.op === 'Div' || node.op === 'Sub')) return null;
  const long = tensor.dims.findIndex((dim) => dim !== 1);
  const axis = long < 0 ? null : long + rank - tensor.dims.length;
  if (tensor.dims.some((dim, i) => i > long && dim !== 1 && long >= 0)) return null;
  const values = await readFloats(tensor);
  const near = axis === null ? given : along(given, axis);
  const wide = widened(near, axis ?? near.axis, values.length > 1 ? values.length : near.mean.length);
  const scale = (i: number): number => {
    const value = values[values.length === 1 ? 0 : i]!;
    return node.op === 'Mul' ? value : node.op === 'Div' ? 1 / value : 1;
  };
  const shift = (i: number): number => {
    const value = values[values.length === 1 ? 0 : i]!;
    return node.op === 'Add' ? value : node.op === 'Sub' ? -value : 0;
  };
  const moved = (list: Float64Array) => list.map((one, i) => one * scale(i) + shift(i));
  const [one, two] = [moved(wide.low), moved(wide.high)];
  return {
    axis: wide.axis,
    mean: moved(wide.mean),
    variance: wide.variance.map((one, i) => one * scale(i) ** 2),
    low: one.map((value, i) => Math.min(value, two[i]!)),
    high: one.map((value, i) => Math.max(value, two[i]!)),
  };
}

/**
 * The largest of a window whose neighbours are alike counts as the larger of two independent ones: E = μ + σ/√π. The variance is kept.
 */
export function largest(given: Moments): Moments {
  return { ...given, mean: given.mean.map((mean, i) => mean + Math.sqrt(given.variance[i]! / Math.PI)) };
}

/** Empty where the input is absent; null where it is computed. */
async function constantFloats(
  constants: ReadonlyMap<string, Tensor>,
  name: string | undefined,
): Promise<Float32Array | null> {
  if (!name) return new Float32Array(0);
  const tensor = constants.get(name);
  return tensor ? readFloats(tensor) : null;
}
