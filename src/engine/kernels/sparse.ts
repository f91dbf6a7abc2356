// Pruning of a matrix channel by channel: by the size of its weights and inputs (Wanda), or with what is lost made good (SparseGPT).
import { refuse } from '../../contract/words/refusal';
import { factorOf } from './factor';
import { GroupPlan, type GroupShape } from './group-plan';
import type { PruneRequest, PruneResult } from './kernels';
import type { Pool } from './pool';
import { requireFloats } from './tensor-source';

export async function prune(pool: Pool, request: PruneRequest): Promise<PruneResult> {
  const { tensor, rows, columns, order, drop, squares, hessian, damping = 0.01, signal } = request;
  const { count, ...weights } = requireFloats(tensor, 'pruned');
  if (rows * columns !== count) throw new RangeError(`${tensor.name} has ${count} weights, not ${rows} × ${columns}`);
  if ('of' in drop && columns % drop.of !== 0)
    throw new RangeError(`${columns} weights of a channel are no whole groups of ${drop.of}`);
  if (squares && squares.length !== columns) throw new RangeError(`${squares.length} inputs for ${columns} columns`);
  if (hessian && hessian.columns !== columns)
    throw new RangeError(`a Hessian of ${hessian.columns} for ${columns} columns`);
  const shape: GroupShape = {
    ...{
      rows,
      columns,
      order,
      group: Math.max(1, columns),
      bits: 8,
      pack: 'plain',
      taken: rows,
      of: rows,
      whole: true,
    },
  };
  const plan = new GroupPlan(shape);
  const made = { values: new Float32Array(count), signal: 0, noise: 0, outputNoise: 0 };
  if (count === 0) return made;
  pool.arena.growSlots(plan.slotBytes, tensor.name);
  const factor = hessian ? await factorOf(pool, hessian, damping, signal, 'stored') : null;
  const sums: (readonly [number, number, number])[] = [];
  let finite = true;
  await pool.run({
    name: 'sparse',
    ask: { weights, shape, drop, norms: squares ? Float32Array.from(squares, Math.sqrt) : null, factor },
    pieces: plan.pieces,
    here: weights.source.kind === 'bytes',
    signal,
    onPiece(index, piece) {
      const { row, lines } = plan.piece(index);
      sums[index] = [piece.signal, piece.noise, piece.outputNoise];
      finite &&= piece.finite;
      if (order === 'rows') made.values.set(piece.values, row * columns);
      else
        for (let k = 0; k < columns; k++)
          for (let n = 0; n < lines; n++) made.values[k * rows + row + n] = piece.values[n * columns + k]!;
    },
  });
  if (!finite) refuse('unsupported', `${tensor.name} holds numbers that are not finite; it is not pruned by data.`);
  // In the order of the pieces, whatever order they came in.
  for (const [signalOf, noise, outputNoise] of sums) {
    made.signal += signalOf;
    made.noise += noise;
    made.outputNoise += outputNoise;
  }
  return made;
}
