// Gradients of QuantizeLinear → DequantizeLinear, the fake-quantized pair: rounding is passed straight through (Bengio et al.,
// arXiv:1308.3432), what saturates gets nothing. The scale's gradient is that of learned step sizes (Esser et al., arXiv:1902.08153).
//
// The gradient of a quantized value is written in the units of the value it stands for: ∂q means ∂x̂, x̂ = (q − z)·s.
import { readInt } from '../../graph/edit';
import type { DataType, Node } from '../../graph/graph';
import { axesFrom, broadcastDims, cast, compare, div, expand, filled, masked, mul, neg, reshape, sum } from '../emit';
import type { Known, Rule, Tape } from '../tape';
import { pad, slice } from './slices';

const ranges: Partial<Record<DataType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint4: [0, 15],
  int4: [-8, 7],
  uint2: [0, 3],
  int2: [-2, 1],
};

/** q = round(x/s) + z, held to its range: ∂x = ∂x̂ inside; ∂s = Σ −∂x̂·x/s inside, which DequantizeLinear's share completes. */
export const quantizeLinear: Rule = (tape, node, [g]) => {
  const [x, scale] = node.inputs as [string, string];
  const range = ranges[tape.known(node.outputs[0]!).dtype];
  if (!range) throw new Error(`no gradient through ${tape.known(node.outputs[0]!).dtype}`);
  const known = tape.known(x);
  const through = masked(tape, insideRange(tape, node, range), g!);
  const s = laidOut(tape, node, cast(tape, scale, known.dtype), known.dims);
  return [
    tape.wants(x) ? through : null,
    tape.wants(scale)
      ? foldedBack(tape, node, neg(tape, mul(tape, through, div(tape, x, s))), tape.known(scale))
      : null,
    ...node.inputs.slice(2).map(() => null),
  ];
};

/** x̂ = (q − z)·s: ∂q is g as it is; ∂s = Σ g·(q − z). */
export const dequantizeLinear: Rule = (tape, node, [g]) => {
  const [q, scale, zero] = node.inputs as [string, string, string | undefined];
  const others = node.inputs.slice(2).map(() => null);
  if (!tape.wants(scale)) return [g!, null, ...others];
  const { dtype, dims } = tape.known(scale);
  const attributes = Object.fromEntries(node.attributes);
  const steps = tape.emit(
    'DequantizeLinear',
    [q, filled(tape, 1, dtype, dims), zero ?? ''],
    { ...tape.known(g!), dtype },
    attributes,
  );
  return [g!, foldedBack(tape, node, mul(tape, g!, steps), { dtype, dims }), ...others];
};

/** Where (low − z − ½)·s ≤ x ≤ (high − z + ½)·s: what rounds to a code that exists. */
function insideRange(tape: Tape, node: Node, [low, high]: readonly [number, number]): string {
  const [x, scale, zero] = node.inputs as [string, string, string | undefined];
  const { dtype, dims } = tape.known(x);
  const s = cast(tape, scale, dtype);
  const edge = (code: number): string => {
    const from = tape.scalar(code, dtype);
    const steps = zero ? tape.emit('Sub', [from, cast(tape, zero, dtype)], { ...tape.known(zero), dtype }) : from;
    return laidOut(tape, node, mul(tape, steps, s), dims);
  };
  const above = compare(tape, 'GreaterOrEqual', x, edge(low - 0.5));
  const under = compare(tape, 'LessOrEqual', x, edge(high + 0.5));
  return tape.emit('And', [above, under], {
    dtype: 'bool',
    dims: broadcastDims(tape.known(above).dims, tape.known(under).dims),
  });
}

const axisOf = (node: Node, rank: number): number => axesFrom([readInt(node, 'axis', 1)], rank)[0]!;

/** Scales in a shape that broadcasts against x: one for all, one for each index of the axis, or one for each block along it. */
function laidOut(tape: Tape, node: Node, scale: string, dims: readonly number[]): string {
  const own = tape.known(scale).dims;
  const block = readInt(node, 'block_size', 0);
  if (own.length === 0 || (own.length === 1 && own[0] === 1)) return reshape(tape, scale, []);
  const axis = axisOf(node, dims.length);
  if (block === 0)
    return reshape(
      tape,
      scale,
      dims.map((dim, i) => (i === axis ? dim : 1)),
    );
  // [… blocks …] → [… blocks, 1 …] → [… blocks, block …] → [… blocks·block …], cut where the last block is short.
  const apart = reshape(tape, scale, [...own.slice(0, axis + 1), 1, ...own.slice(axis + 1)]);
  const wide = expand(tape, apart, [...own.slice(0, axis + 1), block, ...own.slice(axis + 1)]);
  const whole = reshape(tape, wide, [...own.slice(0, axis), own[axis]! * block, ...own.slice(axis + 1)]);
  return slice(tape, whole, [{ axis, start: 0, end: dims[axis]! }]);
}

/** What every element asks of its scale, summed in the scale's shape. */
function foldedBack(tape: Tape, node: Node, g: string, scale: Known): string {
  const { dims } = tape.known(g);
  const block = readInt(node, 'block_size', 0);
  const rank = dims.length;
  const axes = dims.map((_, i) => i);
  const inType = (value: string): string => cast(tape, reshape(tape, value, scale.dims), scale.dtype);
  if (scale.dims.length === 0 || (scale.dims.length === 1 && scale.dims[0] === 1))
    return inType(sum(tape, g, axes, false));
  const axis = axisOf(node, rank);
  if (block === 0)
    return inType(
      sum(
        tape,
        g,
        axes.filter((i) => i !== axis),
        false,
      ),
    );
  const blocks = scale.dims[axis]!;
  const missing = blocks * block - dims[axis]!;
  const none = axes.map(() => 0);
  const full = pad(tape, g, none, none.with(axis, missing));
  const apart = reshape(tape, full, [...dims.slice(0, axis), blocks, block, ...dims.slice(axis + 1)]);
  return inType(sum(tape, apart, [axis + 1], false));
}
