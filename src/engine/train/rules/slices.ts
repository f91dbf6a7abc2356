// Cutting tensors out of larger ones and setting them into larger ones.
import { filled } from '../emit';
import type { Tape } from '../tape';
import type { Windows } from './windows';

export interface Cut {
  readonly axis: number;
  readonly start: number;
  /** Exclusive; within the tensor. */
  readonly end: number;
  readonly step?: number;
}

/** x cut along some axes; x itself where nothing is cut off. */
export function slice(tape: Tape, x: string, cuts: readonly Cut[]): string {
  const { dtype, dims } = tape.known(x);
  const real = cuts.filter(({ axis, start, end, step = 1 }) => start !== 0 || end !== dims[axis] || step !== 1);
  if (real.length === 0) return x;
  const result = [...dims];
  for (const { axis, start, end, step = 1 } of real) result[axis] = Math.ceil((end - start) / step);
  return tape.emit(
    'Slice',
    [
      x,
      tape.ints(real.map(({ start }) => start)),
      tape.ints(real.map(({ end }) => end)),
      tape.ints(real.map(({ axis }) => axis)),
      tape.ints(real.map(({ step = 1 }) => step)),
    ],
    { dtype, dims: result },
  );
}

/** x with zeros around: so many before and after on every axis. */
export function pad(tape: Tape, x: string, before: readonly number[], after: readonly number[]): string {
  const { dtype, dims } = tape.known(x);
  if ([...before, ...after].every((count) => count === 0)) return x;
  return tape.emit('Pad', [x, tape.ints([...before, ...after])], {
    dtype,
    dims: dims.map((dim, i) => dim + before[i]! + after[i]!),
  });
}

/** x [N, C, in…] with the zeros that the windows' pads stand for. */
export const padded = (tape: Tape, x: string, { before, after }: Windows): string =>
  pad(tape, x, [0, 0, ...before], [0, 0, ...after]);

/** Parts side by side on one axis. */
export function concat(tape: Tape, parts: readonly string[], axis: number): string {
  if (parts.length === 1) return parts[0]!;
  const known = parts.map((part) => tape.known(part));
  const dims = [...known[0]!.dims];
  dims[axis] = known.reduce((total, { dims: own }) => total + own[axis]!, 0);
  return tape.emit('Concat', parts, { dtype: known[0]!.dtype, dims }, { axis });
}

/** x cut into parts of these sizes along one axis. */
export function split(tape: Tape, x: string, sizes: readonly number[], axis: number): string[] {
  if (sizes.length === 1) return [x];
  const { dtype, dims } = tape.known(x);
  return tape.emitMany(
    'Split',
    [x, tape.ints(sizes)],
    sizes.map((size) => ({ dtype, dims: dims.map((dim, i) => (i === axis ? size : dim)) })),
    { axis },
  );
}

/** Zeros of a shape. */
export const zeros = (tape: Tape, like: string, dims: readonly number[]): string =>
  filled(tape, 0, tape.known(like).dtype, dims);
