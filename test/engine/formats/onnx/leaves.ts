// A second, independent walk over an ONNX file: every leaf field as text, to see that reading and writing lose none.
import { createHash } from 'node:crypto';

/** Which fields of which message hold messages (`onnx.in.proto`); all others are leaves. */
const messages: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  Model: { 7: 'Graph', 8: 'Opset', 14: 'Entry', 25: 'Function' },
  Graph: { 1: 'Node', 5: 'Tensor', 11: 'Value', 12: 'Value', 13: 'Value', 15: 'Sparse', 16: 'Entry' },
  Function: { 7: 'Node', 9: 'Opset', 11: 'Attribute', 12: 'Value', 14: 'Entry' },
  Node: { 5: 'Attribute', 9: 'Entry' },
  Attribute: { 5: 'Tensor', 6: 'Graph', 10: 'Tensor', 11: 'Graph', 22: 'Sparse' },
  Tensor: { 13: 'Entry', 16: 'Entry' },
  Sparse: { 1: 'Tensor', 2: 'Tensor' },
  Value: { 2: 'Type', 4: 'Entry' },
  Type: { 1: 'TensorType' },
  TensorType: { 2: 'Shape' },
  Shape: { 1: 'Dim' },
};
/** Repeated numbers that may come packed: Tensor.dims, Attribute.ints, Sparse.dims. */
const packable = new Set(['Tensor.1', 'Attribute.8', 'Sparse.3']);

/** Sorted leaves, each `Graph.1/Node.5/Attribute.3 payload`; empty texts are left out, for they mean the same as nothing. */
export function leavesOf(file: Buffer): string[] {
  const found: string[] = [];
  walk(file, 'Model', '', found);
  return found.sort();
}

function walk(bytes: Buffer, message: string, path: string, found: string[]): void {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    const place = `${message}.${field}`;
    const leaf = (value: string) => found.push(`${path}${place} ${value}`);
    if ((tag & 7) === 0) leaf(String(varint()));
    else if ((tag & 7) === 5) leaf(bytes.toString('hex', at, (at += 4)));
    else if ((tag & 7) === 1) leaf(bytes.toString('hex', at, (at += 8)));
    else {
      const length = Number(varint());
      const payload = bytes.subarray(at, at + length);
      at += length;
      const inner = messages[message]?.[field];
      if (inner) walk(payload, inner, `${path}${place}/`, found);
      else if (packable.has(place)) walk(unpacked(payload, field), message, path, found);
      else if (length > 0)
        leaf(length > 64 ? createHash('sha1').update(payload).digest('hex') : payload.toString('hex'));
    }
  }
}

/** A packed field rewritten as one tag and one number after the other. */
function unpacked(payload: Buffer, field: number): Buffer {
  const out: number[] = [];
  let start = true;
  for (const byte of payload) {
    if (start) out.push(field << 3);
    out.push(byte);
    start = byte < 0x80;
  }
  return Buffer.from(out);
}
