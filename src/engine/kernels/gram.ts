// Sums of products of a layer's inputs, added to what was there in an order of their own, whatever the threads.
import type { Hessian } from './kernels';
import type { Pool } from './pool';
import { tileSide } from './reference/factor';
import { gramRun, tileOf } from './tasks/gram';

/** Inputs that lie in the shared memory at a time. */
const mostBytes = 2 ** 26;

export async function addInputs(
  pool: Pool,
  into: Hessian,
  inputs: Float32Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { columns, data } = into;
  if (!(data instanceof Float64Array) || data.length !== columns * columns || inputs.length % columns !== 0)
    throw new RangeError(`inputs of ${columns} elements into a sum of ${data.length}`);
  const { arena } = pool;
  const side = Math.ceil(columns / tileSide);
  const most = Math.max(1, Math.floor(mostBytes / (columns * 4 * gramRun))) * gramRun;
  for (let from = 0; from < inputs.length; from += most * columns) {
    const run = inputs.subarray(from, from + most * columns);
    const count = run.length / columns;
    const even = count + (count % 2);
    arena.warm = null;
    const address = arena.coverWarm(even * columns * 4);
    const shared = new Float32Array(arena.memory.buffer, address, even * columns);
    shared.set(run);
    shared.fill(0, run.length);
    await pool.run({
      name: 'gram',
      ask: { inputs: address, count: even, columns },
      pieces: (side * (side + 1)) / 2,
      signal,
      onPiece: (index, tile) => addTile(data, columns, index, tile),
    });
  }
}

function addTile(data: Float64Array, columns: number, index: number, tile: Float64Array): void {
  const { row, column } = tileOf(index);
  for (let i = 0; i < tileSide; i++) {
    const own = row * tileSide + i;
    // On the diagonal the upper half is the mirror of the lower.
    const most = row === column ? i + 1 : tileSide;
    for (let j = 0; own < columns && j < most; j++) {
      const other = column * tileSide + j;
      const sum = data[own * columns + other]! + tile[i * tileSide + j]!;
      data[own * columns + other] = sum;
      data[other * columns + own] = sum;
    }
  }
}
