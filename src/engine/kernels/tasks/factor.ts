// Cholesky factorisation of a large matrix: one column of tiles at a time, each of its tiles a piece.
import type { Address } from '../kernel-set';
import { tileCount } from '../reference/factor';
import type { Starter } from './task';

export const tileBytes = tileCount * 8;

/** Tiles of a lower triangle, row after row. */
export function tileAt(tiles: Address, row: number, column: number): Address {
  return tiles + ((row * (row + 1)) / 2 + column) * tileBytes;
}

export interface FactorAsk {
  readonly tiles: Address;
  readonly column: number;
  /**
   * `update` takes what the columns before it give from each tile, the diagonal one first, which is factorised and inverted; `solve` makes the
   * others below it parts of the factor.
   */
  readonly phase: 'update' | 'solve';
  /** Where the inverse of the diagonal tile is. */
  readonly inverse: Address;
}

/** A piece answers false where the matrix is not positive. */
export const factor: Starter<FactorAsk, boolean, null> = (bench, { tiles, column, phase, inverse }) => {
  const { fast } = bench;
  const scratch = bench.take(2 * tileBytes);
  return {
    piece(index) {
      if (phase === 'solve') {
        fast.multiplyBy(tileAt(tiles, column + 1 + index, column), inverse, scratch);
        return true;
      }
      const row = column + index;
      const tile = tileAt(tiles, row, column);
      for (let k = 0; k < column; k++)
        fast.subtractProduct(tile, tileAt(tiles, row, k), tileAt(tiles, column, k), scratch);
      if (index > 0) return true;
      if (fast.factorTile(tile) !== 0) return false;
      fast.invertTile(inverse, tile);
      return true;
    },
    end: () => null,
  };
};

export interface UnitAsk {
  readonly tiles: Address;
  /** float64 [places] */
  readonly diagonal: Address;
}

/** The factor made ready for rounding, a row of tiles a piece. */
export const unit: Starter<UnitAsk, null, null> = (bench, { tiles, diagonal }) => {
  const scratch = bench.take(tileBytes);
  return {
    piece(row) {
      for (let column = 0; column <= row; column++) {
        const panels = column < row ? 1 : 0;
        bench.fast.unitTile(tileAt(tiles, row, column), diagonal + column * 1024, panels, scratch);
      }
      return null;
    },
    end: () => null,
  };
};
