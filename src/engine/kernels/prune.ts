// Pruning of whole tensors: the exact threshold of a share of weights, masks of what stays, and weights without the rest.
import type { Tensor } from '../graph/graph';
import type { Mask, MaskRequest, Threshold, TwoOfFourRequest } from './kernels';
import type { Pool } from './pool';
import { twoOfFourPiece } from './tasks/prune';
import { flatPiece, flatPieces } from './tasks/task';
import { requireFloats } from './tensor-source';

/** The upper 16 bits of a magnitude are counted first, then the lower 15 of those that share the upper ones. */
const lowBits = 15;
const allBits = 31;

/**
 * The magnitude of the weight that is the `keep`-th of all tensors: two readings, memory that does not grow, whatever the ties. NaN where
 * nothing is kept, −1 where all are.
 */
export async function threshold(
  pool: Pool,
  tensors: readonly Tensor[],
  keep: number,
  signal: AbortSignal | undefined,
): Promise<Threshold> {
  const all = tensors.map((tensor) => requireFloats(tensor, 'pruned'));
  const total = all.reduce((sum, { count }) => sum + count, 0);
  if (!Number.isInteger(keep) || keep < 0) throw new RangeError(`${keep} weights to keep`);
  if (keep === 0) return { value: Number.NaN, above: 0, equal: 0 };
  if (keep >= total) return { value: -1, above: total, equal: 0 };

  const counted = async (shift: number, above: number, prefix: number): Promise<Float64Array> => {
    const sum = new Float64Array(2 ** (above - shift));
    for (const { count, ...weights } of all) {
      const ask = { weights, count, shift, above, prefix };
      const here = weights.source.kind === 'bytes';
      const ends = await pool.run({ name: 'magnitudes', ask, pieces: flatPieces(count), here, signal });
      for (const counts of ends) for (let i = 0; i < sum.length; i++) sum[i]! += counts[i]!;
    }
    return sum;
  };
  const high = fromTop(await counted(lowBits, allBits, 0), keep);
  const low = fromTop(await counted(0, lowBits, high.place), keep - high.above);
  return {
    value: floatOf(high.place * 2 ** lowBits + low.place),
    above: high.above + low.above,
    equal: low.here,
  };
}

/** The place where the `keep`-th from the top is counted, and how many are above that place. */
function fromTop(counts: Float64Array, keep: number): { place: number; above: number; here: number } {
  let above = 0;
  for (let place = counts.length - 1; place >= 0; place--) {
    const here = counts[place]!;
    if (above + here >= keep) return { place, above, here };
    above += here;
  }
  throw new Error(`fewer than ${keep} weights were counted`);
}

export async function mask(pool: Pool, tensor: Tensor, request: MaskRequest): Promise<Mask> {
  const { above: value, equal = 0, signal } = request;
  const { count, ...weights } = requireFloats(tensor, 'pruned');
  const bits = bitsOf(value);
  const out = new Uint8Array(count);
  const atLeast: (Uint8Array | null)[] = [];
  let kept = 0;
  await pool.run({
    name: 'above',
    ask: { weights, count, threshold: bits, ties: equal > 0 },
    pieces: flatPieces(count),
    here: weights.source.kind === 'bytes',
    signal,
    onPiece(index, piece) {
      out.set(piece.mask, index * flatPiece);
      atLeast[index] = piece.atLeast;
      kept += piece.kept;
    },
  });
  // The earliest of those at the threshold, whatever the order in which pieces came.
  let left = equal;
  for (let at = 0; left > 0 && at < count; at++) {
    if (out[at] === 1 || atLeast[Math.floor(at / flatPiece)]![at % flatPiece] === 0) continue;
    out[at] = 1;
    kept++;
    left--;
  }
  return { mask: out, kept };
}

export async function maskTwoOfFour(pool: Pool, tensor: Tensor, request: TwoOfFourRequest): Promise<Uint8Array> {
  const { rows, columns, order, signal } = request;
  const { count, ...weights } = requireFloats(tensor, 'pruned');
  if (rows * columns !== count) throw new RangeError(`${tensor.name} has ${count} weights, not ${rows} × ${columns}`);
  if (columns % 4 !== 0) throw new RangeError(`${columns} weights of a channel are no whole fours`);
  const down = order === 'rows' ? null : rows;
  const size = twoOfFourPiece(down);
  const out = new Uint8Array(count);
  if (count === 0) return out;
  // A mask, the weights as stored and as floats.
  pool.arena.growSlots(size * 16 + 65536, tensor.name);
  await pool.run({
    name: 'twoOfFour',
    ask: { weights, count, columns: down },
    pieces: Math.ceil(count / size),
    here: weights.source.kind === 'bytes',
    signal,
    onPiece: (index, piece) => out.set(piece, index * size),
  });
  return out;
}

export async function masked(
  pool: Pool,
  tensor: Tensor,
  stays: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { count, source, element } = requireFloats(tensor, 'pruned');
  if (stays.length !== count) throw new RangeError(`a mask of ${stays.length} for ${count} weights`);
  const bytes = element === 'float64' ? 8 : element === 'float32' ? 4 : 2;
  const out = new Uint8Array(count * bytes);
  await pool.run({
    name: 'masked',
    ask: { source, bytes, mask: stays },
    pieces: flatPieces(count),
    here: true,
    signal,
    onPiece: (index, piece) => out.set(piece, index * flatPiece * bytes),
  });
  return out;
}

const float = new Float32Array(1);
const int = new Int32Array(float.buffer);

function floatOf(bits: number): number {
  int[0] = bits;
  return float[0]!;
}

/** What a mask's magnitudes are compared with: nothing is above NaN, everything above −1. */
function bitsOf(value: number): number {
  if (Number.isNaN(value)) return 0x7fffffff;
  if (value < 0) return -1;
  float[0] = value;
  return int[0]! & 0x7fffffff;
}
