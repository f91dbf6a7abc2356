// Shorthand for what rules write most: the operator, and the shape that follows from its inputs.
import { refuse } from '../../contract/words/refusal';
import { type DataType, dataTypes, elementCount, type Node } from '../graph/graph';
import type { Tape } from './tape';

/** Shape of a numpy broadcast. The forward graph was checked by the runtime: sizes that do not fit do not occur. */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.reduce((dim, dims) => {
      const own = dims[i - rank + dims.length] ?? 1;
      return own === 1 ? dim : own;
    }, 1),
  );
}

/** All axes as non-negative numbers. */
export const axesFrom = (axes: readonly number[], rank: number): number[] =>
  axes.map((axis) => (axis < 0 ? axis + rank : axis));

export const isFloat = (dtype: DataType | null | undefined): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';

/** An operator that works element by element and keeps the type. */
export function unary(tape: Tape, op: string, x: string): string {
  return tape.emit(op, [x], tape.known(x));
}

function broadcasting(tape: Tape, op: string, a: string, b: string): string {
  const left = tape.known(a);
  return tape.emit(op, [a, b], { dtype: left.dtype, dims: broadcastDims(left.dims, tape.known(b).dims) });
}

export const add = (tape: Tape, a: string, b: string): string => broadcasting(tape, 'Add', a, b);
export const sub = (tape: Tape, a: string, b: string): string => broadcasting(tape, 'Sub', a, b);
export const mul = (tape: Tape, a: string, b: string): string => broadcasting(tape, 'Mul', a, b);
export const div = (tape: Tape, a: string, b: string): string => broadcasting(tape, 'Div', a, b);
export const neg = (tape: Tape, x: string): string => unary(tape, 'Neg', x);

/** A scalar constant of x's type. */
export const scalarLike = (tape: Tape, x: string, value: number): string => tape.scalar(value, tape.known(x).dtype);

/** value · x */
export const scaled = (tape: Tape, x: string, value: number): string =>
  value === 1 ? x : mul(tape, x, scalarLike(tape, x, value));

/** x + value */
export const plus = (tape: Tape, x: string, value: number): string => add(tape, x, scalarLike(tape, x, value));

/** A comparison (`Greater`, `Equal` …) of two values, broadcast. */
export function compare(tape: Tape, op: string, a: string, b: string): string {
  return tape.emit(op, [a, b], { dtype: 'bool', dims: broadcastDims(tape.known(a).dims, tape.known(b).dims) });
}

/** Elements of `yes` where the condition holds, of `no` elsewhere. */
export function where(tape: Tape, condition: string, yes: string, no: string): string {
  const { dtype, dims } = tape.known(yes);
  return tape.emit('Where', [condition, yes, no], {
    dtype,
    dims: broadcastDims(tape.known(condition).dims, dims, tape.known(no).dims),
  });
}

/** g where the condition holds, 0 elsewhere: also right where g is multiplied by an infinity that is masked out. */
export const masked = (tape: Tape, condition: string, g: string): string =>
  where(tape, condition, g, scalarLike(tape, g, 0));

export function cast(tape: Tape, x: string, dtype: DataType): string {
  const from = tape.known(x);
  return from.dtype === dtype ? x : tape.emit('Cast', [x], { dtype, dims: from.dims }, { to: dataTypes[dtype].onnx });
}

/** x under another shape of as many elements. */
export function reshape(tape: Tape, x: string, dims: readonly number[]): string {
  const from = tape.known(x);
  if (from.dims.length === dims.length && from.dims.every((dim, i) => dim === dims[i])) return x;
  // allowzero: a size of 0 is a size here, never "as before".
  return tape.emit('Reshape', [x, tape.ints(dims)], { dtype: from.dtype, dims }, { allowzero: 1 });
}

/** x with its axes in another order: axis i of the result is axis `perm[i]` of x. */
export function transpose(tape: Tape, x: string, perm: readonly number[]): string {
  const { dtype, dims } = tape.known(x);
  if (perm.every((axis, i) => axis === i)) return x;
  return tape.emit('Transpose', [x], { dtype, dims: perm.map((axis) => dims[axis]!) }, { perm });
}

/** Reduces over `axes` (non-negative); with `keep` they stay as size 1. */
export function reduce(tape: Tape, op: string, x: string, axes: readonly number[], keep: boolean): string {
  const { dtype, dims } = tape.known(x);
  if (axes.length === 0) return x;
  return tape.emit(
    op,
    [x, tape.ints(axes)],
    { dtype, dims: dims.flatMap((dim, i) => (!axes.includes(i) ? [dim] : keep ? [1] : [])) },
    { keepdims: keep ? 1 : 0 },
  );
}

export const sum = (tape: Tape, x: string, axes: readonly number[], keep = true): string =>
  reduce(tape, 'ReduceSum', x, axes, keep);
export const mean = (tape: Tape, x: string, axes: readonly number[], keep = true): string =>
  reduce(tape, 'ReduceMean', x, axes, keep);

/** x repeated to a larger shape. */
export function expand(tape: Tape, x: string, dims: readonly number[]): string {
  const from = tape.known(x);
  if (from.dims.length === dims.length && from.dims.every((dim, i) => dim === dims[i])) return x;
  return tape.emit('Expand', [x, tape.ints(dims)], { dtype: from.dtype, dims });
}

/** A tensor of one value; large ones are made when the graph runs, not stored. */
export function filled(tape: Tape, value: number, dtype: DataType, dims: readonly number[]): string {
  const one = tape.scalar(value, dtype);
  return elementCount(dims) === 1 && dims.length === 0
    ? one
    : tape.emit('Expand', [one, tape.ints(dims)], { dtype, dims });
}

/** Matrix product of the last two axes, numpy's broadcasting of the ones before; both of rank 2 or more. */
export function matMul(tape: Tape, a: string, b: string): string {
  const left = tape.known(a);
  const right = tape.known(b);
  const lead = broadcastDims(left.dims.slice(0, -2), right.dims.slice(0, -2));
  return tape.emit('MatMul', [a, b], { dtype: left.dtype, dims: [...lead, left.dims.at(-2)!, right.dims.at(-1)!] });
}

/** x with its last two axes exchanged. */
export function swapLast(tape: Tape, x: string): string {
  const rank = tape.known(x).dims.length;
  return transpose(tape, x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}

/** The elements of an input that a rule cannot do without (`what`: axes, pads …); refuses where they depend on the data. */
export function constantInput(tape: Tape, node: Node, index: number, what: string): readonly number[] {
  return (
    tape.constant(node.inputs[index]) ??
    refuse('unsupported', `The layer "${node.name}" (${node.op}) computes its ${what}; gradients need them constant.`)
  );
}
