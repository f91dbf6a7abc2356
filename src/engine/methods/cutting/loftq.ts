// LoftQ (Li et al., arXiv:2310.08659): codes Q and an adapter A·B chosen together, so that Q + A·B begins close to the weights that Q alone
// would miss. In turns: Q from W − A·B, A·B from W − Q.

import { floatTensor, readFloats } from '../../graph/tensor';
import { dequantize } from '../../kernels/dequantize';
import type { Kernels } from '../../kernels/kernels';
import { truncatedSvd } from '../../kernels/svd';
import { groupsOf, type Order, requestOf } from './order';

export interface LoftqStart {
  /** W − A·B as it was quantized, [outputs][inputs]. */
  readonly rest: Float32Array;
  /** [inputs][rank] and [rank][outputs]; their product is what the codes miss. */
  readonly a: Float32Array;
  readonly b: Float32Array;
  /** ‖W − Q − A·B‖² after each turn, falling; and what Q alone would miss. */
  readonly residuals: readonly number[];
  readonly quantizedAlone: number;
  readonly signal: number;
}

const turns = 5;

/** Answers Ŵ for W, both [outputs][inputs]. */
export type RoundTrip = (weights: Float32Array) => Promise<Float32Array>;

/**
 * Ends when a turn gains nothing any more: a grid follows the largest weight of its group, so that a turn may also lose. `weights` are
 * [outputs][inputs].
 */
export async function loftq(
  weights: Float32Array,
  outputs: number,
  inputs: number,
  rank: number,
  roundTrip: RoundTrip,
  random: () => number,
): Promise<LoftqStart> {
  const count = outputs * inputs;
  let rest: Float32Array = weights;
  let best: Omit<LoftqStart, 'residuals' | 'quantizedAlone' | 'signal'> | null = null;
  let start: { rank: number; v: Float64Array } | undefined;
  let quantizedAlone = 0;
  const residuals: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const rounded = await roundTrip(rest);
    const missed = Float64Array.from({ length: count }, (_, i) => weights[i]! - rounded[i]!);
    if (turn === 0) quantizedAlone = sumOfSquares(missed);
    const {
      u,
      sigma,
      v,
      rank: found,
    } = truncatedSvd(missed, outputs, inputs, rank, {
      random,
      ...(start ? { start } : {}),
    });
    start = { rank: found, v };
    const a = new Float32Array(inputs * rank);
    const b = new Float32Array(rank * outputs);
    for (let k = 0; k < found; k++) {
      const root = Math.sqrt(sigma[k]!);
      for (let i = 0; i < inputs; i++) a[i * rank + k] = v[i * found + k]! * root;
      for (let o = 0; o < outputs; o++) b[k * outputs + o] = u[o * found + k]! * root;
    }
    const product = lowRank(a, b, outputs, inputs, rank);
    const residual = sumOfSquares(missed.map((value, i) => value - product[i]!));
    if (residuals.length > 0 && residual >= residuals.at(-1)!) break;
    residuals.push(residual);
    best = { rest, a, b };
    rest = Float32Array.from({ length: count }, (_, i) => weights[i]! - product[i]!);
  }
  return { ...best!, residuals, quantizedAlone, signal: sumOfSquares(weights) };
}

/** (A·B)ᵀ, [outputs][inputs]. */
export function lowRank(a: Float32Array, b: Float32Array, outputs: number, inputs: number, rank: number): Float64Array {
  const product = new Float64Array(outputs * inputs);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += a[i * rank + k]! * b[k * outputs + o]!;
      product[o * inputs + i] = sum;
    }
  }
  return product;
}

/** The grid of an order, there and back. Groups run along the inputs whatever lies behind them: codes are asked for without padding. */
export function roundTripOn(order: Order, kernels: Kernels, signal: AbortSignal): RoundTrip {
  const { rows, columns, bits, groupSize } = order;
  return async (weights) => {
    const plain: Order = { ...order, ...asRows(order, weights), layout: { kind: 'plain' } };
    const { codes, scales, zeroPoints } = await kernels.quantize(requestOf(plain, signal));
    const out = new Float32Array(rows * columns);
    dequantize(out, codes, 0, rows * columns, {
      bits,
      signed: false,
      scales,
      zeroPoints: zeroPoints && Float32Array.from(zeroPoints),
      defaultZero: 2 ** (bits - 1),
      layout:
        groupsOf(order) === 1
          ? { kind: 'blocked', axis: columns, inner: 1, block: columns }
          : { kind: 'blocked', axis: columns, inner: 1, block: groupSize },
    });
    return out;
  };
}

/** The part of an order that says where weights [outputs][inputs] in memory are. */
export function asRows({ tensor, rows, columns }: Order, weights: Float32Array): Pick<Order, 'tensor' | 'order'> {
  return { tensor: floatTensor(tensor.name, [rows, columns], weights), order: 'rows' };
}

/** The order's weights as [outputs][inputs]. */
export async function rowsOf({ tensor, rows, columns, order }: Order): Promise<Float32Array> {
  const stored = await readFloats(tensor);
  if (order === 'rows') return stored;
  return Float32Array.from({ length: stored.length }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return stored[column * rows + row]!;
  });
}

const sumOfSquares = (values: Float32Array | Float64Array): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
};
