// Tensors for kernel tests: in memory, or in a file at an odd place between other bytes.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataType, Tensor } from '../../../src/engine/graph/graph';
import { encodeBfloat16, encodeFloat16 } from '../../../src/engine/graph/tensor';

const folder = mkdtempSync(join(tmpdir(), 'lathe-kernels-'));

export { folder as kernelTestFolder };

let files = 0;

export function inMemory(dtype: DataType, dims: number[], bytes: Uint8Array): Tensor {
  return { name: 'weights', dtype, dims, data: { kind: 'bytes', bytes } };
}

/** The same tensor 7 bytes into a file of its own. */
export function inFile(tensor: Tensor): Tensor {
  if (tensor.data.kind !== 'bytes') throw new Error('only bytes are written to a file here');
  const { bytes } = tensor.data;
  const file = join(folder, `${files++}.bin`);
  writeFileSync(file, Buffer.concat([Buffer.alloc(7, 0xee), bytes, Buffer.alloc(5, 0xee)]));
  return { ...tensor, data: { kind: 'file', file, offset: 7, length: bytes.length } };
}

/** Weights as a tensor of a floating-point type; what was lost by that type is lost. */
export function floatTensor(values: Float32Array, dims: number[], dtype: DataType = 'float32'): Tensor {
  const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  switch (dtype) {
    case 'float32':
      return inMemory(dtype, dims, bytesOf(values));
    case 'float16':
      return inMemory(dtype, dims, bytesOf(encodeFloat16(values)));
    case 'bfloat16':
      return inMemory(dtype, dims, bytesOf(encodeBfloat16(values)));
    case 'float64':
      return inMemory(dtype, dims, bytesOf(Float64Array.from(values)));
    default:
      throw new Error(`no ${dtype} weights here`);
  }
}
