// Whether an operator treats the samples of a batch apart: what must hold for the batch to become any size.
import { readInt, readIntList } from '../edit';
import type { Dim, Node } from '../graph';
import { axisOf, type Known, numbers, product } from '../shapes/known';

/** A node's inputs and first output as inference sees them, with the batch as a symbol. */
export interface BatchCall {
  readonly node: Node;
  readonly inputs: readonly Known[];
  readonly output: Known;
  /** Axis of the batch in each input; null where an input does not carry it. */
  readonly at: readonly (number | null)[];
  /** Axis of the batch in the first output. */
  readonly out: number | null;
  /** True where an input is the same whatever the samples are. */
  readonly isConstant: (input: number) => boolean;
}

/** True where every sample's result depends on that sample alone. */
export type BatchRule = (call: BatchCall) => boolean;

const rankOf = (known: Known | undefined): number => known?.shape?.length ?? 0;

/** Elementwise with broadcasting: the batch stands at the same place, counted from the end, in all that carry it. */
const together: BatchRule = ({ inputs, output, at, out }) =>
  out !== null && at.every((axis, i) => axis === null || rankOf(inputs[i]) - axis === rankOf(output) - out);

/** Batch first, everything else constant: convolutions, pooling and what works per sample and channel. */
const first: BatchRule = ({ at, out }) => at[0] === 0 && out === 0 && at.slice(1).every((axis) => axis === null);

const without =
  (axisOfNode: (node: Node) => number): BatchRule =>
  (call) => {
    const axis = axisOf(axisOfNode(call.node), rankOf(call.inputs[0]));
    return (
      axis !== null && axis !== call.at[0] && call.out !== null && call.at.slice(1).every((other) => other === null)
    );
  };

/** Axes of the attribute or a constant input; null where they are computed. */
function axesOf(call: BatchCall, input: number): readonly number[] | null {
  return readIntList(call.node, 'axes') ?? numbers(call.inputs[input]?.values);
}

const reduce: BatchRule = (call) => {
  const rank = rankOf(call.inputs[0]);
  const axes = axesOf(call, 1);
  return (
    axes !== null && axes.length > 0 && call.out !== null && axes.every((axis) => axisOf(axis, rank) !== call.at[0])
  );
};

/** Every leading axis and the rows of the left side are free; what is summed over is not. */
const matMul: BatchRule = (call) => {
  const [a, b] = call.at;
  const [left, right] = [rankOf(call.inputs[0]), rankOf(call.inputs[1])];
  if (call.out === null || left < 2 || (a === null && b === null)) return false;
  if (a !== null && a === left - 1) return false;
  if (b === null || b === undefined) return call.at.slice(2).every((axis) => axis === null);
  // Both carry it: the same leading axis.
  return a !== null && b < right - 2 && left - a! === right - b;
};

const gemm: BatchRule = ({ node, at, out, inputs }) =>
  at[0] === (readInt(node, 'transA', 0) ? 1 : 0) &&
  at[1] === null &&
  out === 0 &&
  (!inputs[2] || at[2] === null || at[2] === 0);

/** Nothing is mixed as long as what stands before the batch has the same size before and after. */
const reshape: BatchRule = ({ inputs, output, at, out }) => {
  const before = at[0] === null || at[0] === undefined ? null : inputs[0]?.shape?.slice(0, at[0]);
  const after = out === null ? null : output.shape?.slice(0, out);
  const size = before ? product(before) : null;
  return size !== null && after !== null && after !== undefined && size === product(after);
};

const concat: BatchRule = (call) => {
  const axis = axisOf(readInt(call.node, 'axis', 0), rankOf(call.inputs[0]));
  return call.out !== null && axis !== call.out && call.at.every((at) => at === call.out);
};

const gather: BatchRule = (call) => {
  const [data, indices] = call.at;
  if (call.out === null) return false;
  if (data === null) return indices !== null;
  const axis = axisOf(readInt(call.node, 'axis', 0), rankOf(call.inputs[0]));
  return axis !== data && indices === null && call.isConstant(1);
};

const slice: BatchRule = (call) => {
  const axes = numbers(call.inputs[3]?.values);
  const rank = rankOf(call.inputs[0]);
  return axes !== null && call.out !== null && axes.every((axis) => axisOf(axis, rank) !== call.at[0]);
};

/** X [seq, batch, …] and states [dirs, batch, …]: the batch is the second axis of all that carry it, and no state is left out. */
const recurrent: BatchRule = (call) => {
  const axis = readInt(call.node, 'layout', 0) ? 0 : 1;
  const states = [5, 6].filter((i) => (call.node.inputs[i] ?? '') !== '');
  return call.at[0] === axis && !call.node.inputs[4] && states.every((i) => call.at[i] === axis);
};

const normalised =
  (fallback: number): BatchRule =>
  (call) => {
    const axis = axisOf(readInt(call.node, 'axis', fallback), rankOf(call.inputs[0]));
    return (
      axis !== null && call.at[0] !== null && call.at[0]! < axis && call.at.slice(1).every((other) => other === null)
    );
  };

const dequantized: BatchRule = (call) =>
  together(call) &&
  call.at.slice(1).every((axis) => axis === null) &&
  call.inputs[1]?.shape?.every((dim: Dim) => dim === 1) === true;

/** Rows of the first input times a constant matrix, scales and zero points constant too. */
const rows: BatchRule = ({ at, out, inputs }) =>
  at[0] !== null && at[0] !== rankOf(inputs[0]) - 1 && out !== null && at.slice(1).every((axis) => axis === null);

const listed = (names: string, rule: BatchRule): Record<string, BatchRule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

const standard: Readonly<Record<string, BatchRule>> = {
  ...listed(
    'Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast Ceil Celu Clip Cos ' +
      'Cosh Div Dropout Elu Equal Erf Exp Expand Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN ' +
      'LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu Round Selu Shrink Sigmoid Sign ' +
      'Sin Sinh Softplus Softsign Sqrt Sub Sum Tan Tanh ThresholdedRelu Where Xor',
    together,
  ),
  ...listed(
    'AveragePool BatchNormalization Conv ConvTranspose DepthToSpace GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization ' +
      'InstanceNormalization LRN LpPool MaxPool Pad QLinearConv Resize SpaceToDepth Tile',
    first,
  ),
  ...listed(
    'Hardmax LogSoftmax LpNormalization Softmax',
    without((node) => readInt(node, 'axis', -1)),
  ),
  ...listed(
    'ArgMax ArgMin Split',
    without((node) => readInt(node, 'axis', 0)),
  ),
  ...listed(
    'TopK',
    without((node) => readInt(node, 'axis', -1)),
  ),
  ...listed('Flatten Reshape Squeeze Unsqueeze', reshape),
  ...listed(
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare',
    reduce,
  ),
  ...listed('GRU LSTM RNN', recurrent),
  ...listed('DequantizeLinear QuantizeLinear', dequantized),
  ...listed('LayerNormalization RMSNormalization', normalised(-1)),
  Concat: concat,
  Gather: gather,
  Gemm: gemm,
  MatMul: matMul,
  QLinearMatMul: rows,
  Slice: slice,
  Transpose: ({ out }) => out !== null,
};

const microsoft: Readonly<Record<string, BatchRule>> = {
  ...listed('BiasGelu FastGelu Gelu QuickGelu SkipLayerNormalization SkipSimplifiedLayerNormalization', together),
  ...listed('FusedConv NhwcFusedConv QLinearConv', first),
  ...listed('MatMulNBits QGemm', rows),
};

/** The rule of an operator; null where it mixes samples, or nobody has looked. */
export function batchRule({ domain, op }: Node): BatchRule | null {
  const rules = domain === '' ? standard : domain === 'com.microsoft' ? microsoft : null;
  return rules && Object.hasOwn(rules, op) ? rules[op]! : null;
}
