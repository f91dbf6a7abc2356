// Gradients of gathering and scattering: g is added up at the places that were read, read at the places that were written.
import { refuse } from '../../../contract/words/refusal';
import { readInt, readString } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { add, axesFrom, compare, expand, filled, mul, reshape, sub, sum, transpose, where } from '../emit';
import type { Known, Rule, Tape } from '../tape';
import { pad } from './slices';

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
  const places = reshape(tape, indices, [count]);
  const added = addedRows(tape, { dtype, dims: [dims[axis]!, ...others] }, places, rows);
  const back = dims.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i));
  return [transpose(tape, added, back), null];
};

/**
 * Zeros with row i of `rows` [n, …] added at place i of `places` [n]. ScatterND would take whole rows and is several times faster, but
 * its threads lose additions where a place occurs twice (onnxruntime 1.30); ScatterElements adds one after the other.
 */
function addedRows(tape: Tape, table: Known, places: string, rows: string): string {
  const { dims } = tape.known(rows);
  const width = elementCount(dims.slice(1));
  const flat: Known = { dtype: table.dtype, dims: [table.dims[0]!, width] };
  const each = expand(tape, reshape(tape, places, [dims[0]!, 1]), [dims[0]!, width]);
  const inputs = [zerosLike(tape, flat), each, reshape(tape, rows, [dims[0]!, width])];
  return reshape(tape, tape.emit('ScatterElements', inputs, flat, { axis: 0, reduction: 'add' }), table.dims);
}

/** One known row: zeros around it. */
function oneRow(tape: Tape, g: string, x: Known, axis: number, index: number): string {
  const row = reshape(
    tape,
    g,
    x.dims.map((dim, i) => (i === axis ? 1 : dim)),
  );
  const start = index < 0 ? index + x.dims[axis]! : index;
  const at = (count: number): number[] => x.dims.map((_, i) => (i === axis ? count : 0));
  return pad(tape, row, at(start), at(x.dims[axis]! - start - 1));
}

/** y[…, i, …] = x[…, indices[…, i, …], …]: g is added at the same places. */
export const gatherElements: Rule = (tape, node, [g]) => {
  const [x, indices] = node.inputs as [string, string];
  const known = tape.known(x);
  const inputs = [zerosLike(tape, known), indices, g!];
  return [tape.emit('ScatterElements', inputs, known, { axis: axisOf(tape, node), reduction: 'add' }), null];
};

/** y[i] = x[indices[i]], an index of several axes, behind `batch_dims` axes that both share: g is added at the same places. */
export const gatherND: Rule = (tape, node, [g]) => {
  const [x, indices] = node.inputs as [string, string];
  const { dtype, dims } = tape.known(x);
  const batch = readInt(node, 'batch_dims', 0);
  const lead = tape.known(indices).dims.slice(0, -1);
  const depth = tape.known(indices).dims.at(-1)!;
  const [searched, rest] = [dims.slice(batch, batch + depth), dims.slice(batch + depth)];
  // Row number within the searched axes: Σ index·stride, negative ones counted from the end.
  const strides = searched.map((_, i) => elementCount(searched.slice(i + 1)));
  const isNegative = compare(tape, 'Less', indices, tape.scalar(0, 'int64'));
  const counted = where(tape, isNegative, add(tape, indices, tape.ints(searched)), indices);
  const rows = sum(tape, mul(tape, counted, tape.ints(strides)), [lead.length], false);
  const places = add(tape, rows, batchStart(tape, lead, batch, elementCount(searched)));
  const count = elementCount(lead);
  const table: Known = { dtype, dims: [elementCount(dims.slice(0, batch + depth)), ...rest] };
  const added = addedRows(tape, table, reshape(tape, places, [count]), reshape(tape, g!, [count, ...rest]));
  return [reshape(tape, added, dims), null];
};

/** Where the rows of each batch begin, in a shape that adds to indices of shape `lead`. */
function batchStart(tape: Tape, lead: readonly number[], batch: number, rows: number): string {
  const shape = lead.map((dim, i) => (i < batch ? dim : 1));
  const starts = Array.from({ length: elementCount(shape) }, (_, i) => i * rows);
  return tape.ints(starts, shape);
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

/** y = on where the index is, off elsewhere: ∂on = Σ of g where it is, ∂off = Σ of the rest. */
export const oneHot: Rule = (tape, node, [g]) => {
  const [indices, depth, values] = node.inputs as [string, string, string];
  const { dtype, dims } = tape.known(g!);
  const all = dims.map((_, i) => i);
  const attributes = { axis: readInt(node, 'axis', -1) };
  const hot = tape.emit('OneHot', [indices, depth, tape.floats([2], [0, 1], dtype)], { dtype, dims }, attributes);
  const on = reshape(tape, sum(tape, mul(tape, g!, hot), all, false), [1]);
  const off = sub(tape, reshape(tape, sum(tape, g!, all, false), [1]), on);
  return [null, null, tape.emit('Concat', [off, on], tape.known(values), { axis: 0 })];
};

/** yᵢ = from + i·step: ∂from = Σ g, ∂step = Σ i·g. */
export const range: Rule = (tape, node, [g]) => {
  const [from, , step] = node.inputs as [string, string, string];
  const { dtype, dims } = tape.known(g!);
  const places = tape.floats(
    dims,
    Array.from({ length: dims[0]! }, (_, i) => i),
    dtype,
  );
  return [
    tape.wants(from) ? reshape(tape, sum(tape, g!, [0], false), tape.known(from).dims) : null,
    null,
    tape.wants(step) ? reshape(tape, sum(tape, mul(tape, g!, places), [0], false), tape.known(step).dims) : null,
  ];
};

/** y = the k largest of x: g goes back to where they were. */
export const topK: Rule = (tape, node, [g]) => {
  const x = tape.known(node.inputs[0]!);
  const axis = axesFrom([readInt(node, 'axis', -1)], x.dims.length)[0]!;
  const places = tape.output(node, 1, { dtype: 'int64', dims: tape.known(g!).dims });
  return [tape.emit('ScatterElements', [zerosLike(tape, x), places, g!], x, { axis }), null];
};
