// Normalisation, quantization and signal operators: shapes pass through, types may change.
import { readInt } from '../edit';
import { type DataType, dataTypes } from '../graph';
import { type Call, known, type Rule } from './known';

const same: Rule = (call) => known(call.in(0).dtype, call.in(0).shape);

/** Y, and where asked for mean and inverse deviation with the normalised axes folded to 1. */
const layerNormalization: Rule = (call) => {
  const { dtype, shape } = call.in(0);
  const raw = readInt(call.node, 'axis', -1);
  const axis = shape && raw < 0 ? raw + shape.length : raw;
  const folded = known('float32', shape ? shape.map((dim, i) => (i < axis ? dim : 1)) : null);
  return [known(dtype, shape), folded, folded];
};

const batchNormalization: Rule = (call) => {
  const channels = known(call.in(0).dtype, [call.in(0).shape?.[1] ?? null]);
  return [known(call.in(0).dtype, call.in(0).shape), channels, channels, channels, channels];
};

const quantize: Rule = (call) => {
  const code = readInt(call.node, 'output_dtype', 0);
  const entry = Object.entries(dataTypes).find(([, { onnx }]) => onnx === code);
  const dtype = (entry?.[0] ?? (call.has(2) ? call.in(2).dtype : 'uint8')) as DataType | null;
  return known(dtype, call.in(0).shape);
};

/** The type of what is dequantized is that of the scale. */
export const dequantize: Rule = (call: Call) => known(call.in(1).dtype, call.in(0).shape);
export { quantize };

export const normalization: Record<string, Rule> = {
  BatchNormalization: batchNormalization,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: (call) => [known('uint8', call.in(0).shape), known('float32', []), known('uint8', [])],
  GroupNormalization: same,
  InstanceNormalization: same,
  LayerNormalization: layerNormalization,
  QuantizeLinear: quantize,
  RMSNormalization: same,
  RotaryEmbedding: same,
  // Not of the standard, but that is the domain where the runtime and its exporters have it.
  SimplifiedLayerNormalization: layerNormalization,
  STFT: (call) => {
    const { dtype, shape } = call.in(0);
    const step = call.in(1).values?.[0];
    const frame = call.in(3).values?.[0] ?? call.in(2).shape?.[0];
    const length = shape?.[1];
    const isKnown = typeof step === 'number' && typeof frame === 'number' && typeof length === 'number';
    const bins =
      typeof frame === 'number' ? (readInt(call.node, 'onesided', 1) ? Math.floor(frame / 2) + 1 : frame) : null;
    return known(dtype, [shape?.[0] ?? null, isKnown ? Math.floor((length - frame) / step) + 1 : null, bins, 2]);
  },
};
