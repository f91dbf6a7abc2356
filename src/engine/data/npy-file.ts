// Tensors as .npy files, whole and in memory: a bundle's golden inputs and outputs.
import { refuse } from '../../contract/words/refusal';
import { type DataType, elementCount } from '../graph/graph';
import type { Feed, FeedData } from '../runtime/session';

type Numbers = Exclude<FeedData, string[]>;
type NumbersOf = { new (buffer: ArrayBuffer): Numbers };

const types: Partial<Record<DataType, { descr: string; numbers: NumbersOf; bytes: number }>> = {
  float32: { descr: '<f4', numbers: Float32Array, bytes: 4 },
  float64: { descr: '<f8', numbers: Float64Array, bytes: 8 },
  float16: { descr: '<f2', numbers: Uint16Array, bytes: 2 },
  uint8: { descr: '|u1', numbers: Uint8Array, bytes: 1 },
  int8: { descr: '|i1', numbers: Int8Array, bytes: 1 },
  bool: { descr: '|b1', numbers: Uint8Array, bytes: 1 },
  uint16: { descr: '<u2', numbers: Uint16Array, bytes: 2 },
  int16: { descr: '<i2', numbers: Int16Array, bytes: 2 },
  uint32: { descr: '<u4', numbers: Uint32Array, bytes: 4 },
  int32: { descr: '<i4', numbers: Int32Array, bytes: 4 },
  uint64: { descr: '<u8', numbers: BigUint64Array, bytes: 8 },
  int64: { descr: '<i8', numbers: BigInt64Array, bytes: 8 },
};

/** Version 1.0: 93 'NUMPY' 1 0 | header length, uint16 | a dict, padded so that the numbers begin at a multiple of 64. */
export function encodeNpy(tensor: Feed): Uint8Array {
  const type = types[tensor.dtype];
  if (!type || Array.isArray(tensor.data))
    refuse('unsupported', `A tensor of ${tensor.dtype} cannot be written as NumPy.`);
  const shape = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(', ');
  const dict = `{'descr': '${type.descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11)}\n`;
  const start = Buffer.alloc(10);
  start.set([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  start.writeUInt16LE(header.length, 8);
  const { buffer, byteOffset, byteLength } = tensor.data;
  return Buffer.concat([start, Buffer.from(header, 'latin1'), new Uint8Array(buffer, byteOffset, byteLength)]);
}

/** Reads what `encodeNpy` writes; anything else is a refusal. */
export function decodeNpy(bytes: Uint8Array, name: string): Feed {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 10 || file.toString('latin1', 1, 6) !== 'NUMPY')
    refuse('bad-bundle', `${name} is not a NumPy array.`);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, start);
  const descr = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = /'shape': \(([\d, ]*)\)/.exec(header)?.[1];
  const found = Object.entries(types).find(([, type]) => type.descr === descr);
  if (!found || shape === undefined) refuse('bad-bundle', `${name} holds an array of another kind than a bundle has.`);
  const [dtype, type] = found;
  const dims = (shape.match(/\d+/g) ?? []).map(Number);
  if (elementCount(dims) * type.bytes !== file.length - start) {
    refuse('bad-bundle', `${name} announces ${dims.join('×')} numbers and holds ${file.length - start} bytes.`);
  }
  return { dtype: dtype as DataType, dims, data: new type.numbers(new Uint8Array(file.subarray(start)).buffer) };
}
