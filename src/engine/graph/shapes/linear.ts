// Matrix products and recurrent layers.
import { readInt, readString } from '../edit';
import type { DataType, Dim } from '../graph';
import { broadcast, type Call, type Known, known, type Rule } from './known';

/** Shape of a product as numpy's matmul has it, vectors included. */
export function matMulShape(a: readonly Dim[] | null, b: readonly Dim[] | null): Dim[] | null {
  if (!a || !b || a.length === 0 || b.length === 0) return null;
  const rows = a.length > 1 ? [a.at(-2)!] : [];
  const columns = b.length > 1 ? [b.at(-1)!] : [];
  const lead = broadcast([a.slice(0, -2), b.slice(0, -2)]);
  return lead && [...lead, ...rows, ...columns];
}

function swapped(shape: readonly Dim[] | null, isSwapped: boolean): readonly Dim[] | null {
  if (!shape || !isSwapped || shape.length < 2) return shape;
  return [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
}

/** A product of two inputs; `output` where the result has another type than the first. */
export const matMul =
  (a: number, b: number, output?: (call: Call) => DataType | null): Rule =>
  (call) => {
    const left = swapped(call.in(a).shape, readInt(call.node, 'transA', 0) !== 0);
    const right = swapped(call.in(b).shape, readInt(call.node, 'transB', 0) !== 0);
    return known(output ? output(call) : call.in(a).dtype, matMulShape(left, right));
  };

export const gemm =
  (a: number, b: number, output?: (call: Call) => DataType | null): Rule =>
  (call) => {
    const left = swapped(call.in(a).shape, readInt(call.node, 'transA', 0) !== 0);
    const right = swapped(call.in(b).shape, readInt(call.node, 'transB', 0) !== 0);
    return known(output ? output(call) : call.in(a).dtype, [left?.[0] ?? null, right?.[1] ?? null]);
  };

/** LSTM, GRU, RNN: Y [seq, dirs, batch, hidden], Y_h and Y_c [dirs, batch, hidden]; with `layout` 1 batch comes first. */
export function recurrent(call: Call): readonly Known[] {
  const { dtype, shape } = call.in(0);
  const isBatchFirst = readInt(call.node, 'layout', 0) !== 0;
  const directions = readString(call.node, 'direction', 'forward') === 'bidirectional' ? 2 : 1;
  const hidden: Dim = call.node.attributes.has('hidden_size')
    ? readInt(call.node, 'hidden_size', 0)
    : (call.in(2).shape?.[2] ?? null);
  const seq = shape?.[isBatchFirst ? 1 : 0] ?? null;
  const batch = shape?.[isBatchFirst ? 0 : 1] ?? null;
  const last = known(dtype, isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
  const all = known(dtype, isBatchFirst ? [batch, seq, directions, hidden] : [seq, directions, batch, hidden]);
  return [all, last, last];
}

function einsum(call: Call): Known {
  const { dtype } = call.in(0);
  const [left, right] = readString(call.node, 'equation', '').replaceAll(' ', '').split('->');
  const sizes = new Map<string, Dim>();
  const count = new Map<string, number>();
  for (const [i, term] of left!.split(',').entries()) {
    const { shape } = call.in(i);
    if (!shape || term.includes('.')) return known(dtype, null);
    for (const [axis, letter] of [...term].entries()) {
      const dim = shape[axis] ?? null;
      const seen = sizes.get(letter);
      sizes.set(letter, seen === undefined || seen === 1 || seen === null ? dim : seen);
      count.set(letter, (count.get(letter) ?? 0) + 1);
    }
  }
  // Without an arrow the output has the letters that occur once, in alphabetical order.
  const output =
    right ??
    [...count]
      .filter(([, n]) => n === 1)
      .map(([letter]) => letter)
      .sort()
      .join('');
  return known(
    dtype,
    [...output].map((letter) => sizes.get(letter) ?? null),
  );
}

export const linear: Record<string, Rule> = {
  Einsum: einsum,
  GRU: recurrent,
  Gemm: gemm(0, 1),
  LSTM: recurrent,
  MatMul: matMul(0, 1),
  MatMulInteger: matMul(0, 1, () => 'int32'),
  QLinearMatMul: matMul(0, 3, (call) => call.in(7).dtype),
  RNN: recurrent,
};
