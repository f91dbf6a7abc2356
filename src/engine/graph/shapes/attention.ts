// Scaled dot-product attention as a standard operator (opset 23 and later).
import { readInt } from '../edit';
import { add, type Call, divide, type Known, known, multiply } from './known';

/** 4-D [batch, heads, seq, head] or 3-D [batch, seq, heads × head]; present keys and values, then the scores. */
export function scaledAttention(call: Call): readonly Known[] {
  const [q, k, v] = [call.in(0), call.in(1), call.in(2)];
  const { dtype } = q;
  if (!q.shape || !v.shape) return [known(dtype, null), known(k.dtype, null), known(v.dtype, null), known(dtype, null)];
  if (q.shape.length === 4) {
    const total = (shape: Known['shape'], past: Known): Known['shape'] =>
      shape && [shape[0]!, shape[1]!, past.shape ? add(past.shape[2] ?? null, shape[2]!) : shape[2]!, shape[3]!];
    const keys = total(k.shape, call.in(4));
    return [
      known(dtype, [...q.shape.slice(0, 3), v.shape[3] ?? null]),
      known(k.dtype, keys),
      known(v.dtype, total(v.shape, call.in(5))),
      known(dtype, [...q.shape.slice(0, 3), keys?.[2] ?? null]),
    ];
  }
  const heads = readInt(call.node, 'q_num_heads', 1);
  const kvHeads = readInt(call.node, 'kv_num_heads', 1);
  const past = call.in(4).shape?.[2] ?? 0;
  const seq = add(past, k.shape?.[1] ?? null);
  const perHead = (value: Known): Known =>
    known(value.dtype, [value.shape?.[0] ?? null, kvHeads, seq, divide(value.shape?.[2] ?? null, kvHeads)]);
  return [
    known(dtype, [q.shape[0]!, q.shape[1]!, multiply(divide(v.shape[2] ?? null, kvHeads), heads)]),
    perHead(k),
    perHead(v),
    known(dtype, [q.shape[0]!, heads, q.shape[1]!, seq]),
  ];
}
