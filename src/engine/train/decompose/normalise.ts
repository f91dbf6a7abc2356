// Normalisations in terms of LayerNormalization, InstanceNormalization and arithmetic.
import { floatAttribute, readFloat, readInt, readIntList } from '../../graph/edit';
import { elementCount } from '../../graph/graph';
import { add, div, filled, mean, mul, plus, reduce, reshape, scalarLike, scaled, sub, unary } from '../emit';
import { perChannel } from '../rules/normalise';
import type { Tape } from '../tape';
import type { Decomposition } from './table';

/** LayerNormalization of x + skip (+ bias). */
export const skipLayerNormalization: Decomposition = (tape, node) => {
  const [x, skip, gain, shift, bias] = node.inputs as [string, string, string, string?, string?];
  if (node.outputs[1] || node.outputs[2]) return null;
  const total = summed(tape, x, skip, bias);
  const epsilon = floatAttribute(readFloat(node, 'epsilon', 1e-12));
  const normal = tape.emit('LayerNormalization', [total, gain, shift ?? ''], tape.known(x), { axis: -1, epsilon });
  return [normal, null, null, total];
};

/** RMS normalisation of x + skip (+ bias). */
export const skipSimplifiedLayerNormalization: Decomposition = (tape, node) => {
  const [x, skip, gain, bias] = node.inputs as [string, string, string, string?];
  if (node.outputs[1] || node.outputs[2]) return null;
  const total = summed(tape, x, skip, bias);
  const epsilon = floatAttribute(readFloat(node, 'epsilon', 1e-12));
  const attributes = { axis: -1, epsilon, stash_type: 1 };
  return [tape.emit('SimplifiedLayerNormalization', [total, gain], tape.known(x), attributes), null, null, total];
};

function summed(tape: Tape, x: string, skip: string, bias: string | undefined): string {
  const both = add(tape, x, skip);
  return bias ? add(tape, both, bias) : both;
}

/** x [N, C, …] in groups of channels; γ and β by channel, or by group before opset 21. */
export const groupNormalization: Decomposition = (tape, node) => {
  const [x, gain, shift] = node.inputs as [string, string, string];
  const { dtype, dims } = tape.known(x);
  const [batch, channels, ...spatial] = dims as [number, number, ...number[]];
  const groups = readInt(node, 'num_groups', 1);
  const folded = reshape(tape, x, [batch, groups, (channels / groups) * elementCount(spatial)]);
  const hat = tape.emit(
    'InstanceNormalization',
    [folded, filled(tape, 1, dtype, [groups]), filled(tape, 0, dtype, [groups])],
    tape.known(folded),
    { epsilon: floatAttribute(readFloat(node, 'epsilon', 1e-5)) },
  );
  if (tape.known(gain).dims[0] === channels) {
    const back = reshape(tape, hat, dims);
    return [add(tape, mul(tape, back, perChannel(tape, gain, dims.length)), perChannel(tape, shift, dims.length))];
  }
  const moved = add(tape, mul(tape, hat, perChannel(tape, gain, 3)), perChannel(tape, shift, 3));
  return [reshape(tape, moved, dims)];
};

/** x / ‖x‖ₚ along one axis; zero stays zero. */
export const lpNormalization: Decomposition = (tape, node) => {
  const [x] = node.inputs as [string];
  const axis = readInt(node, 'axis', -1);
  const axes = [axis < 0 ? axis + tape.known(x).dims.length : axis];
  const norm = reduce(tape, readInt(node, 'p', 2) === 1 ? 'ReduceL1' : 'ReduceL2', x, axes, true);
  const isZero = tape.emit('Equal', [norm, scalarLike(tape, norm, 0)], { dtype: 'bool', dims: tape.known(norm).dims });
  const safe = tape.emit('Where', [isZero, scalarLike(tape, norm, 1), norm], tape.known(norm));
  return [div(tape, x, safe)];
};

/** x / (bias + α·mean of x² over the channels around)^β; channels beyond the ends count as zero. */
export const localResponseNormalization: Decomposition = (tape, node) => {
  const [x] = node.inputs as [string];
  const { dtype, dims } = tape.known(x);
  const [batch, channels, ...spatial] = dims as [number, number, ...number[]];
  const size = readInt(node, 'size', 1);
  const before = Math.floor((size - 1) / 2);
  const flat = reshape(tape, mul(tape, x, x), [batch, 1, channels, elementCount(spatial)]);
  const around = tape.emit(
    'AveragePool',
    [flat],
    { dtype, dims: tape.known(flat).dims },
    { kernel_shape: [size, 1], pads: [before, 0, size - 1 - before, 0], count_include_pad: 1 },
  );
  const mass = plus(
    tape,
    scaled(tape, reshape(tape, around, dims), readFloat(node, 'alpha', 1e-4)),
    readFloat(node, 'bias', 1),
  );
  const root = tape.emit('Pow', [mass, scalarLike(tape, x, readFloat(node, 'beta', 0.75))], tape.known(x));
  return [div(tape, x, root)];
};

// As the operator's own definition has it.
const leastDeviation = 1e-9;

/** (x − μ)/(σ + 1e-9), by default over all axes but the channels. */
export const meanVarianceNormalization: Decomposition = (tape, node) => {
  const [x] = node.inputs as [string];
  const rank = tape.known(x).dims.length;
  const axes = (readIntList(node, 'axes') ?? [0, 2, 3]).map((axis) => (axis < 0 ? axis + rank : axis));
  const centred = sub(tape, x, mean(tape, x, axes));
  const deviation = unary(tape, 'Sqrt', mean(tape, mul(tape, centred, centred), axes));
  return [div(tape, centred, plus(tape, deviation, leastDeviation))];
};

/** (Σ |x|ᵖ)^(1/p) of each window. */
export const lpPool: Decomposition = (tape, node) => {
  const [x] = node.inputs as [string];
  const p = readInt(node, 'p', 2);
  const kernel = readIntList(node, 'kernel_shape')!;
  const attributes = Object.fromEntries([...node.attributes].filter(([name]) => name !== 'p'));
  const shares = tape.emit('AveragePool', [power(tape, x, p)], tape.known(node.outputs[0]!), {
    ...attributes,
    count_include_pad: 1,
  });
  return [
    tape.emit('Pow', [scaled(tape, shares, elementCount(kernel)), scalarLike(tape, x, 1 / p)], tape.known(shares)),
  ];
};

/** (Σ |x|ᵖ)^(1/p) over all positions. */
export const globalLpPool: Decomposition = (tape, node) => {
  const [x] = node.inputs as [string];
  const p = readInt(node, 'p', 2);
  const axes = tape
    .known(x)
    .dims.map((_, i) => i)
    .slice(2);
  const total = reduce(tape, 'ReduceSum', power(tape, x, p), axes, true);
  return [tape.emit('Pow', [total, scalarLike(tape, x, 1 / p)], tape.known(total))];
};

function power(tape: Tape, x: string, p: number): string {
  if (p === 1) return unary(tape, 'Abs', x);
  if (p === 2) return mul(tape, x, x);
  return tape.emit('Pow', [unary(tape, 'Abs', x), scalarLike(tape, x, p)], tape.known(x));
}
