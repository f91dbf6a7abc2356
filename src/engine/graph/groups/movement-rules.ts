// Channels through what moves values about without mixing them, and through what treats every place alike.
import { readInt, readIntList, readString } from '../edit';
import { axisAt, broadcast, type Call, Lost, type Rule, wholly } from './call';
import type { Axis } from './channels';
import { reshaped } from './reshape';

const pointwise: Rule = (call) => [
  broadcast(
    call,
    call.node.inputs.flatMap((name, i) => (name === '' ? [] : [i])),
  ),
];

/** Only the first input has places; ratios, modes and the like follow. */
const first: Rule = (call) => call.node.outputs.map(() => call.axes(0));

const reshape: Rule = (call) => [reshaped(call.channels, call.axes(0), call.shape(0), call.out(), call.reason)];

const transpose: Rule = (call) => {
  const axes = call.axes(0);
  const order = readIntList(call.node, 'perm') ?? axes.map((_, i) => axes.length - 1 - i);
  return [order.map((i) => axes[i]!)];
};

const unsqueeze: Rule = (call) => {
  const out = call.out();
  const at = (readIntList(call.node, 'axes') ?? call.values(1) ?? lost()).map((axis) => axisAt(axis, out.length));
  const left = [...call.axes(0)];
  return [out.map((_, i) => (at.includes(i) ? '' : left.shift()!))];
};

const squeeze: Rule = (call) => {
  const axes = call.axes(0);
  const shape = call.shape(0);
  const named = readIntList(call.node, 'axes') ?? call.values(1);
  if (!named && call.has(1)) throw new Lost();
  const at = named?.map((axis) => axisAt(axis, axes.length)) ?? shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  return [axes.filter((_, i) => !at.includes(i))];
};

/** Where a size stays the axis stays; a new one has channels of its own, as a constant has. */
const expand: Rule = (call) => {
  const out = call.out();
  const axes = call.axes(0);
  const shape = call.shape(0);
  const lead = out.length - axes.length;
  return [
    out.map((dim, i) => {
      const size = shape[i - lead];
      if (size !== undefined && size === dim) return axes[i - lead]!;
      if (size !== undefined && size !== 1) return wholly(call, axes[i - lead]!);
      return typeof dim === 'number' && dim > 1 ? call.channels.fresh(dim) : call.reason;
    }),
  ];
};

const filled: Rule = (call) => [
  call.out().map((dim) => (typeof dim === 'number' && dim > 1 ? call.channels.fresh(dim) : call.reason)),
];

/** Sizes that stay are the same places; along others places are mixed or repeated. */
const resized: Rule = (call) => {
  const out = call.out();
  const shape = call.shape(0);
  return [call.axes(0).map((axis, i) => (shape[i] === out[i] && shape[i] !== null ? axis : wholly(call, axis)))];
};

const concat: Rule = (call) => {
  const all = call.node.inputs.map((_, i) => call.axes(i));
  const axis = axisAt(readInt(call.node, 'axis', 0), all[0]!.length);
  return [
    all[0]!.map((one, i) =>
      i === axis
        ? joined(
            call,
            all.map((axes, input) => ({ axis: axes[i]!, size: call.shape(input)[i] })),
          )
        : all.slice(1).reduce((known, axes) => call.channels.same(known, axes[i]!), one),
    ),
  ];
};

/** One after another; parts that stay whole become places that do. */
function joined(call: Call, parts: readonly { axis: Axis; size: unknown }[]): Axis {
  if (parts.every(({ axis }) => typeof axis === 'string')) return call.reason;
  if (parts.some(({ size }) => typeof size !== 'number')) {
    for (const { axis } of parts) call.channels.fix(axis, call.reason);
    return call.reason;
  }
  return Int32Array.from(
    parts.flatMap(({ axis, size }) => {
      if (typeof axis !== 'string') return [...axis];
      const whole = call.channels.fresh(size as number);
      call.channels.fix(whole, axis || call.reason);
      return [...whole];
    }),
  );
}

const split: Rule = (call) => {
  const axes = call.axes(0);
  const axis = axisAt(readInt(call.node, 'axis', 0), axes.length);
  const along = axes[axis]!;
  let from = 0;
  return call.node.outputs.map((_, output) => {
    const size = call.out(output)[axis];
    if (typeof along === 'string') return axes;
    if (typeof size !== 'number') throw new Lost();
    from += size;
    return axes.map((one, i) => (i === axis ? along.slice(from - size, from) : one));
  });
};

const slice: Rule = (call) => {
  const axes = [...call.axes(0)];
  const out = call.out();
  const [starts, ends] = [call.values(1), call.values(2)];
  const named = call.has(3) ? (call.values(3) ?? lost()) : axes.map((_, i) => i).slice(0, starts?.length ?? 0);
  if (!call.has(3) && !starts) throw new Lost();
  const steps = call.has(4) ? call.values(4) : named.map(() => 1);
  for (const [i, one] of named.entries()) {
    const axis = axisAt(one, axes.length);
    const along = axes[axis]!;
    if (typeof along === 'string') continue;
    if (!starts || !ends || steps?.[i] !== 1) {
      call.channels.fix(along, call.reason);
      axes[axis] = out[axis] === along.length ? along : call.reason;
      continue;
    }
    axes[axis] = along.slice(starts[i], ends[i]);
  }
  return [axes];
};

/** Borders are added where there are no channels; elsewhere the places stay. */
const pad: Rule = (call) => resized(call);

/** [B, b·b·C, H, W] → [B, C, b·H, b·W]: the parts of a place go together. */
const depthToSpace: Rule = (call) => {
  const [batch, channel, ...space] = call.axes(0) as Axis[];
  const parts = readInt(call.node, 'blocksize', 1) ** 2;
  const isDepthFirst = readString(call.node, 'mode', 'DCR') === 'DCR';
  let out: Axis = channel!;
  if (typeof channel !== 'string') {
    const count = channel!.length / parts;
    const places = (c: number) =>
      Int32Array.from({ length: parts }, (_, i) => channel![isDepthFirst ? i * count + c : c * parts + i]!);
    out = Int32Array.from({ length: count }, (_, c) => call.channels.asOne(places(c)));
  }
  return [[batch!, out, ...space.map((axis) => wholly(call, axis))]];
};

function lost(): never {
  throw new Lost();
}

const table = (ops: string, rule: Rule) => Object.fromEntries(ops.split(/\s+/).map((op) => [op, rule]));

export const movementRules: Readonly<Record<string, Rule>> = {
  ...table(
    `Add Sub Mul Div Pow Min Max Sum Mean And Or Xor Equal Less Greater LessOrEqual GreaterOrEqual Where PRelu Mod
    Relu LeakyRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Tanh Gelu Softplus Softsign Swish Mish Clip
    Abs Neg Exp Log Sqrt Reciprocal Erf Floor Ceil Round Sign Sin Cos Not Identity IsNaN IsInf
    FastGelu QuickGelu BiasGelu`,
    pointwise,
  ),
  ...table('Cast CastLike Dropout', first),
  ...table('Reshape Flatten', reshape),
  /** What is done with the answer is looked at when all is known; see sizes. */
  ...table('Shape Size', (call) => [call.node.op === 'Shape' ? [call.reason] : []]),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Expand: expand,
  ConstantOfShape: filled,
  ...table('Resize Upsample Tile', resized),
  Pad: pad,
  Concat: concat,
  Split: split,
  Slice: slice,
  DepthToSpace: depthToSpace,
};
