// Gradients of normalisations: y = x̂·γ + β with x̂ = (x − μ)/σ. What the forward operator can hand out of μ and 1/σ is not computed again.
import { refuse } from '../../../contract/words/refusal';
import { floatAttribute, readFloat, readInt } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { add, filled, mean, mul, plus, reshape, scaled, sub, sum, unary } from '../emit';
import type { Known, Rule, Tape } from '../tape';

/** x̂ and the gradient that reaches it. */
interface Normalised {
  readonly hat: string;
  readonly g: string;
  /** 1/σ, with the normalised axes as size 1. */
  readonly inverse: string;
  readonly axes: readonly number[];
}

/** ∂x = (ĝ − mean(ĝ) − x̂·mean(ĝ·x̂))/σ, the means over what was normalised together. */
function throughCentred(tape: Tape, { hat, g, inverse, axes }: Normalised): string {
  const along = mul(tape, hat, mean(tape, mul(tape, g, hat), axes));
  return mul(tape, inverse, sub(tape, sub(tape, g, mean(tape, g, axes)), along));
}

/** ∂x = (ĝ − x̂·mean(ĝ·x̂))/σ where nothing was subtracted. */
function throughScaled(tape: Tape, { hat, g, inverse, axes }: Normalised): string {
  return mul(tape, inverse, sub(tape, g, mul(tape, hat, mean(tape, mul(tape, g, hat), axes))));
}

/** 1/√(variance + ε) */
function inverseDeviation(tape: Tape, variance: string, epsilon: number): string {
  return unary(tape, 'Reciprocal', unary(tape, 'Sqrt', plus(tape, variance, epsilon)));
}

const axesAfter = (axis: number, rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => i).slice(axis < 0 ? axis + rank : axis);

const collapsed = ({ dtype, dims }: Known, axes: readonly number[]): Known => ({
  dtype,
  dims: dims.map((dim, i) => (axes.includes(i) ? 1 : dim)),
});

/** The gains and shifts of a normalisation over its last axes, in their own shapes. */
function gainGradients(tape: Tape, { inputs: [, gain, shift] }: Node, g: string, hat: string): (string | null)[] {
  return [
    tape.wants(gain) ? tape.unbroadcast(mul(tape, g, hat), tape.known(gain!)) : null,
    tape.wants(shift) ? tape.unbroadcast(g, tape.known(shift!)) : null,
  ];
}

export const layerNormalization: Rule = (tape, node, [g, gMean, gInverse]) => {
  const [x, gain] = node.inputs as [string, string];
  if (gMean || gInverse)
    refuse('unsupported', 'A LayerNormalization whose mean or deviation the loss depends on has no gradient rule.');
  const known = tape.known(x);
  const axes = axesAfter(readInt(node, 'axis', -1), known.dims.length);
  let centred: string;
  let inverse: string;
  if (known.dtype === 'float32') {
    centred = sub(tape, x, tape.output(node, 1, collapsed(known, axes)));
    inverse = tape.output(node, 2, collapsed(known, axes));
  } else {
    centred = sub(tape, x, mean(tape, x, axes));
    inverse = inverseDeviation(tape, mean(tape, mul(tape, centred, centred), axes), readFloat(node, 'epsilon', 1e-5));
  }
  const hat = mul(tape, centred, inverse);
  const [dGain = null, dShift = null] = gainGradients(tape, node, g!, hat);
  if (!tape.wants(x)) return [null, dGain, dShift];
  return [throughCentred(tape, { hat, g: mul(tape, g!, gain), inverse, axes }), dGain, dShift];
};

/** Of the standard operator and of the runtime's own SimplifiedLayerNormalization: y = x/√(mean x² + ε)·γ. */
export const rmsNormalization: Rule = (tape, node, [g, gInverse]) => {
  const [x, gain] = node.inputs as [string, string];
  if (gInverse) refuse('unsupported', 'A normalisation whose deviation the loss depends on has no gradient rule.');
  const known = tape.known(x);
  const axes = axesAfter(readInt(node, 'axis', -1), known.dims.length);
  const inverse =
    node.op === 'SimplifiedLayerNormalization' && known.dtype === 'float32'
      ? tape.output(node, 1, collapsed(known, axes))
      : inverseDeviation(tape, mean(tape, mul(tape, x, x), axes), readFloat(node, 'epsilon', 1e-5));
  const hat = mul(tape, x, inverse);
  const [dGain = null] = gainGradients(tape, node, g!, hat);
  if (!tape.wants(x)) return [null, dGain];
  return [throughScaled(tape, { hat, g: mul(tape, g!, gain), inverse, axes }), dGain];
};

/** x [N, C, …], γ and β [C]; each sample's channel by itself. */
export const instanceNormalization: Rule = (tape, node, [g]) => {
  const [x, gain, shift] = node.inputs as [string, string, string];
  const { dims } = tape.known(x);
  const axes = axesAfter(2, dims.length);
  const centred = sub(tape, x, mean(tape, x, axes));
  const variance = mean(tape, mul(tape, centred, centred), axes);
  const inverse = inverseDeviation(tape, variance, readFloat(node, 'epsilon', 1e-5));
  const hat = mul(tape, centred, inverse);
  return [
    tape.wants(x)
      ? throughCentred(tape, { hat, g: mul(tape, g!, perChannel(tape, gain, dims.length)), inverse, axes })
      : null,
    tape.wants(gain) ? channels(tape, mul(tape, g!, hat)) : null,
    tape.wants(shift) ? channels(tape, g!) : null,
  ];
};

/** y = (x − μ)·γ/√(σ² + ε) + β, by running statistics or by those of the batch; x [N, C, …]. */
export const batchNormalization: Rule = (tape, node, gradients) =>
  readInt(node, 'training_mode', 0) === 1 ? byBatch(tape, node, gradients) : byRunning(tape, node, gradients);

const byRunning: Rule = (tape, node, [g]) => {
  const [x, gain, shift, average, variance] = node.inputs as [string, string, string, string, string];
  if (tape.wants(average) || tape.wants(variance))
    refuse('unsupported', 'The running statistics of a BatchNormalization are measured, not trained.');
  const rank = tape.known(x).dims.length;
  const inverse = inverseDeviation(tape, variance, readFloat(node, 'epsilon', 1e-5));
  // Σ g·(x − μ) by channel: the deviation stands before the sum.
  const along = (): string => channels(tape, mul(tape, g!, sub(tape, x, perChannel(tape, average, rank))));
  return [
    tape.wants(x) ? mul(tape, g!, perChannel(tape, mul(tape, gain, inverse), rank)) : null,
    tape.wants(gain) ? mul(tape, along(), inverse) : null,
    tape.wants(shift) ? channels(tape, g!) : null,
    null,
    null,
  ];
};

/**
 * ∂x = k·(g − Σg/m − x̂·Σ(g·x̂)/m), k = γ/σ, m elements to a channel. Written as k·(g + (a·x + b)) with a and b by channel: one sum of products
 * and three passes over the data, where the formula as it stands takes seven.
 */
const byBatch: Rule = (tape, node, [g, gMean, gVariance]) => {
  const [x, gain, shift] = node.inputs as [string, string, string];
  if (readFloat(node, 'momentum', 0.9) !== 0 || gMean || gVariance)
    refuse('unsupported', 'A BatchNormalization that trains as it was exported has no gradient rule.');
  const { dims } = tape.known(x);
  const count = elementCount(dims) / dims[1]!;
  const mu = tape.output(node, 1);
  const inverse = inverseDeviation(tape, tape.output(node, 2), readFloat(node, 'epsilon', 1e-5));
  const sums = channels(tape, g!);
  // Σ g·x̂ = (Σ g·x − μ·Σg)/σ
  const along = mul(tape, sub(tape, channels(tape, mul(tape, g!, x)), mul(tape, mu, sums)), inverse);
  return [
    tape.wants(x) ? throughBatch() : null,
    tape.wants(gain) ? along : null,
    tape.wants(shift) ? sums : null,
    null,
    null,
  ];

  function throughBatch(): string {
    const a = scaled(tape, mul(tape, along, inverse), -1 / count);
    const b = sub(tape, scaled(tape, sums, -1 / count), mul(tape, a, mu));
    const spread = (vector: string): string => perChannel(tape, vector, dims.length);
    const line = affine(tape, x, a, b);
    return mul(tape, add(tape, g!, line), spread(mul(tape, gain, inverse)));
  }
};

/** a·x + b by channel in one pass: what BatchNormalization does with a mean of 0 and a variance of 1. */
function affine(tape: Tape, x: string, a: string, b: string): string {
  const known = tape.known(x);
  const vector = (value: number): string => filled(tape, value, known.dtype, tape.known(a).dims);
  return tape.emit('BatchNormalization', [x, a, b, vector(0), vector(1)], known, { epsilon: floatAttribute(0) });
}

/** [C] as [C, 1, …], which broadcasts against [N, C, …]. */
export const perChannel = (tape: Tape, vector: string, rank: number): string =>
  reshape(tape, vector, [...tape.known(vector).dims, ...Array.from({ length: rank - 2 }, () => 1)]);

/** Σ over all axes but the channels'. */
function channels(tape: Tape, x: string): string {
  const axes = tape.known(x).dims.flatMap((_, i) => (i === 1 ? [] : [i]));
  return sum(tape, x, axes, false);
}
