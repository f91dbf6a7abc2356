// Gradients of gathering and scattering: g is added up at the places that were read, read at the places that were written.
import { refuse } from '../../../contract/words/refusal';
import { readInt, readString } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { axesFrom, cast, filled, reshape, transpose } from '../emit';
import type { Known, Rule, Tape } from '../tape';
import { padded } from './borders';

const axisOf = (tape: Tape, node: Node): number =>
  axesFrom([readInt(node, 'axis', 0)], tape.known(node.inputs[0]!).dims.length)[0]!;

const zerosLike = (tape: Tape, { dtype, dims }: Known): string => filled(tape, 0, dtype, dims);

/** y = rows of x along an axis: each row of g is added to the row it was read from. */
export const gather: Rule = (tape, node, [g]) => {
  const [x, indices] = node.inputs as [string, string];
  const axis = axisOf(tape, node);
  const single = tape.constant(indices);
  if (single?.length === 1) return [oneRow(tape, g!, tape.known(x), axis, single[0]!), null];
  const { dtype, dims } = tape.known(x);
  const idDims = tape.known(indices).dims;
  const gRank = tape.known(g!).dims.length;
  // The gathered axis first, so that whole rows are added: g [before, ids, after] → [ids, before, after].
  const ids = idDims.map((_, i) => axis + i);
  const rest = Array.from({ length: gRank }, (_, i) => i).filter((i) => !ids.includes(i));
  const others = dims.filter((_, i) => i !== axis);
  const count = elementCount(idDims);
  const rows = reshape(tape, transpose(tape, g!, [...ids, ...rest]), [count, ...others]);
  const table: Known = { dtype, dims: [dims[axis]!, ...others] };
  const places = cast(tape, reshape(tape, indices, [count, 1]), 'int64');
  const added = tape.emit('ScatterND', [zerosLike(tape, table), places, rows], table, { reduction: 'add' });
  const back = dims.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i));
  return [transpose(tape, added, back), null];
};

/** One known row: zeros around it. */
function oneRow(tape: Tape, g: string, x: Known, axis: number, index: number): string {
  const row = reshape(
    tape,
    g,
    x.dims.map((dim, i) => (i === axis ? 1 : dim)),
  );
  const start = index < 0 ? index + x.dims[axis]! : index;
  const at = (count: number): number[] => x.dims.map((_, i) => (i === axis ? count : 0));
  return padded(tape, row, at(start), at(x.dims[axis]! - start - 1));
}

/** y[…, i, …] = x[…, indices[…, i, …], …]: g is added at the same places. */
export const gatherElements: Rule = (tape, node, [g]) => {
  const [x, indices] = node.inputs as [string, string];
  const known = tape.known(x);
  const inputs = [zerosLike(tape, known), indices, g!];
  return [tape.emit('ScatterElements', inputs, known, { axis: axisOf(tape, node), reduction: 'add' }), null];
};

/** y[i] = x[indices[i]], an index of several axes: g is added at the same places. */
export const gatherND: Rule = (tape, node, [g]) => {
  const [x, indices] = node.inputs as [string, string];
  const known = tape.known(x);
  const places = withBatch(tape, indices, readInt(node, 'batch_dims', 0));
  return [tape.emit('ScatterND', [zerosLike(tape, known), places, g!], known, { reduction: 'add' }), null];
};

/** Indices that start behind `count` batch axes, with the batch's own place written in front: ScatterND has no batch axes. */
function withBatch(tape: Tape, indices: string, count: number): string {
  if (count === 0) return indices;
  const { dims } = tape.known(indices);
  const lead = dims.slice(0, -1);
  const inner = elementCount(lead.slice(count));
  const places: number[] = [];
  for (let i = 0; i < elementCount(lead); i++) {
    let left = Math.floor(i / inner);
    const place: number[] = [];
    for (let axis = count - 1; axis >= 0; axis--) {
      place.unshift(left % dims[axis]!);
      left = Math.floor(left / dims[axis]!);
    }
    places.push(...place);
  }
  const batch = tape.ints(places, [...lead, count]);
  return tape.emit(
    'Concat',
    [batch, indices],
    { dtype: 'int64', dims: [...lead, count + dims.at(-1)!] },
    { axis: lead.length },
  );
}

/** y = x with elements replaced, or added to: ∂x = g, 0 where replaced; the updates get g at their places. */
export const scatterElements: Rule = (tape, node, [g]) => {
  const [x, indices, updates] = node.inputs as [string, string, string];
  const isAdded = addsUp(node);
  const attributes = { axis: axisOf(tape, node) };
  const zeros = (): string => zerosLike(tape, tape.known(updates));
  return [
    !tape.wants(x)
      ? null
      : isAdded
        ? g!
        : tape.emit('ScatterElements', [g!, indices, zeros()], tape.known(x), attributes),
    null,
    tape.wants(updates) ? tape.emit('GatherElements', [g!, indices], tape.known(updates), attributes) : null,
  ];
};

/** As `scatterElements`, with indices of several axes. */
export const scatterND: Rule = (tape, node, [g]) => {
  const [x, indices, updates] = node.inputs as [string, string, string];
  const isAdded = addsUp(node);
  const zeros = (): string => zerosLike(tape, tape.known(updates));
  return [
    !tape.wants(x) ? null : isAdded ? g! : tape.emit('ScatterND', [g!, indices, zeros()], tape.known(x)),
    null,
    tape.wants(updates) ? tape.emit('GatherND', [g!, indices], tape.known(updates)) : null,
  ];
};

function addsUp(node: Node): boolean {
  const reduction = readString(node, 'reduction', 'none');
  if (reduction !== 'none' && reduction !== 'add')
    refuse(
      'unsupported',
      `The layer "${node.name}" is a ${node.op} with reduction ${reduction}, which has no gradient rule.`,
    );
  return reduction === 'add';
}

/** y = the k largest of x: g goes back to where they were. */
export const topK: Rule = (tape, node, [g]) => {
  const x = tape.known(node.inputs[0]!);
  const axis = axesFrom([readInt(node, 'axis', -1)], x.dims.length)[0]!;
  const places = tape.output(node, 1, { dtype: 'int64', dims: tape.known(g!).dims });
  return [tape.emit('ScatterElements', [zerosLike(tape, x), places, g!], x, { axis }), null];
};
