// Which inputs of which operators are weights: the list a layer is recognised by.

import { readInt } from '../edit';
import type { Node } from '../graph';

/** An input of an operator that holds weights when it is constant. */
export interface WeightSlot {
  readonly input: number;
  /** Added to the layer's name where a node has several weights; the first has none. */
  readonly suffix?: string;
  /** Axis of the output channels in the weight as the node sees it; negative counts from the end. */
  readonly axis?: number | ((node: Node) => number);
  /** Inputs that hold the scales and zero points, where the operator computes on integers. */
  readonly scales?: number;
  readonly zeroPoints?: number;
  /** Bits of a weight where the element type does not tell (packed blobs). */
  readonly bits?: (node: Node) => number;
  /** The weight's shape where the stored dimensions are those of a packed blob. */
  readonly shape?: (node: Node, dims: readonly number[]) => readonly number[];
  /** `blocks`: the N × ceil(K / block) × bytes layout of MatMulNBits. */
  readonly layout?: 'plain' | 'blocks';
  /** Elements that share a scale along `quantAxis` (packed blobs: along K); 0 is all of them. */
  readonly block?: (node: Node) => number;
  readonly quantAxis?: (node: Node) => number;
}

export interface WeightOperator {
  readonly slots: readonly WeightSlot[];
  /** `any`: each constant slot is a layer of its own. `first`: the first constant slot is the weight. */
  readonly take: 'any' | 'first';
}

const one = (...slots: WeightSlot[]): WeightOperator => ({ slots, take: 'first' });
const each = (...slots: WeightSlot[]): WeightOperator => ({ slots, take: 'any' });

const gemmAxis = (node: Node): number => (readInt(node, 'transB', 0) ? 0 : 1);
const nBits = (node: Node): number => readInt(node, 'bits', 4);
const matMulShape = (node: Node): readonly number[] => [readInt(node, 'K', 0), readInt(node, 'N', 0)];
const unpackedLast = (dims: readonly number[], bits: number): readonly number[] =>
  dims.map((dim, i) => (i === dims.length - 1 ? (dim * 8) / bits : dim));
const expertBits = (node: Node): number => readInt(node, 'expert_weight_bits', 4);
const expertShape = (node: Node, dims: readonly number[]): readonly number[] => unpackedLast(dims, expertBits(node));
const recurrent = each({ input: 1, axis: 1 }, { input: 2, suffix: '/R', axis: 1 });
const matMul = one({ input: 1, axis: -1 }, { input: 0, axis: -2 });
const gemm = one({ input: 1, axis: gemmAxis }, { input: 0, axis: (node) => (readInt(node, 'transA', 0) ? 1 : 0) });

const standard: Record<string, WeightOperator> = {
  Conv: one({ input: 1, axis: 0 }),
  ConvInteger: one({ input: 1, axis: 0, zeroPoints: 3 }),
  ConvTranspose: one({ input: 1, axis: 1 }),
  DeformConv: one({ input: 1, axis: 0 }),
  Einsum: one({ input: 1 }, { input: 0 }),
  GRU: recurrent,
  Gather: one({ input: 0, axis: (node) => readInt(node, 'axis', 0) }),
  Gemm: gemm,
  LSTM: recurrent,
  MatMul: matMul,
  MatMulInteger: one({ input: 1, axis: -1, zeroPoints: 3 }, { input: 0, axis: -2, zeroPoints: 2 }),
  QLinearConv: one({ input: 3, axis: 0, scales: 4, zeroPoints: 5 }),
  QLinearMatMul: one(
    { input: 3, axis: -1, scales: 4, zeroPoints: 5 },
    { input: 0, axis: -2, scales: 1, zeroPoints: 2 },
  ),
  RNN: recurrent,
};

const microsoft: Record<string, WeightOperator> = {
  Attention: one({ input: 1, axis: 1 }),
  DynamicQuantizeLSTM: each(
    { input: 1, axis: 2, scales: 8, zeroPoints: 9 },
    { input: 2, suffix: '/R', axis: 2, scales: 10, zeroPoints: 11 },
  ),
  DynamicQuantizeMatMul: one({ input: 1, axis: -1, scales: 2, zeroPoints: 3 }),
  EmbedLayerNormalization: each(
    { input: 2, axis: 0 },
    { input: 3, suffix: '/position', axis: 0 },
    { input: 4, suffix: '/segment', axis: 0 },
  ),
  FusedConv: one({ input: 1, axis: 0 }),
  FusedGemm: gemm,
  FusedMatMul: one({ input: 1, axis: (node) => (readInt(node, 'transB', 0) ? -2 : -1) }),
  GatherBlockQuantized: one({
    input: 0,
    scales: 2,
    zeroPoints: 3,
    axis: 0,
    bits: nBits,
    block: (node) => readInt(node, 'block_size', 128),
    quantAxis: (node) => readInt(node, 'quantize_axis', 1),
  }),
  GemmFastGelu: one({ input: 1, axis: -1 }),
  MatMulBnb4: one({
    input: 1,
    scales: 2,
    bits: () => 4,
    shape: matMulShape,
    layout: 'blocks',
    block: (node) => readInt(node, 'block_size', 0),
  }),
  MatMulIntegerToFloat: one({ input: 1, axis: -1, scales: 3, zeroPoints: 5 }),
  MatMulNBits: one({
    input: 1,
    scales: 2,
    zeroPoints: 3,
    bits: nBits,
    shape: matMulShape,
    layout: 'blocks',
    block: (node) => readInt(node, 'block_size', 0),
  }),
  MoE: each({ input: 2, axis: 1 }, { input: 4, suffix: '/fc2', axis: 1 }, { input: 6, suffix: '/fc3', axis: 1 }),
  NhwcConv: one({ input: 1, axis: 0 }),
  NhwcFusedConv: one({ input: 1, axis: 0 }),
  QAttention: one({ input: 1, axis: 1, scales: 4, zeroPoints: 7 }),
  QGemm: one({ input: 3, axis: gemmAxis, scales: 4, zeroPoints: 5 }),
  QLinearConv: one({ input: 3, axis: 0, scales: 4, zeroPoints: 5 }),
  QMoE: each(
    { input: 2, axis: 1, scales: 3, bits: expertBits, shape: expertShape },
    { input: 5, suffix: '/fc2', axis: 1, scales: 6, bits: expertBits, shape: expertShape },
    { input: 8, suffix: '/fc3', axis: 1, scales: 9, bits: expertBits, shape: expertShape },
  ),
};

/** The weight inputs of a node's operator, or null where it has none. */
export function weightOperator(node: Node): WeightOperator | null {
  const list = node.domain === '' ? standard : node.domain === 'com.microsoft' ? microsoft : null;
  return (list && Object.hasOwn(list, node.op) && list[node.op]) || null;
}
