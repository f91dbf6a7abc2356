// Tensors as values: reading their bytes from wherever they are, and making new ones.
import { constants, type FileHandle, open } from 'node:fs/promises';
import { refuse } from '../../contract/words/refusal';
import { byteLength, type DataType, dataTypes, elementCount, storedBytes, type Tensor } from './graph';
import { decodeBfloat16, decodeFloat16, minifloatTables } from './number-formats';

export {
  bfloat16FromFloat32,
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
  float16FromFloat32,
  float32FromBfloat16,
  float32FromFloat16,
} from './number-formats';

// One read(2) returns at most 2^31 − 1 bytes; larger tensors are read in pieces.
const largestRead = 2 ** 30;
// O_NOFOLLOW is missing on Windows. The path was resolved when the model was opened: a link there now is a swap.
const readOnly = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/** Reads `into.length` bytes at `offset` of an open file; a file that ends early was changed since it was opened. */
export async function readExactly(handle: FileHandle, into: Uint8Array, offset: number, file: string): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const length = Math.min(into.length - done, largestRead);
    const { bytesRead } = await handle.read(into, done, length, offset + done);
    if (bytesRead === 0) refuse('changed', `${file} is shorter than when it was opened.`, 'Open the model again.');
    done += bytesRead;
  }
}

/** Opens a file that holds tensor bytes. The caller closes it. */
export async function openTensorFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, readOnly);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ELOOP') {
      refuse('changed', `${file} is no longer where it was when the model was opened.`, 'Open the model again.');
    }
    throw cause;
  }
}

/** `length` bytes of the stored elements, from byte `offset` of the tensor. A view where the tensor is in memory. */
export async function readRange(tensor: Tensor, offset: number, length: number): Promise<Uint8Array> {
  const stored = storedBytes(tensor);
  if (offset < 0 || length < 0 || offset + length > stored) {
    throw new RangeError(`bytes ${offset}…${offset + length} of tensor ${tensor.name}, which has ${stored}`);
  }
  switch (tensor.data.kind) {
    case 'bytes':
      return tensor.data.bytes.subarray(offset, offset + length);
    case 'file': {
      const into = new Uint8Array(length);
      if (length === 0) return into;
      const handle = await openTensorFile(tensor.data.file);
      try {
        await readExactly(handle, into, tensor.data.offset + offset, tensor.data.file);
      } finally {
        await handle.close();
      }
      return into;
    }
    case 'strings':
      return refuse('unsupported', `Tensor ${tensor.name} holds text; numbers are needed here.`);
    default:
      return tensor.data satisfies never;
  }
}

/** The stored elements: little-endian, row-major, sub-byte types packed low bits first. */
export function readBytes(tensor: Tensor): Promise<Uint8Array> {
  return readRange(tensor, 0, storedBytes(tensor));
}

/** The same bytes at an address that typed arrays accept: a view where it is aligned, else a copy. */
function aligned(bytes: Uint8Array, width: number): { buffer: ArrayBufferLike; offset: number } {
  if (bytes.byteOffset % width === 0) return { buffer: bytes.buffer, offset: bytes.byteOffset };
  return { buffer: bytes.slice().buffer, offset: 0 };
}

/** Codes of a 2- or 4-bit type, one per element, first element in the lowest bits. */
export function unpackCodes(bytes: Uint8Array, bits: 2 | 4, count: number): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = (bytes[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask;
  return out;
}

/** The inverse of `unpackCodes`; codes are taken modulo 2^bits. */
export function packCodes(codes: ArrayLike<number>, bits: 2 | 4): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const out = new Uint8Array(Math.ceil(codes.length / perByte));
  for (let i = 0; i < codes.length; i++) out[Math.floor(i / perByte)]! |= (codes[i]! & mask) << ((i % perByte) * bits);
  return out;
}

function signed(codes: Uint8Array, bits: 2 | 4): Int8Array {
  return Int8Array.from(codes, (code) => (code << (32 - bits)) >> (32 - bits));
}

type Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The elements of a numeric tensor in the narrowest array that holds them exactly. */
export function numbersOf(dtype: DataType, count: number, bytes: Uint8Array, name: string): Numbers {
  const { buffer, offset } = aligned(bytes, Math.max(1, dataTypes[dtype].bits / 8));
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, offset, count);
    case 'float64':
      return new Float64Array(buffer, offset, count);
    case 'int8':
      return new Int8Array(buffer, offset, count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer, offset, count);
    case 'int16':
      return new Int16Array(buffer, offset, count);
    case 'uint16':
      return new Uint16Array(buffer, offset, count);
    case 'int32':
      return new Int32Array(buffer, offset, count);
    case 'uint32':
      return new Uint32Array(buffer, offset, count);
    case 'int64':
      return new BigInt64Array(buffer, offset, count);
    case 'uint64':
      return new BigUint64Array(buffer, offset, count);
    case 'float16':
      return decodeFloat16(new Uint16Array(buffer, offset, count));
    case 'bfloat16':
      return decodeBfloat16(new Uint16Array(buffer, offset, count));
    case 'float8e4m3fn':
    case 'float8e4m3fnuz':
    case 'float8e5m2':
    case 'float8e5m2fnuz':
    case 'float8e8m0': {
      const values = minifloatTables[dtype]();
      return Float32Array.from(bytes, (code) => values[code]!);
    }
    case 'float4e2m1': {
      const values = minifloatTables.float4e2m1();
      return Float32Array.from(unpackCodes(bytes, 4, count), (code) => values[code]!);
    }
    case 'uint4':
      return unpackCodes(bytes, 4, count);
    case 'int4':
      return signed(unpackCodes(bytes, 4, count), 4);
    case 'uint2':
      return unpackCodes(bytes, 2, count);
    case 'int2':
      return signed(unpackCodes(bytes, 2, count), 2);
    case 'string':
    case 'complex64':
    case 'complex128':
      return refuse('unsupported', `Tensor ${name} holds ${dtype} elements; real numbers are needed here.`);
    default:
      return dtype satisfies never;
  }
}

async function readNumbers(tensor: Tensor): Promise<Numbers> {
  return numbersOf(tensor.dtype, elementCount(tensor.dims), await readBytes(tensor), tensor.name);
}

/** Every element as float32 (wider types are rounded). The caller may write into it: never a view of the tensor's own bytes. */
export async function readFloats(tensor: Tensor): Promise<Float32Array> {
  const numbers = await readNumbers(tensor);
  if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) return Float32Array.from(numbers, Number);
  const fresh = tensor.data.kind === 'file' || tensor.dtype !== 'float32';
  return numbers instanceof Float32Array && fresh ? numbers : new Float32Array(numbers);
}

/** Every element as float64; exact for all types but 64-bit integers beyond 2^53. */
export async function readDoubles(tensor: Tensor): Promise<Float64Array> {
  const numbers = await readNumbers(tensor);
  if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array) return Float64Array.from(numbers, Number);
  return new Float64Array(numbers);
}

/** Every element of an integer or bool tensor, exactly; refuses other types and values beyond 2^53. */
export async function readInts(tensor: Tensor): Promise<number[]> {
  if (!/^(u?int\d+|bool)$/.test(tensor.dtype)) {
    refuse('bad-model', `Tensor ${tensor.name} holds ${tensor.dtype} elements; integers are needed here.`);
  }
  const numbers = await readNumbers(tensor);
  const out = new Array<number>(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = Number(numbers[i]!);
    if (!Number.isSafeInteger(value)) {
      refuse('bad-model', `Tensor ${tensor.name} holds ${numbers[i]}, which is beyond 2^53.`);
    }
    out[i] = value;
  }
  return out;
}

/** A tensor over bytes already in ONNX order; the caller gives the bytes away. */
export function bytesTensor(name: string, dtype: DataType, dims: readonly number[], bytes: Uint8Array): Tensor {
  const expected = byteLength(dtype, dims);
  if (bytes.byteLength !== expected) {
    throw new RangeError(`tensor ${name}: ${dtype}[${dims}] takes ${expected} bytes, not ${bytes.byteLength}`);
  }
  return { name, dtype, dims, data: { kind: 'bytes', bytes } };
}

export function floatTensor(name: string, dims: readonly number[], values: Float32Array | readonly number[]): Tensor {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  return bytesTensor(name, 'float32', dims, new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
}

export function int64Tensor(name: string, dims: readonly number[], values: readonly number[]): Tensor {
  const ints = BigInt64Array.from(values, BigInt);
  return bytesTensor(name, 'int64', dims, new Uint8Array(ints.buffer));
}
