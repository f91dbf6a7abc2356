// How much of a small error in each channel of a value arrives at the model's outputs, from the weights alone: squared gains, walked
// backwards. Errors that differ from place to place (`varying`) and those that are the same everywhere (`constant`) add up differently:
//   Σ over outputs of  Σ_t w_t² · gain   and   (Σ_t w_t)² · gain   for the taps t of a convolution.
import { readInt, readIntList } from '../graph/edit';
import { elementCount, type Graph, type Node, type Tensor } from '../graph/graph';
import type { Shapes } from '../graph/shapes';
import { readFloats } from '../graph/tensor';
import { constantTensor } from '../graph/walk';
import { reshaped } from './moments-moves';

/** Error energy at the outputs for each unit of it at the value. Where `axis` is null one entry holds for every channel. */
export interface Gains {
  readonly axis: number | null;
  readonly varying: Float64Array;
  readonly constant: Float64Array;
}

const even: Gains = { axis: null, varying: Float64Array.of(1), constant: Float64Array.of(1) };
/** Half of what goes through a ReLU is zero. */
const rectifying = new Set(['Relu', 'LeakyRelu', 'PRelu', 'Clip']);
const passing = new Set(['Identity', 'Dropout', 'Add', 'Sub']);
const moving = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** For every value. What operators without a rule use counts as an output: 1 in every channel. */
export async function gainsOf(graph: Graph, shapes: Shapes): Promise<ReadonlyMap<string, Gains>> {
  const gains = new Map<string, Gains>(graph.outputs.map(({ name }) => [name, even]));
  const constants = new Map<string, Tensor>(graph.initializers);
  for (const node of graph.nodes) {
    const tensor = constantTensor(node);
    if (tensor) constants.set(node.outputs[0]!, tensor);
  }
  const walk: Walk = { shapes, constants };
  for (const node of graph.nodes.toReversed()) {
    const given = gains.get(node.outputs[0]!) ?? even;
    for (const [i, name] of node.inputs.entries()) {
      if (name === '' || constants.has(name)) continue;
      const found = (await before(walk, node, i, given)) ?? even;
      const known = gains.get(name);
      gains.set(name, known ? sum(known, found) : found);
    }
  }
  return gains;
}

/** Gains of the channels along an axis; where they are known along another, their mean. */
export function alongAxis({ axis, varying, constant }: Gains, wanted: number): Gains {
  if (axis === null || axis === wanted) return { axis: wanted, varying, constant };
  const mean = (values: Float64Array) => Float64Array.of(values.reduce((a, b) => a + b, 0) / values.length);
  return { axis: wanted, varying: mean(varying), constant: mean(constant) };
}

interface Walk {
  readonly shapes: Shapes;
  readonly constants: ReadonlyMap<string, Tensor>;
}

async function before({ shapes, constants }: Walk, node: Node, input: number, given: Gains): Promise<Gains | null> {
  if (node.domain !== '') return null;
  const [from, to] = [shapes.get(node.inputs[input]!)?.shape, shapes.get(node.outputs[0]!)?.shape];
  if (passing.has(node.op)) return given;
  if (rectifying.has(node.op)) return input === 0 ? scaled(given, 0.5, 0.5) : null;
  if (!from || !to) return null;
  const share = placesOf(to) / placesOf(from);
  if (node.op === 'Conv') {
    const weight = constants.get(node.inputs[1]!);
    return weight && input === 0 ? convolved(node, weight, alongAxis(given, 1), share) : null;
  }
  if (node.op === 'MatMul' || node.op === 'Gemm') {
    const weight = constants.get(node.inputs[1]!);
    if (weight?.dims.length !== 2 || input !== 0 || readInt(node, 'transA', 0) !== 0) return null;
    return multiplied(node, weight, alongAxis(given, to.length - 1), from.length - 1);
  }
  // Windows that do not overlap: one error in each goes on, or the mean of all.
  if (node.op === 'MaxPool') return scaled(given, share, 1);
  if (node.op === 'AveragePool' || node.op === 'GlobalAveragePool') return scaled(given, share * share, share);
  if (node.op === 'Concat') return sliced(node, input, given, shapes);
  if (given.axis === null) return moving.has(node.op) || node.op === 'Transpose' ? given : null;
  if (node.op === 'Transpose') {
    const perm = readIntList(node, 'perm') ?? from.map((_, i) => from.length - 1 - i);
    return { ...given, axis: perm[given.axis]! };
  }
  return moving.has(node.op) && input === 0 ? unshaped(given, from, to) : null;
}

/** Pictures have places; what has no height and width has one. */
function placesOf(shape: readonly unknown[]): number {
  return shape.slice(2).reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1);
}

async function convolved(node: Node, weight: Tensor, given: Gains, share: number): Promise<Gains> {
  const [rows, columns] = weight.dims as [number, number];
  const groups = readInt(node, 'group', 1);
  const taps = elementCount(weight.dims.slice(2));
  const values = await readFloats(weight);
  const varying = new Float64Array(columns * groups);
  const constant = new Float64Array(columns * groups);
  for (let row = 0; row < rows; row++) {
    const first = Math.floor((row * groups) / rows) * columns;
    const [one, other] = [at(given.varying, row), at(given.constant, row)];
    for (let c = 0; c < columns; c++) {
      let squares = 0;
      let whole = 0;
      for (let t = 0; t < taps; t++) {
        const w = values[(row * columns + c) * taps + t]!;
        squares += w * w;
        whole += w;
      }
      varying[first + c]! += one * squares * share;
      constant[first + c]! += other * whole * whole * share;
    }
  }
  return { axis: 1, varying, constant };
}

async function multiplied(node: Node, weight: Tensor, given: Gains, axis: number): Promise<Gains> {
  const isTurned = node.op === 'Gemm' && readInt(node, 'transB', 0) === 1;
  const [n, k] = (isTurned ? weight.dims : weight.dims.toReversed()) as [number, number];
  const values = await readFloats(weight);
  const varying = new Float64Array(k);
  const constant = new Float64Array(k);
  for (let i = 0; i < values.length; i++) {
    const [row, column] = isTurned ? [Math.floor(i / k), i % k] : [i % n, Math.floor(i / n)];
    const square = values[i]! ** 2;
    varying[column]! += square * at(given.varying, row);
    constant[column]! += square * at(given.constant, row);
  }
  return { axis, varying, constant };
}

function sliced(node: Node, input: number, given: Gains, shapes: Shapes): Gains | null {
  if (given.axis === null) return given;
  const sizes = node.inputs.map((name) => {
    const shape = shapes.get(name)?.shape;
    const axis = readInt(node, 'axis', 0);
    return shape && given.axis === (axis < 0 ? axis + shape.length : axis) ? shape[given.axis] : null;
  });
  if (!sizes.every((size) => typeof size === 'number')) return null;
  const start = sizes.slice(0, input).reduce((a, b) => a + b, 0);
  const cut = (values: Float64Array) => values.slice(start, start + sizes[input]!);
  return { axis: given.axis, varying: cut(given.varying), constant: cut(given.constant) };
}

/** Which channel each index behind a reshape was of; its gain is the mean of theirs. */
function unshaped(given: Gains, from: readonly unknown[], to: readonly unknown[]): Gains | null {
  for (const axis of [1, from.length - 1]) {
    const channels = from[axis];
    if (typeof channels !== 'number') continue;
    const numbers = Float64Array.from({ length: channels }, (_, i) => i);
    const moved = reshaped({ axis, mean: numbers, variance: numbers, low: numbers, high: numbers }, from, to);
    if (moved?.axis !== given.axis || moved.mean.length !== given.varying.length) continue;
    const varying = new Float64Array(channels);
    const constant = new Float64Array(channels);
    const share = channels / moved.mean.length;
    for (const [i, channel] of moved.mean.entries()) {
      varying[channel]! += given.varying[i]! * share;
      constant[channel]! += given.constant[i]! * share;
    }
    return { axis, varying, constant };
  }
  return null;
}

const at = (values: Float64Array, i: number): number => values[values.length === 1 ? 0 : i]!;

function scaled({ axis, varying, constant }: Gains, one: number, other: number): Gains {
  return { axis, varying: varying.map((value) => value * one), constant: constant.map((value) => value * other) };
}

function sum(a: Gains, b: Gains): Gains {
  const axis = a.axis ?? b.axis;
  const [one, two] = axis === null ? [a, b] : [alongAxis(a, axis), alongAxis(b, axis)];
  const add = (left: Float64Array, right: Float64Array) =>
    Float64Array.from({ length: Math.max(left.length, right.length) }, (_, i) => at(left, i) + at(right, i));
  return { axis, varying: add(one.varying, two.varying), constant: add(one.constant, two.constant) };
}
