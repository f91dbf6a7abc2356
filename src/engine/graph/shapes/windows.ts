// Convolutions, pooling and resizing: the arithmetic of windows over spatial axes.
import { readInt, readIntList, readString } from '../edit';
import type { DataType, Dim } from '../graph';
import { add, type Call, divide, type Known, known, multiply, numbers, type Rule } from './known';

interface Window {
  readonly kernel: readonly (number | null)[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Sum of both sides, per axis. */
  readonly pads: readonly number[];
  readonly auto: string;
}

function windowOf(call: Call, rank: number, kernel: readonly (number | null)[]): Window {
  const pads = readIntList(call.node, 'pads') ?? [];
  return {
    kernel,
    strides: readIntList(call.node, 'strides') ?? Array<number>(rank).fill(1),
    dilations: readIntList(call.node, 'dilations') ?? Array<number>(rank).fill(1),
    pads: Array.from({ length: rank }, (_, i) => (pads[i] ?? 0) + (pads[i + rank] ?? 0)),
    auto: readString(call.node, 'auto_pad', 'NOTSET'),
  };
}

/** floor((in + pads − ((k − 1)·dilation + 1)) / stride) + 1, or what `auto_pad` fixes; ceil where pooling asks for it. */
function outputSize(size: Dim, i: number, window: Window, isCeil: boolean): Dim {
  const { kernel, strides, dilations, pads, auto } = window;
  const stride = strides[i]!;
  if (auto.startsWith('SAME')) return divide(size, stride, Math.ceil);
  const width = kernel[i];
  if (width === null || width === undefined) return null;
  const reach = (width - 1) * dilations[i]! + 1;
  const padding = auto === 'VALID' ? 0 : pads[i]!;
  if (typeof size !== 'number') return stride === 1 && padding === reach - 1 ? size : null;
  const steps = (size + padding - reach) / stride;
  if (!isCeil) return Math.floor(steps) + 1;
  const count = Math.ceil(steps) + 1;
  // A window that would start in the padding at the end is not taken.
  const before = auto === 'VALID' ? 0 : padding / 2;
  return (count - 1) * stride >= size + before ? count - 1 : count;
}

const conv =
  (x: number, w: number, output?: (call: Call) => DataType | null): Rule =>
  (call) => {
    const { dtype, shape } = call.in(x);
    const weight = call.in(w).shape;
    const type = output ? output(call) : dtype;
    if (!shape || shape.length < 3) return known(type, null);
    const rank = shape.length - 2;
    const kernel = readIntList(call.node, 'kernel_shape') ?? sizes(weight?.slice(2), rank);
    const window = windowOf(call, rank, kernel);
    const spatial = shape.slice(2).map((size, i) => outputSize(size, i, window, false));
    return known(type, [shape[0]!, weight?.[0] ?? null, ...spatial]);
  };

function sizes(dims: readonly Dim[] | undefined, rank: number): (number | null)[] {
  return Array.from({ length: rank }, (_, i) => (typeof dims?.[i] === 'number' ? (dims[i] as number) : null));
}

function convTranspose(call: Call): Known {
  const { dtype, shape } = call.in(0);
  const weight = call.in(1).shape;
  if (!shape || shape.length < 3) return known(dtype, null);
  const rank = shape.length - 2;
  const window = windowOf(call, rank, readIntList(call.node, 'kernel_shape') ?? sizes(weight?.slice(2), rank));
  const fixed = readIntList(call.node, 'output_shape');
  const extra = readIntList(call.node, 'output_padding') ?? [];
  const spatial = shape.slice(2).map((size, i) => {
    if (fixed) return fixed[fixed.length - rank + i] ?? null;
    const stride = window.strides[i]!;
    if (window.auto.startsWith('SAME')) return multiply(size, stride);
    const width = window.kernel[i];
    if (width === null || width === undefined) return null;
    // stride·(in − 1) + output_padding + ((k − 1)·dilation + 1) − pads
    const rest =
      (extra[i] ?? 0) + (width - 1) * window.dilations[i]! + 1 - (window.auto === 'VALID' ? 0 : window.pads[i]!);
    return add(multiply(size, stride), rest - stride);
  });
  return known(dtype, [shape[0]!, multiply(weight?.[1] ?? null, readInt(call.node, 'group', 1)), ...spatial]);
}

function pool(call: Call): readonly Known[] {
  const { dtype, shape } = call.in(0);
  const kernel = readIntList(call.node, 'kernel_shape');
  if (!shape || shape.length < 3 || !kernel) return [known(dtype, null), known('int64', null)];
  const window = windowOf(call, shape.length - 2, kernel);
  const isCeil = readInt(call.node, 'ceil_mode', 0) !== 0;
  const result = [...shape.slice(0, 2), ...shape.slice(2).map((size, i) => outputSize(size, i, window, isCeil))];
  return [known(dtype, result), known('int64', result)];
}

/** Resize (roi, scales, sizes) and the older forms with scales alone. */
function resize(call: Call): Known {
  const { dtype, shape } = call.in(0);
  if (!shape) return known(dtype, null);
  const isOld = call.node.op === 'Upsample' || call.node.inputs.length === 2;
  const axes =
    readIntList(call.node, 'axes')?.map((axis) => (axis < 0 ? axis + shape.length : axis)) ?? shape.map((_, i) => i);
  const scales = numbers(isOld ? call.in(1).values : call.in(2).values);
  const targets = isOld ? undefined : call.in(3).values;
  const policy = readString(call.node, 'keep_aspect_ratio_policy', 'stretch');
  const result: Dim[] = [...shape];
  for (const [i, axis] of axes.entries()) {
    if (targets?.length) result[axis] = policy === 'stretch' ? (targets[i] ?? null) : null;
    else if (scales?.length) result[axis] = scaled(shape[axis]!, scales[i]!);
    else result[axis] = null;
  }
  return known(dtype, result);
}

function scaled(size: Dim, scale: number): Dim {
  if (scale === 1) return size;
  return typeof size === 'number' ? Math.floor(size * scale) : null;
}

function maxUnpool(call: Call): Known {
  const { dtype, shape } = call.in(0);
  if (call.has(2)) return known(dtype, call.in(2).values ?? null);
  const kernel = readIntList(call.node, 'kernel_shape');
  if (!shape || !kernel) return known(dtype, null);
  const window = windowOf(call, kernel.length, kernel);
  const spatial = shape.slice(2).map((size, i) => {
    const rest = kernel[i]! - window.strides[i]! - window.pads[i]!;
    return add(multiply(size, window.strides[i]!), rest);
  });
  return known(dtype, [...shape.slice(0, 2), ...spatial]);
}

export const windows: Record<string, Rule> = {
  AveragePool: pool,
  Conv: conv(0, 1),
  ConvInteger: conv(0, 1, () => 'int32'),
  ConvTranspose: convTranspose,
  DeformConv: conv(0, 1),
  GridSample: (call) => {
    const { dtype, shape } = call.in(0);
    const grid = call.in(1).shape;
    return known(dtype, shape && grid ? [...shape.slice(0, 2), ...grid.slice(1, -1)] : null);
  },
  LpPool: pool,
  MaxPool: pool,
  MaxUnpool: maxUnpool,
  QLinearConv: conv(0, 3, (call) => call.in(7).dtype),
  Resize: resize,
  RoiAlign: (call) => {
    const size = (name: string): number => readInt(call.node, name, 1);
    const rois = call.in(1).shape?.[0] ?? null;
    return known(call.in(0).dtype, [rois, call.in(0).shape?.[1] ?? null, size('output_height'), size('output_width')]);
  },
  Upsample: resize,
};

export { conv };
