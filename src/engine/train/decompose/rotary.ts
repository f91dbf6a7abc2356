// Rotary position embedding: pairs of elements turned by an angle that grows with the position.
import { readInt } from '../../graph/edit';
import { add, mul, reshape, sub } from '../emit';
import { concat, slice, split } from '../rules/slices';
import type { Tape } from '../tape';
import { joinHeads, splitHeads } from './attention';
import type { Decomposition } from './table';

export interface Turn {
  /** [positions, R/2], or [B, S, R/2] where it is gathered already. */
  readonly cos: string;
  readonly sin: string;
  /** [B, S], or [1]: the position of the first step; absent: 0, 1, 2 … */
  readonly positions: string | undefined;
  /** Pairs are neighbours; else the two halves. */
  readonly interleaved: boolean;
}

/** x [B, H, S, D], the first R elements of D turned. */
export function rotated(tape: Tape, x: string, turn: Turn): string {
  const { dims } = tape.known(x);
  const depth = dims[3]!;
  const half = tape.known(turn.cos).dims.at(-1)!;
  const [rest, tail] =
    2 * half === depth ? [x, null] : (split(tape, x, [2 * half, depth - 2 * half], 3) as [string, string]);
  const [cos, sin] = [turn.cos, turn.sin].map((table) => angles(tape, table, turn.positions, dims[2]!));
  const [a, b] = pairs(tape, rest, half, turn.interleaved);
  const real = sub(tape, mul(tape, a, cos!), mul(tape, b, sin!));
  const imaginary = add(tape, mul(tape, a, sin!), mul(tape, b, cos!));
  const back = turn.interleaved
    ? reshape(
        tape,
        concat(
          tape,
          [real, imaginary].map((part) => reshape(tape, part, [...tape.known(part).dims, 1])),
          4,
        ),
        tape.known(rest).dims,
      )
    : concat(tape, [real, imaginary], 3);
  return tail ? concat(tape, [back, tail], 3) : back;
}

function pairs(tape: Tape, x: string, half: number, interleaved: boolean): [string, string] {
  if (!interleaved) return split(tape, x, [half, half], 3) as [string, string];
  const lead = tape.known(x).dims.slice(0, 3);
  const apart = reshape(tape, x, [...lead, half, 2]);
  const [a, b] = split(tape, apart, [1, 1], 4) as [string, string];
  return [reshape(tape, a, [...lead, half]), reshape(tape, b, [...lead, half])];
}

/** [B or 1, 1, S, R/2] */
function angles(tape: Tape, table: string, positions: string | undefined, steps: number): string {
  const { dtype, dims } = tape.known(table);
  const half = dims.at(-1)!;
  if (dims.length === 3) return reshape(tape, table, [dims[0]!, 1, steps, half]);
  if (!positions) return reshape(tape, slice(tape, table, [{ axis: 0, start: 0, end: steps }]), [1, 1, steps, half]);
  const given = tape.known(positions);
  const isFirst = given.dims.length < 2;
  const all = isFirst
    ? add(tape, reshape(tape, positions, [1]), tape.ints(Array.from({ length: steps }, (_, i) => i)))
    : positions;
  const lead = isFirst ? [1, steps] : given.dims;
  const found = tape.emit('Gather', [table, all], { dtype, dims: [...tape.known(all).dims, half] }, { axis: 0 });
  return reshape(tape, found, [lead[0]!, 1, steps, half]);
}

/** The standard operator (x, cos, sin, positions) and the runtime's own (x, positions, cos, sin). */
export const rotaryEmbedding: Decomposition = (tape, node) => {
  const [x, second, third, fourth] = node.inputs as [string, string, string, string | undefined];
  const [cos, sin, positions] = node.domain === '' ? [second, third, fourth] : [third, fourth!, second];
  const turn: Turn = { cos, sin, positions, interleaved: readInt(node, 'interleaved', 0) === 1 };
  if (node.domain !== '' && readInt(node, 'is_packed_batching', 0) === 1) return null;
  const { dims } = tape.known(x);
  if (dims.length === 4) return [rotated(tape, x, turn)];
  const depth = readInt(node, 'rotary_embedding_dim', 0) || 2 * tape.known(cos).dims.at(-1)!;
  const heads = readInt(node, 'num_heads', 0) || dims[2]! / depth;
  return [joinHeads(tape, rotated(tape, splitHeads(tape, x, heads), turn))];
};
