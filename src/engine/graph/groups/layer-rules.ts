// Channels through layers and norms: what a layer makes is free, what it reads goes with who made it.
import { readInt, readIntList, readString } from '../edit';
import type { Dim } from '../graph';
import { axisAt, broadcast, type Call, Lost, type Rule, wholly } from './call';
import type { Axis } from './channels';

/** x[B, C, …] · w[M, C/g, …] + b[M]. Of a convolution with groups, whole groups go: of a depthwise one, single channels. */
const conv: Rule = (call) => {
  const [batch, ins, ...space] = call.axes(0) as Axis[];
  const [outs, depth, ...kernel] = call.axes(1) as Axis[];
  for (const axis of [...space, ...kernel]) call.channels.fix(axis, call.reason);
  const groups = readInt(call.node, 'group', 1);
  if (groups === 1) {
    call.channels.same(ins!, depth!);
    call.reads(0, 1);
  } else {
    call.channels.fix(depth, call.reason);
    grouped(call, groups, [ins!, outs!]);
  }
  if (call.has(2)) call.channels.same(outs!, call.axes(2)[0]!);
  call.makes(outs!);
  return [[batch!, outs!, ...space.map((axis) => wholly(call, axis))]];
};

/** x[B, C, …] · w[C, M/g, …] + b[M]. */
const convTranspose: Rule = (call) => {
  const [batch, ins, ...space] = call.axes(0) as Axis[];
  const [rows, columns, ...kernel] = call.axes(1) as Axis[];
  for (const axis of [...space, ...kernel]) call.channels.fix(axis, call.reason);
  const groups = readInt(call.node, 'group', 1);
  let outs = columns!;
  call.channels.same(ins!, rows!);
  if (groups === 1) call.reads(0, 1);
  else {
    call.channels.fix(columns, call.reason);
    outs = call.channels.fresh(number(call.shape(1)[1]) * groups);
    grouped(call, groups, [ins!, outs]);
  }
  if (call.has(2)) call.channels.same(outs, call.axes(2)[0]!);
  call.makes(outs);
  return [[batch!, outs, ...space.map((axis) => wholly(call, axis))]];
};

/** Everything that belongs to one group of a convolution, on all of the axes. */
function grouped(call: Call, groups: number, axes: readonly Axis[]): void {
  const fixed = axes.find((axis) => typeof axis === 'string');
  if (fixed !== undefined) {
    for (const axis of axes) call.channels.fix(axis, (fixed as string) || call.reason);
    return;
  }
  for (let group = 0; group < groups; group++) {
    const all = axes.flatMap((axis) => {
      const size = axis.length / groups;
      return [...(axis as Int32Array).subarray(group * size, (group + 1) * size)];
    });
    call.channels.asOne(Int32Array.from(all));
  }
}

const gemm: Rule = (call) => {
  const [a, b] = [call.axes(0), call.axes(1)];
  const [turnedA, turnedB] = [readInt(call.node, 'transA', 0), readInt(call.node, 'transB', 0)];
  const [rows, inner] = turnedA ? [a[1]!, a[0]!] : [a[0]!, a[1]!];
  const [depth, columns] = turnedB ? [b[1]!, b[0]!] : [b[0]!, b[1]!];
  call.channels.same(inner, depth);
  call.reads(0, turnedA ? 0 : 1);
  call.makes(columns);
  const out: [Axis, Axis] = [rows, columns];
  if (call.has(2)) {
    const shape = call.shape(2);
    for (const [i, axis] of call.axes(2).entries())
      if (shape[i] !== 1) out[i + 2 - shape.length] = call.channels.same(out[i + 2 - shape.length]!, axis);
  }
  return [out];
};

const matMul: Rule = (call) => {
  const [a, b] = [call.axes(0), call.axes(1)];
  if (a.length < 2 || b.length < 2) throw new Lost();
  call.channels.same(a.at(-1)!, b.at(-2)!);
  call.reads(0, a.length - 1);
  call.makes(b.at(-1)!);
  const lead = broadcast(
    {
      ...call,
      axes: (input) => call.axes(input).slice(0, -2),
      shape: (input) => call.shape(input).slice(0, -2),
    },
    [0, 1],
    call.out().slice(0, -2),
  );
  return [[...lead, a.at(-2)!, b.at(-1)!]];
};

/** Rows of a table by their number: the rows stay, their width may not. */
const gather: Rule = (call) => {
  const data = call.axes(0);
  const axis = axisAt(readInt(call.node, 'axis', 0), data.length);
  const at = call.values(1);
  const along = data[axis]!;
  const picked: Axis[] =
    at && typeof along !== 'string' && call.axes(1).length === 1
      ? [Int32Array.from(at, (i) => along[i < 0 ? i + along.length : i]!)]
      : call.axes(1).map((one) => one || wholly(call, along));
  if (!(at && call.axes(1).length === 1)) call.channels.fix(along, call.reason);
  if (axis === 0 && data.length === 2) call.makes(data[1]!);
  return [[...data.slice(0, axis), ...picked, ...data.slice(axis + 1)]];
};

/** Each channel is normalised by itself. */
const channelNorm: Rule = (call) => {
  const axes = [...call.axes(0)];
  for (const [input, name] of call.node.inputs.entries())
    if (input > 0 && name !== '') axes[1] = call.channels.same(axes[1]!, call.axes(input)[0]!);
  call.scales(1);
  return [axes];
};

/** The last axes are normalised together. */
const layerNorm: Rule = (call) => {
  const axes = call.axes(0);
  const first = axisAt(readInt(call.node, 'axis', -1), axes.length);
  for (const axis of axes.slice(first)) call.channels.fix(axis, call.reason);
  for (const [input, name] of call.node.inputs.entries())
    if (input > 0 && name !== '') for (const axis of call.axes(input)) call.channels.fix(axis, call.reason);
  return call.node.outputs.map((_, i) => (i === 0 ? axes : axes.map((axis) => wholly(call, axis))));
};

/** Equal letters go together. */
const einsum: Rule = (call) => {
  const [left, right] = readString(call.node, 'equation', '').replaceAll(' ', '').split('->');
  if (right === undefined || left!.includes('.')) throw new Lost();
  const letters = new Map<string, Axis>();
  for (const [input, term] of left!.split(',').entries()) {
    const shape = call.shape(input);
    for (const [i, letter] of [...term].entries()) {
      if (shape[i] === 1 || new Set(term).size !== term.length) throw new Lost();
      const known = letters.get(letter);
      const axis = call.axes(input)[i]!;
      letters.set(letter, known === undefined ? axis : call.channels.same(known, axis));
      if (input === 0 && !right.includes(letter)) call.reads(0, i);
    }
  }
  for (const [letter, axis] of letters)
    if (!right.includes(letter) && !left!.split(',')[0]!.includes(letter)) call.channels.fix(axis, call.reason);
  return [[...right].map((letter) => letters.get(letter) ?? call.reason)];
};

/** Places along the axes after the second are put together. */
const pool: Rule = (call) => {
  const [batch, channel, ...space] = call.axes(0) as Axis[];
  const out = [batch!, channel!, ...space.map((axis) => wholly(call, axis))];
  return call.node.outputs.map((_, i) => (i === 0 ? out : out.map(() => call.reason)));
};

const softmax: Rule = (call) => {
  const axes = [...call.axes(0)];
  const axis = axisAt(readInt(call.node, 'axis', -1), axes.length);
  axes[axis] = wholly(call, axes[axis]!);
  return [axes];
};

const reduce: Rule = (call) => {
  const axes = call.axes(0);
  const named = readIntList(call.node, 'axes') ?? (call.has(1) ? (call.values(1) ?? lost()) : []);
  if (named.length === 0 && readInt(call.node, 'noop_with_empty_axes', 0) === 1) return [axes];
  const over = new Set(named.length > 0 ? named.map((one) => axisAt(one, axes.length)) : axes.keys());
  for (const axis of over) call.channels.fix(axes[axis], call.reason);
  const kept = readInt(call.node, 'keepdims', 1) === 1;
  return [axes.flatMap((axis, i) => (over.has(i) ? (kept ? [''] : []) : [axis]))];
};

function lost(): never {
  throw new Lost();
}

function number(dim: Dim | undefined): number {
  return typeof dim === 'number' ? dim : lost();
}

export const layerRules: Readonly<Record<string, Rule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: gemm,
  MatMul: matMul,
  Gather: gather,
  Einsum: einsum,
  BatchNormalization: channelNorm,
  InstanceNormalization: channelNorm,
  LayerNormalization: layerNorm,
  RMSNormalization: layerNorm,
  SimplifiedLayerNormalization: layerNorm,
  Softmax: softmax,
  LogSoftmax: softmax,
  ...Object.fromEntries(
    'MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool'.split(' ').map((op) => [op, pool]),
  ),
  ...Object.fromEntries(
    'ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp'
      .split(' ')
      .map((op) => [op, reduce]),
  ),
};
