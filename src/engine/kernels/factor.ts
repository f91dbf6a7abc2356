// A layer's Hessian into the factor that rounding with feedback needs: H = U·D·Uᵀ, columns in the order of rounding.
import { refuse } from '../../contract/words/refusal';
import type { Address } from './kernel-set';
import type { Hessian } from './kernels';
import type { Pool } from './pool';
import { tileCount, tileSide } from './reference/factor';
import { tileAt, tileBytes } from './tasks/factor';

/**
 * In the shared memory, behind the warm tensor:
 *
 *   | tiles: lower triangle, 128 KiB each | inverse tile | diagonal: float64 [places] | weights: float64 [places] | columnOf: int32 [places] |
 *   | loudness: float32 [places] |
 *
 * Places are columns in the order of rounding, last first; the last ones pad the last tile.
 */
export interface Factor {
  readonly tiles: Address;
  /** Tiles of a side. */
  readonly side: number;
  readonly columns: number;
  readonly inverse: Address;
  readonly diagonal: Address;
  /** Of D. */
  readonly weights: Address;
  readonly columnOf: Address;
  /** By column: its inputs' mean square in units of the mean of all columns. */
  readonly loudness: Address;
}

/** Which column is taken first: that of the largest inputs, or the first as stored. */
export type Sequence = 'loudest' | 'stored';

const dampings = [1, 10, 100, 1000];

/** Columns by the size of their inputs, largest last; of equals the first column last. Padding, −1, behind them. */
function placesOf(diagonal: Float64Array, places: number, sequence: Sequence): Int32Array {
  const columns = Array.from(diagonal.keys()).sort(
    (a, b) => (sequence === 'loudest' ? diagonal[a]! - diagonal[b]! : 0) || b - a,
  );
  return Int32Array.from({ length: places }, (_, p) => columns[p] ?? -1);
}

/** Diagonal as it is factorised before damping; a column that never had an input gets the mean of the others. */
function liveDiagonal({ columns, data }: Hessian): { diagonal: Float64Array; mean: number } {
  const diagonal = Float64Array.from({ length: columns }, (_, k) => data[k * columns + k]!);
  if (!diagonal.every((d) => d >= 0 && d < Infinity))
    refuse('unsupported', 'The inputs of this layer are not finite numbers: nothing can be made good by them.');
  const live = diagonal.filter((d) => d > 0);
  const mean = live.length > 0 ? live.reduce((sum, d) => sum + d, 0) / live.length : 1;
  return { diagonal, mean };
}

/** The factor of `hessian`, with `damping` times the mean of its diagonal added, ten times as much where that is not enough. */
export async function factorOf(
  pool: Pool,
  hessian: Hessian,
  damping: number,
  signal: AbortSignal | undefined,
  sequence: Sequence = 'loudest',
): Promise<Factor> {
  const { columns, data } = hessian;
  if (data.length !== columns * columns) throw new RangeError(`a Hessian of ${data.length} for ${columns} columns`);
  const kept = pool.arena.factor;
  if (kept && kept.data.deref() === data && kept.damping === damping && kept.sequence === sequence) return kept.factor;
  const side = Math.ceil(columns / tileSide);
  const places = side * tileSide;
  const triangle = (side * (side + 1)) / 2;
  const bytes = (triangle + 1) * tileBytes + places * 24;
  const tiles = pool.arena.coverFactor(bytes);
  if (tiles === null)
    refuse(
      'does-not-fit',
      `What ${columns} inputs a channel have in common takes ${Math.round(bytes / 2 ** 20)} MiB, more than the kernels have.`,
      'Choose another rounding or pruning for this layer.',
    );
  const inverse = tiles + triangle * tileBytes;
  const diagonalAt = inverse + tileBytes;
  const factor: Factor = {
    ...{ tiles, side, columns, inverse, diagonal: diagonalAt },
    ...{ weights: diagonalAt + places * 8, columnOf: diagonalAt + places * 16, loudness: diagonalAt + places * 20 },
  };
  const { diagonal, mean } = liveDiagonal(hessian);
  const columnOf = placesOf(diagonal, places, sequence);
  new Int32Array(pool.arena.memory.buffer, factor.columnOf, places).set(columnOf);
  new Float32Array(pool.arena.memory.buffer, factor.loudness, columns).set(diagonal.map((d) => d / mean));
  for (const times of dampings) {
    await fill(
      pool,
      factor,
      hessian,
      columnOf,
      (k) => (diagonal[k]! > 0 ? diagonal[k]! : mean) + damping * times * mean,
    );
    if (!(await cholesky(pool, factor, signal))) continue;
    await makeUnit(pool, factor, signal);
    pool.arena.factor = { data: new WeakRef(data), damping, sequence, factor };
    return factor;
  }
  return refuse('unsupported', 'The inputs of this layer are too much alike to make anything good by them.');
}

const pause = () => new Promise<void>((resume) => setImmediate(resume));

async function fill(
  pool: Pool,
  { tiles, side }: Factor,
  { columns, data }: Hessian,
  columnOf: Int32Array,
  diagonalOf: (column: number) => number,
): Promise<void> {
  for (let row = 0; row < side; row++) {
    for (let column = 0; column <= row; column++) {
      const tile = new Float64Array(pool.arena.memory.buffer, tileAt(tiles, row, column), tileCount);
      for (let i = 0; i < tileSide; i++) {
        const own = columnOf[row * tileSide + i]!;
        for (let j = 0; j < tileSide; j++) {
          const other = columnOf[column * tileSide + j]!;
          const value = own < 0 || other < 0 ? 0 : data[own * columns + other]!;
          tile[i * tileSide + j] = value;
        }
      }
      if (row !== column) continue;
      for (let i = 0; i < tileSide; i++) {
        const own = columnOf[row * tileSide + i]!;
        tile[i * tileSide + i] = own < 0 ? 1 : diagonalOf(own);
      }
    }
    await pause();
  }
}

/** False where the matrix is not positive. */
async function cholesky(pool: Pool, { tiles, side, inverse }: Factor, signal: AbortSignal | undefined) {
  for (let column = 0; column < side; column++) {
    let positive = true;
    for (const phase of ['update', 'solve'] as const) {
      await pool.run({
        name: 'factor',
        ask: { tiles, column, phase, inverse },
        pieces: side - column - (phase === 'solve' ? 1 : 0),
        signal,
        onPiece: (_, fine) => {
          positive &&= fine;
        },
      });
      if (!positive) return false;
    }
  }
  return true;
}

async function makeUnit(pool: Pool, factor: Factor, signal: AbortSignal | undefined): Promise<void> {
  const { tiles, side, diagonal, weights } = factor;
  const { buffer } = pool.arena.memory;
  const roots = new Float64Array(buffer, diagonal, side * tileSide);
  for (let row = 0; row < side; row++) {
    const tile = new Float64Array(buffer, tileAt(tiles, row, row), tileCount);
    for (let i = 0; i < tileSide; i++) roots[row * tileSide + i] = tile[i * tileSide + i]!;
  }
  new Float64Array(buffer, weights, roots.length).set(roots.map((root) => root * root));
  await pool.run({ name: 'unit', ask: { tiles, diagonal }, pieces: side, signal });
}
