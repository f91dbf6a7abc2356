// Sums of products of a layer's inputs: a tile of the lower triangle a piece.
import type { Address } from '../kernel-set';
import { tileCount, tileSide } from '../reference/factor';
import type { Starter } from './task';

/** Inputs whose products are summed in float32 before the sum goes into float64. */
export const gramRun = 256;

export interface GramAsk {
  /** float32 [count][columns]; `count` is a multiple of two. */
  readonly inputs: Address;
  readonly count: number;
  readonly columns: number;
}

/** Row and column of the tile with this number, counted row after row. */
export function tileOf(index: number): { row: number; column: number } {
  const row = Math.floor((Math.sqrt(8 * index + 1) - 1) / 2);
  return { row, column: index - (row * (row + 1)) / 2 };
}

export const gram: Starter<GramAsk, Float64Array<ArrayBuffer>, null> = (bench, { inputs, count, columns }) => {
  const product = bench.take(tileCount * 4);
  const scratch = bench.take(gramRun * 1024);
  return {
    piece(index) {
      const { row, column } = tileOf(index);
      const sum = new Float64Array(tileCount);
      for (let from = 0; from < count; from += gramRun) {
        const run = Math.min(gramRun, count - from);
        const at = inputs + from * columns * 4;
        bench.fast.multiplyInputs(product, at, columns, run, row * tileSide, column * tileSide, scratch);
        const own = bench.floats(product, tileCount);
        for (let i = 0; i < tileCount; i++) sum[i]! += own[i]!;
      }
      return sum;
    },
    end: () => null,
  };
};
