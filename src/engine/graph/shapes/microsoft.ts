// Fused and quantized operators of the runtime's own domain.
import { readInt } from '../edit';
import type { Dim } from '../graph';
import { add, type Call, divide, type Known, known, multiply, type Rule } from './known';
import { gemm, matMul, recurrent } from './linear';
import { dequantize, quantize } from './normalization';
import { conv } from './windows';

const same: Rule = (call) => known(call.in(0).dtype, call.in(0).shape);

/** [..., K] × packed [N, K] → [..., N] */
const packedMatMul: Rule = (call) => {
  const { dtype, shape } = call.in(0);
  return known(dtype, shape ? [...shape.slice(0, -1), readInt(call.node, 'N', 0)] : null);
};

/** Packed rows are unpacked along the last axis, then picked as Gather does. */
const gatherBlocks: Rule = (call) => {
  const { shape, dtype } = call.in(0);
  const indices = call.in(1).shape;
  if (!shape || !indices) return known(call.in(2).dtype, null);
  const axis = readInt(call.node, 'gather_axis', 0);
  const perByte = dtype === 'uint8' ? 8 / readInt(call.node, 'bits', 4) : 1;
  const whole = [...shape.slice(0, -1), multiply(shape.at(-1) ?? null, perByte)];
  return known(call.in(2).dtype, [...whole.slice(0, axis), ...indices, ...whole.slice(axis + 1)]);
};

/** Attention over one packed projection: [batch, seq, hidden] out, present [2, batch, heads, total, head]. */
function attention(call: Call): readonly Known[] {
  const { dtype, shape } = call.in(0);
  const weight = call.in(1).shape;
  const heads = readInt(call.node, 'num_heads', 1);
  const hidden = divide(weight?.[1] ?? null, 3);
  const past = call.in(4).shape?.[3];
  const seq = shape?.[1] ?? null;
  const total: Dim = call.has(4) ? add(past ?? null, seq) : seq;
  return [
    known(dtype, shape ? [shape[0]!, seq, hidden] : null),
    known(dtype, [2, shape?.[0] ?? null, heads, total, divide(hidden, heads)]),
  ];
}

/** Query, key and value apart: out as the query, with the value's width; present keys and values grow by the new tokens. */
function groupedAttention(call: Call): readonly Known[] {
  const { dtype, shape } = call.in(0);
  const heads = readInt(call.node, 'num_heads', 1);
  const kvHeads = readInt(call.node, 'kv_num_heads', heads);
  // Without keys the query carries all three.
  const isPacked = !call.has(1);
  const last = shape?.at(-1) ?? null;
  const head = divide(last, isPacked ? heads + 2 * kvHeads : heads);
  // A cache of codes comes in and goes out in their type, 4 bits packed along the head.
  const past = call.in(3);
  const isCoded = past.dtype === 'int8' || past.dtype === 'uint8';
  const stored = isCoded ? (past.shape?.at(-1) ?? null) : head;
  const present = known(isCoded ? past.dtype : dtype, [shape?.[0] ?? null, kvHeads, null, stored]);
  return [known(dtype, shape ? [...shape.slice(0, -1), multiply(head, heads)] : null), present, present];
}

const skipNormalization: Rule = (call) => {
  const sum = known(call.in(0).dtype, call.in(0).shape);
  return [sum, known('float32', null), known('float32', null), sum];
};

const embedding: Rule = (call) => {
  const ids = call.in(0).shape;
  const result = known(call.in(2).dtype, ids ? [...ids, call.in(2).shape?.[1] ?? null] : null);
  return [result, known('int32', [ids?.[0] ?? null]), result];
};

export const microsoft: Record<string, Rule> = {
  Attention: attention,
  BiasGelu: same,
  BiasSoftmax: same,
  DequantizeLinear: dequantize,
  DynamicQuantizeLSTM: recurrent,
  DynamicQuantizeMatMul: matMul(0, 1),
  EmbedLayerNormalization: embedding,
  FastGelu: same,
  FusedConv: conv(0, 1),
  FusedGemm: gemm(0, 1),
  FusedMatMul: matMul(0, 1),
  GatherBlockQuantized: gatherBlocks,
  Gelu: same,
  GemmFastGelu: matMul(0, 1),
  GroupQueryAttention: groupedAttention,
  MatMulBnb4: packedMatMul,
  MatMulIntegerToFloat: matMul(0, 1, () => 'float32'),
  MatMulNBits: packedMatMul,
  MoE: same,
  MultiHeadAttention: groupedAttention,
  QAttention: (call) => {
    const shape = call.in(0).shape;
    return known('float32', shape ? [...shape.slice(0, -1), divide(call.in(1).shape?.[1] ?? null, 3)] : null);
  },
  QGemm: gemm(0, 3, (call) => (call.has(7) ? call.in(8).dtype : 'float32')),
  QLinearAdd: same,
  QLinearConv: conv(0, 3, (call) => call.in(7).dtype),
  QLinearLeakyRelu: same,
  QLinearSigmoid: same,
  QLinearSoftmax: same,
  QMoE: same,
  QuantizeLinear: quantize,
  QuickGelu: same,
  RotaryEmbedding: same,
  SimplifiedLayerNormalization: same,
  SkipLayerNormalization: skipNormalization,
  SkipSimplifiedLayerNormalization: skipNormalization,
};
