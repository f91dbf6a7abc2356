// Operators that move elements without computing: Reshape, Transpose, Concat, Slice and their like.
import { readInt, readIntList } from '../edit';
import type { Dim } from '../graph';
import { freedTarget } from './freed-target';
import {
  add,
  axisOf,
  broadcast,
  type Call,
  divide,
  type Known,
  known,
  multiply,
  numbers,
  openShape,
  product,
  quotient,
  type Rule,
  replaceAt,
} from './known';

/** Axes from the attribute (older opsets) or the input; null where they are computed or absent. */
export function axesOf(call: Call, input: number, attribute = 'axes'): number[] | null {
  return readIntList(call.node, attribute) ?? numbers(call.in(input).values);
}

function reshape(call: Call): Known {
  const { dtype, shape, values } = call.in(0);
  const given = readIntList(call.node, 'shape') ?? call.in(1).values;
  const follows = call.batch !== undefined && shape?.[0] === call.batch;
  const target = (follows ? freedTarget(shape, given) : null) ?? given;
  if (!target) {
    return known(dtype, openShape(call.in(1).shape?.[0]));
  }
  const keepsZero = readInt(call.node, 'allowzero', 0) === 0;
  const dims: Dim[] = target.map((dim, i) => (dim === 0 && keepsZero ? (shape?.[i] ?? null) : dim));
  const open = dims.indexOf(-1);
  if (open >= 0)
    dims[open] = shape
      ? quotient(
          shape,
          dims.filter((_, i) => i !== open),
        )
      : null;
  // One unknown size of the target is what the others leave over.
  const holes = dims.flatMap((dim, i) => (dim === null ? [i] : []));
  if (open < 0 && holes.length === 1 && shape) {
    dims[holes[0]!] = quotient(
      shape,
      dims.filter((_, i) => i !== holes[0]),
    );
  }
  return known(dtype, dims, values);
}

function transpose(call: Call): Known {
  const { dtype, shape, values } = call.in(0);
  if (!shape) return known(dtype, null);
  const perm = readIntList(call.node, 'perm') ?? shape.map((_, i) => shape.length - 1 - i);
  return known(
    dtype,
    perm.map((i) => shape[i] ?? null),
    shape.length < 2 ? values : undefined,
  );
}

function concat(call: Call): Known {
  const parts = call.node.inputs.map((_, i) => call.in(i));
  const dtype = parts.find((part) => part.dtype)?.dtype ?? null;
  const shapes = parts.map((part) => part.shape);
  const first = shapes.find((shape) => shape);
  const axis = first ? axisOf(readInt(call.node, 'axis', 1), first.length) : null;
  if (!first || axis === null) return known(dtype, null);
  let length: Dim = 0;
  for (const shape of shapes) length = shape ? add(length, shape[axis] ?? null) : null;
  const shape = first.map((dim, i) =>
    i === axis ? length : (shapes.find((s) => typeof s?.[i] === 'number')?.[i] ?? dim),
  );
  const values =
    first.length === 1 && parts.every((part) => part.values) ? parts.flatMap((part) => part.values!) : undefined;
  return known(dtype, shape, values);
}

function slice(call: Call): Known {
  const { dtype, shape, values } = call.in(0);
  if (!shape) return known(dtype, null);
  const inAttributes = readIntList(call.node, 'starts') !== null;
  const starts = readIntList(call.node, 'starts') ?? call.in(1).values;
  const ends = readIntList(call.node, 'ends') ?? call.in(2).values;
  const count = starts?.length ?? call.in(1).shape?.[0];
  const axes = axesOf(call, 3) ?? (call.has(3) ? null : (openShape(count)?.map((_, i) => i) ?? null));
  if (!axes)
    return known(
      dtype,
      shape.map(() => null),
    );
  const steps = inAttributes || !call.has(4) ? axes.map(() => 1) : call.in(4).values;
  const result: Dim[] = [...shape];
  for (const [i, raw] of axes.entries()) {
    const axis = axisOf(raw, shape.length);
    if (axis === null) return known(dtype, null);
    result[axis] = sliceLength(shape[axis]!, starts?.[i] ?? null, ends?.[i] ?? null, steps?.[i] ?? null);
  }
  const [start, end, step] = [starts?.[0], ends?.[0], steps?.[0]];
  const isFoldable =
    values && shape.length === 1 && axes.length === 1 && [start, end, step].every((x) => typeof x === 'number');
  return known(
    dtype,
    result,
    isFoldable ? sliceValues(values, start as number, end as number, step as number) : undefined,
  );
}

// Ends of 2^31 − 1 and 2^63 − 1 both mean "to the end".
const endless = 2 ** 31 - 1;

function sliceLength(size: Dim, start: Dim, end: Dim, step: Dim): Dim {
  if (typeof start !== 'number' || typeof step !== 'number' || step === 0) return null;
  if (typeof size === 'number' && typeof end === 'number') {
    const [from, to] = sliceRange(size, start, end, step);
    return Math.max(0, Math.ceil((to - from) / step));
  }
  if (step === 1 && start === 0) {
    if (typeof end === 'number' && end >= endless) return size;
    if (end !== null && end === size) return size;
    if (typeof end === 'string') return end;
  }
  if (step === -1 && start === -1 && typeof end === 'number' && end <= -endless) return size;
  // x[-n:] and x[n:-m] of a symbol stay open.
  return null;
}

function sliceRange(size: number, start: number, end: number, step: number): [number, number] {
  const wrap = (at: number): number => (at < 0 ? at + size : at);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (at: number): number => Math.min(Math.max(at, low), high);
  return [Math.min(Math.max(wrap(start), 0), step > 0 ? size : size - 1), clamp(end < 0 ? wrap(end) : end)];
}

function sliceValues(values: readonly Dim[], start: number, end: number, step: number): Dim[] {
  const [from, to] = sliceRange(values.length, start, end, step);
  const taken: Dim[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) taken.push(values[i] ?? null);
  return taken;
}

function squeeze(call: Call): Known {
  const { dtype, shape, values } = call.in(0);
  if (!shape) return known(dtype, null);
  const axes = axesOf(call, 1);
  if (!axes && (call.has(1) || shape.some((dim) => typeof dim !== 'number'))) return known(dtype, null);
  const gone = new Set(
    axes ? axes.map((axis) => axisOf(axis, shape.length)) : shape.flatMap((dim, i) => (dim === 1 ? [i] : [])),
  );
  return known(
    dtype,
    shape.filter((_, i) => !gone.has(i)),
    values,
  );
}

function unsqueeze(call: Call): Known {
  const { dtype, shape, values } = call.in(0);
  const axes = axesOf(call, 1);
  if (!shape || !axes) return known(dtype, null);
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisOf(axis, rank)));
  const rest = [...shape];
  return known(
    dtype,
    Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (rest.shift() ?? null))),
    values,
  );
}

function flatten(call: Call): Known {
  const { dtype, shape } = call.in(0);
  if (!shape) return known(dtype, [null, null]);
  const raw = readInt(call.node, 'axis', 1);
  const axis = raw < 0 ? raw + shape.length : raw;
  return known(dtype, [product(shape.slice(0, axis)), product(shape.slice(axis))]);
}

function split(call: Call): readonly Known[] {
  const { dtype, shape, values } = call.in(0);
  const count = call.node.outputs.length;
  const axis = shape ? axisOf(readInt(call.node, 'axis', 0), shape.length) : null;
  if (!shape || axis === null) return call.node.outputs.map(() => known(dtype, null));
  const size = shape[axis]!;
  const given = readIntList(call.node, 'split') ?? call.in(1).values;
  const each = divide(size, count, Math.ceil);
  let at = 0;
  return call.node.outputs.map((_, i) => {
    const isLast = i === count - 1 && typeof size === 'number' && typeof each === 'number';
    const length: Dim = given ? (given[i] ?? null) : call.has(1) ? null : isLast ? size - each * (count - 1) : each;
    const from = at;
    if (typeof length === 'number') at += length;
    const part =
      values && shape.length === 1 && typeof length === 'number' ? values.slice(from, from + length) : undefined;
    return known(dtype, replaceAt(shape, axis, length), part);
  });
}

function expand(call: Call): Known {
  const { dtype, shape, values } = call.in(0);
  const target = call.in(1).values;
  if (!target) return known(dtype, null);
  const result = broadcast([shape, target]);
  const count = result ? product(result) : null;
  const isFoldable = values?.length === 1 && result && result.length < 2 && typeof count === 'number' && count <= 256;
  return known(dtype, result, isFoldable ? Array.from({ length: count }, () => values[0]!) : undefined);
}

function tile(call: Call): Known {
  const { dtype, shape } = call.in(0);
  const repeats = call.in(1).values;
  return known(
    dtype,
    shape && (repeats ? shape.map((dim, i) => multiply(dim, repeats[i] ?? null)) : shape.map(() => null)),
  );
}

function pad(call: Call): Known {
  const { dtype, shape } = call.in(0);
  const pads = readIntList(call.node, 'pads') ?? readIntList(call.node, 'paddings') ?? numbers(call.in(1).values);
  if (!shape) return known(dtype, null);
  const axes = call.has(3) ? numbers(call.in(3).values) : shape.map((_, i) => i);
  if (!pads || !axes)
    return known(
      dtype,
      shape.map(() => null),
    );
  const result: Dim[] = [...shape];
  for (const [i, raw] of axes.entries()) {
    const axis = axisOf(raw, shape.length);
    if (axis !== null) result[axis] = add(shape[axis]!, (pads[i] ?? 0) + (pads[i + axes.length] ?? 0));
  }
  return known(dtype, result);
}

const blocks =
  (grow: boolean): Rule =>
  (call) => {
    const { dtype, shape } = call.in(0);
    if (shape?.length !== 4) return known(dtype, null);
    const size = readInt(call.node, 'blocksize', 1);
    const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim];
    return grow
      ? known(dtype, [n, divide(c, size * size), multiply(h, size), multiply(w, size)])
      : known(dtype, [n, multiply(c, size * size), divide(h, size), divide(w, size)]);
  };

export const movement: Record<string, Rule> = {
  Concat: concat,
  DepthToSpace: blocks(true),
  Expand: expand,
  Flatten: flatten,
  Pad: pad,
  Reshape: reshape,
  ReverseSequence: (call) => known(call.in(0).dtype, call.in(0).shape),
  Slice: slice,
  SpaceToDepth: blocks(false),
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
