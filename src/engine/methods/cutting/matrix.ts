// A layer's weight as the matrix its node multiplies by: N output channels of K weights, however it is stored.

import { readInt } from '../../graph/edit';
import type { DataType } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import type { Shapes } from '../../graph/shapes';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Stored N×K, or K×N. */
  readonly order: 'rows' | 'columns';
}

const turnsOnly = new Set(['Transpose', 'Cast', 'CastLike', 'Identity', 'Dropout']);

/** True where the node sees the stored numbers as they are, transposed perhaps: what is between may be left out. */
export function isSeenAsStored({ via }: LayerSite): boolean {
  return via.every(({ op }) => turnsOnly.has(op));
}

/** The right-hand matrix of a MatMul or Gemm; null where the weight is something else (batched, on the left, reshaped). */
export function rightMatrix(site: LayerSite): Matrix | null {
  if (!isSeenAsStored(site)) return null;
  if (site.weightInput !== 1 || site.tensor.dims.length !== 2 || site.channelAxis === null) return null;
  const [first, second] = site.tensor.dims as [number, number];
  return site.channelAxis === 0
    ? { rows: first, columns: second, order: 'rows' }
    : { rows: second, columns: first, order: 'columns' };
}

/** The type the node computes in; null where nothing tells. */
export function computeType(site: LayerSite, shapes: Shapes): DataType | null {
  const activation = site.weightInput === 0 ? site.node.inputs[1] : site.node.inputs[0];
  const known = site.op === 'Gather' ? null : shapes.get(activation ?? '')?.dtype;
  if (known) return known;
  const cast = site.via.findLast(({ op }) => op === 'Cast');
  if (!cast) return site.tensor.dtype;
  return readInt(cast, 'to', 0) === 1 ? 'float32' : readInt(cast, 'to', 0) === 10 ? 'float16' : null;
}

/** Smallest power of two that is at least `value`, and at least `least`. */
export function powerOfTwo(value: number, least: number): number {
  let power = least;
  while (power < value) power *= 2;
  return power;
}
