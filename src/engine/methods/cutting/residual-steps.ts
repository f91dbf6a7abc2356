// What each operator does to a residual stream that is turned: lets it through, takes a gain from it, or forbids it.
import { readInt, readIntList } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import { numbersOf } from '../../graph/tensor';
import { reshapedTrack } from './joints';
import type { Affine, StreamWalk, Track } from './residual';

/** Sets what follows for every input and output of a node that a value of the stream goes into or comes from. */
type Rule = (walk: StreamWalk, node: Node) => string | null;

/** Gain and shift of norms, and the constant a fused sum adds: their inputs. The first output is the norm's, the fourth the sum. */
const norms: Record<string, { gain: number; shift: number; added?: number; centres: boolean }> = {
  LayerNormalization: { gain: 1, shift: 2, centres: true },
  RMSNormalization: { gain: 1, shift: -1, centres: false },
  SimplifiedLayerNormalization: { gain: 1, shift: -1, centres: false },
  SkipLayerNormalization: { gain: 2, shift: 3, added: 4, centres: true },
  SkipSimplifiedLayerNormalization: { gain: 2, shift: -1, added: 3, centres: false },
};

export function stepThrough(walk: StreamWalk, node: Node): string | null {
  if (norms[node.op]) return norm(walk, node);
  if (node.domain === 'com.microsoft' && node.op === 'EmbedLayerNormalization') return embedding(walk, node);
  const rule = node.domain === '' ? rules[node.op] : undefined;
  return rule ? rule(walk, node) : stands(node);
}

const passes: Rule = (walk, node) => moves(walk, node, (axis) => axis);

const rules: Record<string, Rule> = {
  Add: sum,
  Sub: sum,
  Mul: product,
  Div: product,
  Pow: power,
  ReduceMean: reduction,
  ReduceSum: reduction,
  ReduceL2: reduction,
  ReduceSumSquare: reduction,
  BatchNormalization: batchNorm,
  Identity: passes,
  Cast: passes,
  Dropout: passes,
  Transpose: (walk, node) =>
    moves(walk, node, (axis, before) =>
      (readIntList(node, 'perm') ?? before.map((_, i) => before.length - 1 - i)).indexOf(axis),
    ),
  Reshape: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Flatten: reshape,
  Slice: (walk, node) => {
    const listed = walk.intsOf(node, 3, 'axes');
    return moves(walk, node, (axis, before) =>
      listed && !listed.some((one) => (one + before.length) % before.length === axis) ? axis : null,
    );
  },
  Gather: (walk, node) =>
    moves(walk, node, (axis, before) => {
      const along = (readInt(node, 'axis', 0) + before.length) % before.length;
      const rank = walk.shapeOf(node.inputs[1] ?? '')?.length;
      if (axis === along || rank === undefined) return null;
      return axis < along ? axis : axis - 1 + rank;
    }),
  Concat: concat,
  Expand: (walk, node) => {
    const track = trackOf(walk, node)!;
    return operand(walk, node, 0, track) ?? reachOutput(walk, node, track);
  },
  Shape: () => null,
  Size: () => null,
  ConstantOfShape: (walk, node) => {
    const value = node.attributes.get('value');
    const data = value?.type === 'tensor' ? value.value.data : null;
    // The same number in every channel; zeros are zeros in every basis.
    if (data && !(data.kind === 'bytes' && data.bytes.every((byte) => byte === 0))) walk.keepsOnes = true;
    return null;
  },
};

/** Where the channels are, counted from the last axis, in whichever value of the node is known. */
function trackOf(walk: StreamWalk, node: Node): { behind: number; affine: Affine | null } | null {
  for (const name of [...node.inputs, ...node.outputs]) {
    const track = walk.tracks.get(name);
    const shape = walk.shapeOf(name);
    if (track && shape) return { behind: shape.length - 1 - track.axis, affine: track.affine };
  }
  return null;
}

function reachOutput(walk: StreamWalk, node: Node, { behind }: { behind: number }, affine: Affine | null = null) {
  const rank = walk.shapeOf(node.outputs[0]!)?.length ?? 0;
  return walk.reach(node.outputs[0]!, rank - 1 - behind, affine);
}

/** Size along the channels, aligned from the last axis; 1 where the value has no such axis, null where nothing is known. */
function widthOf(walk: StreamWalk, name: string, behind: number): unknown {
  const shape = walk.stored(name)?.dims ?? walk.shapeOf(name);
  if (!shape) return null;
  return shape.length > behind ? shape[shape.length - 1 - behind] : 1;
}

/** One side of a sum: part of the stream, a constant to be turned, or the same number in every channel. */
function operand(walk: StreamWalk, node: Node, input: number, { behind }: { behind: number }): string | null {
  const name = node.inputs[input]!;
  const width = widthOf(walk, name, behind);
  if (width === 1) {
    walk.keepsOnes = true;
    return null;
  }
  if (width !== walk.size) return `What ${node.op} adds has a shape that is not known.`;
  const tensor = walk.stored(name);
  if (tensor) return walk.turn({ node, input }, tensor.dims.length - 1 - behind);
  return walk.reach(name, walk.shapeOf(name)!.length - 1 - behind, null);
}

function sum(walk: StreamWalk, node: Node): string | null {
  const track = trackOf(walk, node)!;
  const { affine, behind } = track;
  if (!affine) return operand(walk, node, 0, track) ?? operand(walk, node, 1, track) ?? reachOutput(walk, node, track);
  const input = walk.tracks.has(node.inputs[0]!) ? 1 : 0;
  const isShift = node.op === 'Add' && walk.stored(node.inputs[input]!) && !affine.shift && !affine.batch;
  if (!isShift || widthOf(walk, node.inputs[input]!, behind) !== walk.size || behind !== 0) return flows(node);
  return reachOutput(walk, node, track, { ...affine, shift: { node, input } });
}

function product(walk: StreamWalk, node: Node): string | null {
  const track = trackOf(walk, node)!;
  const { affine, behind } = track;
  const [first, second] = node.inputs as [string, string];
  if (affine) return flows(node);
  if (first === second) {
    if (node.op !== 'Mul' || !walk.tracks.has(first)) return stands(node);
    walk.squares.set(node.outputs[0]!, walk.tracks.get(first)!.axis);
    return null;
  }
  const known = [first, second].findIndex((name) => walk.tracks.has(name));
  const at = known >= 0 ? known : [first, second].findIndex((name) => widthOf(walk, name, behind) === walk.size);
  const other = at === 0 ? second : first;
  if (at < 0 || (node.op === 'Div' && at !== 0)) return stands(node);
  const width = widthOf(walk, other, behind);
  if (width === 1)
    return (
      walk.reach(node.inputs[at]!, walk.shapeOf(node.inputs[at]!)!.length - 1 - behind, null) ??
      reachOutput(walk, node, track)
    );
  const isGain = known >= 0 && node.op === 'Mul' && behind === 0 && width === walk.size && walk.stored(other);
  if (!isGain) return stands(node);
  return reachOutput(walk, node, track, { gain: { node, input: 1 - at }, shift: null, batch: null });
}

function power(walk: StreamWalk, node: Node): string | null {
  const track = walk.tracks.get(node.inputs[0]!);
  const exponent = walk.stored(node.inputs[1] ?? '');
  if (!track || track.affine || exponent?.data.kind !== 'bytes') return stands(node);
  if (Number(numbersOf(exponent.dtype, 1, exponent.data.bytes, exponent.name)[0]) !== 2) return stands(node);
  walk.squares.set(node.outputs[0]!, track.axis);
  return null;
}

function reduction(walk: StreamWalk, node: Node): string | null {
  const value = node.inputs[0]!;
  const track = walk.tracks.get(value);
  if (track && walk.isOverChannels(node, value, track.axis)) {
    if (track.affine) return flows(node);
    if (!/^Reduce(L2|SumSquare)$/.test(node.op)) walk.keepsOnes = true;
    return null;
  }
  if (node.op !== 'ReduceMean') return stands(node);
  const listed = walk.intsOf(node, 1, 'axes');
  return moves(walk, node, (axis, before) => {
    const axes = listed?.map((one) => (one + before.length) % before.length) ?? [axis];
    if (axes.includes(axis)) return null;
    return readInt(node, 'keepdims', 1) === 1 ? axis : axis - axes.filter((one) => one < axis).length;
  });
}

function reshape(walk: StreamWalk, node: Node): string | null {
  const after = walk.shapeOf(node.outputs[0]!);
  return moves(walk, node, (axis, before) => {
    const track = after && reshapedTrack(before, after, { axis, inner: 1 }, walk.size);
    return track?.inner === 1 ? track.axis : null;
  });
}

function concat(walk: StreamWalk, node: Node): string | null {
  const track = trackOf(walk, node)!;
  const rank = walk.shapeOf(node.outputs[0]!)?.length ?? 0;
  const along = (readInt(node, 'axis', 0) + rank) % rank;
  if (track.affine || along === rank - 1 - track.behind) return stands(node);
  for (const input of node.inputs.keys()) {
    const reason = operand(walk, node, input, track);
    if (reason) return reason;
  }
  return reachOutput(walk, node, track);
}

/** A step that only moves the axis of the channels: forward from its input, or back from its output. */
function moves(
  walk: StreamWalk,
  node: Node,
  next: (axis: number, before: readonly unknown[]) => number | null,
): string | null {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const before = walk.shapeOf(input);
  if (!before || node.outputs.slice(1).some((name) => name !== '')) return stands(node);
  const from = walk.tracks.get(input);
  const after = walk.tracks.get(output);
  const axis = from ? from.axis : before.findIndex((_, i) => next(i, before) === after?.axis);
  const to = axis < 0 ? null : next(axis, before);
  if (to === null) return stands(node);
  const affine = from?.affine ?? null;
  return walk.reach(input, axis, affine) ?? walk.reach(output, to, affine);
}

function norm(walk: StreamWalk, node: Node): string | null {
  const { gain, shift, added, centres } = norms[node.op]!;
  const data = added === undefined ? [node.inputs[0]!] : node.inputs.slice(0, 2);
  const rank = walk.shapeOf(data[0]!)?.length ?? 0;
  const last: Track = { axis: rank - 1, affine: null };
  const axis = readInt(node, 'axis', -1);
  const others = added === undefined ? node.outputs.slice(1) : node.outputs.slice(1, 3);
  if (rank === 0 || (axis + rank) % rank !== last.axis || others.some((name) => name !== '')) return stands(node);
  if (data.some((name) => walk.tracks.get(name)?.affine)) return flows(node);
  if (!data.some((name) => walk.tracks.has(name)) && !walk.tracks.has(node.outputs[3] ?? '')) return afterwards(node);
  if (centres) walk.keepsOnes = true;
  for (const name of [...data, ...(node.outputs[3] ? [node.outputs[3]] : [])]) {
    const reason = walk.reach(name, last.axis, null);
    if (reason) return reason;
  }
  const constants = [gain, shift, added ?? -1].filter((input) => input >= 0 && (node.inputs[input] ?? '') !== '');
  if (constants.some((input) => walk.stored(node.inputs[input]!)?.dims.at(-1) !== walk.size)) return stands(node);
  if (added !== undefined && (node.inputs[added] ?? '') !== '') walk.turn({ node, input: added }, 0);
  return walk.reach(node.outputs[0]!, last.axis, {
    gain: { node, input: gain },
    shift: constants.includes(shift) ? { node, input: shift } : null,
    batch: null,
  });
}

/** Tables that are looked up and added (output 2), then normalised (output 0). */
function embedding(walk: StreamWalk, node: Node): string | null {
  const [normed, , added] = node.outputs;
  const track = walk.tracks.get(added ?? '');
  if (!added || !track) return afterwards(node);
  for (const site of walk.map.sites.get(node) ?? []) {
    const reason = walk.make(site, track, added);
    if (reason) return reason;
  }
  walk.keepsOnes = true;
  return walk.reach(normed!, track.axis, { gain: { node, input: 5 }, shift: { node, input: 6 }, batch: null });
}

function batchNorm(walk: StreamWalk, node: Node): string | null {
  const track = walk.tracks.get(node.inputs[0]!);
  if (!track) return afterwards(node);
  const isConstant = node.inputs.slice(1, 5).every((name) => walk.stored(name)?.dims[0] === walk.size);
  if (track.affine || track.axis !== 1 || !isConstant || readInt(node, 'training_mode', 0) !== 0) return stands(node);
  if (node.outputs.slice(1).some((name) => name !== '')) return stands(node);
  return walk.reach(node.outputs[0]!, 1, { gain: null, shift: null, batch: node });
}

export const stands = ({ op }: Node): string => `${op} stands in it.`;
const flows = ({ op }: Node): string =>
  `A norm's gain goes into ${op}, and not only into layers that could take it up.`;
const afterwards = ({ op }: Node): string => `${op} makes it: its gain lies in the stream and cannot be folded away.`;
