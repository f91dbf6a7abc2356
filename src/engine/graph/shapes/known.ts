// What inference knows of a value, and arithmetic on sizes that may be symbols or unknown.
import type { DataType, Dim, Node } from '../graph';

/** Type, shape and, for small tensors that shapes are computed from, the elements themselves (row-major). */
export interface Known {
  readonly dtype: DataType | null;
  readonly shape: readonly Dim[] | null;
  readonly values?: readonly Dim[];
}

export const unknown: Known = { dtype: null, shape: null };

/** Elements beyond this are data, not shapes. */
export const mostValues = 1024;

/** A node on its way through inference. */
export interface Call {
  readonly node: Node;
  readonly opset: number;
  /** What is known of an input; `unknown` where it is absent. */
  readonly in: (index: number) => Known;
  readonly has: (index: number) => boolean;
  /** A symbol that constant Reshape targets are taken to follow; see `freedTarget`. */
  readonly batch?: string;
  /** Infers a subgraph whose inputs are known to be these; gives what is known of its outputs. */
  readonly body: (attribute: string, inputs: readonly Known[]) => readonly Known[];
}

/** Outputs in order; a single one may stand alone. What is not known is `unknown`, never an exception. */
export type Rule = (call: Call) => Known | readonly Known[];

export function known(dtype: DataType | null, shape: readonly Dim[] | null, values?: readonly Dim[]): Known {
  return values && values.length <= mostValues ? { dtype, shape, values } : { dtype, shape };
}

export function add(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return a === 0 ? b : b === 0 ? a : null;
}

export function multiply(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return a === 1 ? b : b === 1 ? a : a === 0 || b === 0 ? 0 : null;
}

export function product(dims: readonly Dim[]): Dim {
  return dims.reduce(multiply, 1);
}

/** Integer division of sizes: the quotient where both are numbers, the size itself over 1. */
export function divide(a: Dim, b: Dim, round: (x: number) => number = Math.floor): Dim {
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? null : round(a / b);
  return b === 1 ? a : a !== null && a === b ? 1 : null;
}

/** `Π whole / Π part` with symbols cancelled; null where something is left over that is not one plain size. */
export function quotient(whole: readonly Dim[], part: readonly Dim[]): Dim {
  const above = [...whole];
  const below: number[] = [];
  for (const dim of part) {
    if (typeof dim === 'number') below.push(dim);
    else if (dim === null || !above.includes(dim)) return null;
    else above.splice(above.indexOf(dim), 1);
  }
  const divisor = below.reduce((a, b) => a * b, 1);
  const numbers = above.filter((dim) => typeof dim === 'number').reduce((a, b) => a * b, 1);
  const symbols = above.filter((dim) => typeof dim !== 'number');
  if (divisor === 0 || numbers % divisor !== 0) return null;
  return symbols.length === 0 ? numbers / divisor : symbols.length === 1 && numbers === divisor ? symbols[0]! : null;
}

/** Numpy broadcasting; null where a rank is unknown. */
export function broadcast(shapes: readonly (readonly Dim[] | null)[]): Dim[] | null {
  let result: Dim[] = [];
  for (const shape of shapes) {
    if (!shape) return null;
    const rank = Math.max(result.length, shape.length);
    const left = result;
    result = Array.from({ length: rank }, (_, i) =>
      broadcastDim(
        left[i - rank + left.length] ?? absent(i, rank, left),
        shape[i - rank + shape.length] ?? absent(i, rank, shape),
      ),
    );
  }
  return result;
}

function absent(i: number, rank: number, shape: readonly Dim[]): Dim {
  return i < rank - shape.length ? 1 : null;
}

function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === b) return a;
  if (a === 1) return b;
  if (b === 1) return a;
  if (typeof a === 'number' && a !== 1) return a;
  if (typeof b === 'number' && b !== 1) return b;
  return null;
}

/** The shape both agree on: dimensions that differ become null, different ranks leave nothing. */
export function agree(a: readonly Dim[] | null, b: readonly Dim[] | null): Dim[] | null {
  if (!a || !b || a.length !== b.length) return null;
  return a.map((dim, i) => (dim === b[i] ? dim : null));
}

/** A non-negative axis; null where it lies outside the rank. */
export function axisOf(axis: number, rank: number): number | null {
  const at = axis < 0 ? axis + rank : axis;
  return Number.isInteger(at) && at >= 0 && at < rank ? at : null;
}

/** The elements as numbers; null where one is a symbol or unknown. */
export function numbers(values: readonly Dim[] | undefined): number[] | null {
  return values?.every((value) => typeof value === 'number') ? (values as number[]) : null;
}

/** The shape with one axis changed. */
export function replaceAt(shape: readonly Dim[], axis: number, dim: Dim): Dim[] {
  return shape.map((old, i) => (i === axis ? dim : old));
}

// No operator has more dimensions; a file may claim any.
const mostDimensions = 64;

/** A shape of which only the rank is known; null where that is not known either, or absurd. */
export function openShape(rank: Dim | undefined): null[] | null {
  return typeof rank === 'number' && rank <= mostDimensions ? Array.from({ length: rank }, () => null) : null;
}
