// Gradients of Resize: interpolation is linear, along each axis a matrix, and the gradient goes back through its transpose.
import { refuse } from '../../../contract/words/refusal';
import { readInt, readIntList, readString } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { matMul, reshape, transpose } from '../emit';
import type { Rule, Tape } from '../tape';

/** y along one axis = x · M, M [in, out]; each column holds the weights of one output element. */
export interface AxisMatrix {
  readonly input: number;
  readonly output: number;
  readonly values: Float32Array;
}

export const resize: Rule = (tape, node, [g]) => {
  const [x] = node.inputs as [string];
  const from = tape.known(x).dims;
  const to = tape.known(g!).dims;
  const scales = scalesOf(tape, node, from, to);
  const factors = wholeTiles(node, from, to, scales);
  if (factors) return [tileSums(tape, g!, factors, x)];
  let back = g!;
  for (const [axis, size] of from.entries()) {
    if (size === to[axis] && scales[axis] === 1) continue;
    back = alongAxis(tape, back, axis, axisMatrix(node, { input: size, output: to[axis]!, scale: scales[axis]! }));
  }
  return [back];
};

/** Output size over input size of each axis, as the coordinates are computed with. */
function scalesOf(tape: Tape, node: Node, from: readonly number[], to: readonly number[]): number[] {
  const axes =
    readIntList(node, 'axes')?.map((axis) => (axis < 0 ? axis + from.length : axis)) ?? from.map((_, i) => i);
  const given = tape.constant(node.inputs[2]);
  const bySizes = from.map((size, i) => to[i]! / size);
  if (!given || given.length === 0) {
    if (readString(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch')
      refuse('unsupported', 'A Resize that keeps the aspect ratio has no gradient rule.', 'Give it sizes that fit.');
    return bySizes;
  }
  return from.map((_, i) => (axes.includes(i) ? given[axes.indexOf(i)]! : 1));
}

/** Whole factors of a nearest-neighbour enlargement whose every input element becomes one tile of [N, C, H, W]; else null. */
function wholeTiles(
  node: Node,
  from: readonly number[],
  to: readonly number[],
  scales: readonly number[],
): number[] | null {
  if (from.length !== 4 || readString(node, 'mode', 'nearest') !== 'nearest') return null;
  if (to[0] !== from[0] || to[1] !== from[1]) return null;
  const factors = [to[2]! / from[2]!, to[3]! / from[3]!];
  if (!factors.every((factor, i) => Number.isInteger(factor) && scales[i + 2] === factor)) return null;
  const isTiled = [2, 3].every((axis) => {
    const matrix = axisMatrix(node, { input: from[axis]!, output: to[axis]!, scale: scales[axis]! });
    return Array.from({ length: matrix.output }).every(
      (_, i) => matrix.values[Math.floor(i / factors[axis - 2]!) * matrix.output + i] === 1,
    );
  });
  return isTiled ? factors : null;
}

function tileSums(tape: Tape, g: string, factors: readonly number[], x: string): string {
  const mean = tape.emit('AveragePool', [g], tape.known(x), { kernel_shape: factors, strides: factors });
  const size = tape.scalar(elementCount(factors), tape.known(x).dtype);
  return tape.emit('Mul', [mean, size], tape.known(x));
}

/** g with one axis brought back from `output` to `input` elements. */
function alongAxis(tape: Tape, g: string, axis: number, { input, output, values }: AxisMatrix): string {
  const { dtype, dims } = tape.known(g);
  const last = dims.length - 1;
  const before = elementCount(dims.slice(0, axis));
  const after = elementCount(dims.slice(axis + 1));
  const result = dims.map((dim, i) => (i === axis ? input : dim));
  const matrix = tape.floats([input, output], values, dtype);
  if (axis === last) {
    const back = matMul(tape, reshape(tape, g, [before, output]), transpose(tape, matrix, [1, 0]));
    return reshape(tape, back, result);
  }
  // [in, out] · [before, out, after]
  return reshape(tape, matMul(tape, matrix, reshape(tape, g, [before, output, after])), result);
}

/** The weights by which one axis is resampled, as ONNX defines them. */
export function axisMatrix(node: Node, sizes: { input: number; output: number; scale: number }): AxisMatrix {
  const { input, output } = sizes;
  const mode = readString(node, 'mode', 'nearest');
  const values = new Float32Array(input * output);
  const place = coordinates(node, sizes);
  if (readInt(node, 'antialias', 0) === 1)
    refuse('unsupported', 'A Resize with antialiasing has no gradient rule.', 'Export it without antialias.');
  for (let i = 0; i < output; i++) {
    const at = place(i);
    if (mode === 'nearest') {
      const index = Math.min(Math.max(nearest(node, at), 0), input - 1);
      values[index * output + i] = 1;
    } else if (mode === 'linear') {
      for (const [index, weight] of linearWeights(at, input)) values[index * output + i]! += weight;
    } else {
      refuse('unsupported', `A Resize of mode "${mode}" has no gradient rule.`, 'Use linear or nearest.');
    }
  }
  return { input, output, values };
}

function coordinates(node: Node, sizes: { input: number; output: number; scale: number }): (i: number) => number {
  const { input, output, scale } = sizes;
  const mode = readString(node, 'coordinate_transformation_mode', 'half_pixel');
  switch (mode) {
    case 'half_pixel':
      return (i) => (i + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric': {
      const adjustment = output / (scale * input);
      const offset = (input / 2) * (1 - adjustment);
      return (i) => offset + (i + 0.5) / scale - 0.5;
    }
    case 'pytorch_half_pixel':
      return (i) => (output > 1 ? (i + 0.5) / scale - 0.5 : 0);
    case 'align_corners':
      return (i) => (output > 1 ? (i * (input - 1)) / (output - 1) : 0);
    case 'asymmetric':
      return (i) => i / scale;
    default:
      return refuse('unsupported', `A Resize with coordinates "${mode}" has no gradient rule.`);
  }
}

function nearest(node: Node, at: number): number {
  switch (readString(node, 'nearest_mode', 'round_prefer_floor')) {
    case 'floor':
      return Math.floor(at);
    case 'ceil':
      return Math.ceil(at);
    case 'round_prefer_ceil':
      return Math.floor(at + 0.5);
    default:
      return Math.ceil(at - 0.5);
  }
}

/** Two neighbours; beyond the ends the edge alone. */
function linearWeights(at: number, input: number): [number, number][] {
  const inside = Math.min(Math.max(at, 0), input - 1);
  const low = Math.floor(inside);
  const part = inside - low;
  return part === 0
    ? [[low, 1]]
    : [
        [low, 1 - part],
        [low + 1, part],
      ];
}
