// Reads a NumPy .npy file into what onnxruntime takes: element type, dimensions, numbers. Little-endian, row by row.
import { readFileSync } from 'node:fs';

const types = {
  '<f4': ['float32', Float32Array],
  '<f8': ['float64', Float64Array],
  '<f2': ['float16', Uint16Array],
  '|u1': ['uint8', Uint8Array],
  '|i1': ['int8', Int8Array],
  '|b1': ['bool', Uint8Array],
  '<u2': ['uint16', Uint16Array],
  '<i2': ['int16', Int16Array],
  '<u4': ['uint32', Uint32Array],
  '<i4': ['int32', Int32Array],
  '<u8': ['uint64', BigUint64Array],
  '<i8': ['int64', BigInt64Array],
};

/** Bytes: 93 'NUMPY' 1 0 | header length, uint16 | a Python dict as text | numbers. */
export function readNpy(path) {
  const file = readFileSync(path);
  const length = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + length);
  const [dtype, Numbers] = types[/'descr': '([^']+)'/.exec(header)[1]];
  const dims = (/'shape': \(([^)]*)\)/.exec(header)[1].match(/\d+/g) ?? []).map(Number);
  // A copy of its own: the view needs an aligned start.
  const bytes = new Uint8Array(file.subarray(10 + length)).buffer;
  return { dtype, dims, data: new Numbers(bytes) };
}
