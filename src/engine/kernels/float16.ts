// A whole floating-point tensor as float16 bytes.
import type { Tensor } from '../graph/graph';
import type { Pool } from './pool';
import { flatPiece, flatPieces } from './tasks/task';
import { requireFloats } from './tensor-source';

export async function toFloat16(pool: Pool, tensor: Tensor, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { count, ...weights } = requireFloats(tensor, 'made float16');
  const bytes = new Uint8Array(count * 2);
  await pool.run({
    name: 'float16',
    ask: { weights, count },
    pieces: flatPieces(count),
    here: weights.source.kind === 'bytes',
    signal,
    onPiece: (index, piece) => bytes.set(piece, index * flatPiece * 2),
  });
  return bytes;
}
