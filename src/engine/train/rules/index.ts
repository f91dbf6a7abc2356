// Every gradient rule of the standard domain, by operator (opset 21 semantics). The list and nothing else.
import type { Rule } from '../tape';
import * as activation from './activation';
import * as arithmetic from './arithmetic';
import * as borders from './borders';
import { conv } from './conv';
import { convTranspose } from './conv-transpose';
import * as functions from './functions';
import * as indexing from './indexing';
import * as movement from './movement';
import * as normalise from './normalise';
import * as pool from './pool';
import * as product from './product';
import * as quantization from './quantization';
import * as reduction from './reduction';
import { resize } from './resize';
import * as selection from './selection';
import * as softmax from './softmax';

export const rules = {
  Add: arithmetic.add,
  Div: arithmetic.div,
  Max: arithmetic.extreme,
  Mean: arithmetic.mean,
  Min: arithmetic.extreme,
  Mod: arithmetic.mod,
  Mul: arithmetic.mul,
  Neg: arithmetic.neg,
  Pow: arithmetic.pow,
  Sub: arithmetic.sub,
  Sum: arithmetic.sum,

  Abs: functions.abs,
  Acos: functions.acos,
  Acosh: functions.acosh,
  Asin: functions.asin,
  Asinh: functions.asinh,
  Atan: functions.atan,
  Atanh: functions.atanh,
  Cos: functions.cos,
  Cosh: functions.cosh,
  Erf: functions.erf,
  Exp: functions.exp,
  Log: functions.log,
  Reciprocal: functions.reciprocal,
  Sin: functions.sin,
  Sinh: functions.sinh,
  Sqrt: functions.sqrt,
  Tan: functions.tan,
  Tanh: functions.tanh,

  Bernoulli: functions.nothing,
  Ceil: functions.nothing,
  EyeLike: functions.nothing,
  Floor: functions.nothing,
  Hardmax: functions.nothing,
  RandomNormalLike: functions.nothing,
  RandomUniformLike: functions.nothing,
  Round: functions.nothing,
  Sign: functions.nothing,

  Celu: activation.celu,
  Elu: activation.elu,
  Gelu: activation.gelu,
  HardSigmoid: activation.hardSigmoid,
  HardSwish: activation.hardSwish,
  LeakyRelu: activation.leakyRelu,
  Mish: activation.mish,
  PRelu: activation.pRelu,
  Relu: activation.relu,
  Selu: activation.selu,
  Shrink: activation.shrink,
  Sigmoid: activation.sigmoid,
  Softplus: activation.softplus,
  Softsign: activation.softsign,
  Swish: activation.swish,
  ThresholdedRelu: activation.thresholdedRelu,

  AveragePool: pool.averagePool,
  BatchNormalization: normalise.batchNormalization,
  Conv: conv,
  ConvTranspose: convTranspose,
  GlobalAveragePool: pool.globalAveragePool,
  GlobalMaxPool: pool.globalMaxPool,
  InstanceNormalization: normalise.instanceNormalization,
  LayerNormalization: normalise.layerNormalization,
  MaxPool: pool.maxPool,
  RMSNormalization: normalise.rmsNormalization,
  Resize: resize,
  SimplifiedLayerNormalization: normalise.rmsNormalization,

  Cast: selection.castBack,
  CastLike: selection.castBack,
  Clip: selection.clip,
  Dropout: selection.dropout,
  Identity: selection.identity,
  Where: selection.choose,

  ReduceL1: reduction.reduceL1,
  ReduceL2: reduction.reduceL2,
  ReduceLogSum: reduction.reduceLogSum,
  ReduceLogSumExp: reduction.reduceLogSumExp,
  ReduceMax: reduction.reduceExtreme,
  ReduceMean: reduction.reduceMean,
  ReduceMin: reduction.reduceExtreme,
  ReduceProd: reduction.reduceProd,
  ReduceSum: reduction.reduceSum,
  ReduceSumSquare: reduction.reduceSumSquare,

  Einsum: product.einsum,
  Gemm: product.gemm,
  MatMul: product.matMul,

  Concat: movement.concat,
  CumSum: movement.cumSum,
  DepthToSpace: movement.depthToSpace,
  Expand: movement.expandBack,
  Flatten: movement.reshapeBack,
  Reshape: movement.reshapeBack,
  ReverseSequence: movement.reverseSequence,
  SpaceToDepth: movement.spaceToDepth,
  Split: movement.split,
  Squeeze: movement.reshapeBack,
  Tile: movement.tile,
  Transpose: movement.transpose,
  Trilu: movement.trilu,
  Unsqueeze: movement.reshapeBack,

  Pad: borders.padBack,
  Slice: borders.sliceBack,

  Gather: indexing.gather,
  GatherElements: indexing.gatherElements,
  GatherND: indexing.gatherND,
  OneHot: indexing.oneHot,
  Range: indexing.range,
  ScatterElements: indexing.scatterElements,
  ScatterND: indexing.scatterND,
  TopK: indexing.topK,

  LogSoftmax: softmax.logSoftmax,
  NegativeLogLikelihoodLoss: softmax.negativeLogLikelihoodLoss,
  Softmax: softmax.softmax,
  SoftmaxCrossEntropyLoss: softmax.softmaxCrossEntropyLoss,

  DequantizeLinear: quantization.dequantizeLinear,
  QuantizeLinear: quantization.quantizeLinear,
} as const satisfies Record<string, Rule>;

/** The rule of an operator; null where it has none. */
export function ruleOf(domain: string, op: string): Rule | null {
  return domain === '' && Object.hasOwn(rules, op) ? rules[op as keyof typeof rules] : null;
}
