// Both implementations of the kernels over one memory, and weights that reach every corner of float32.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { instantiate, type KernelSet, wasm } from '../../../src/engine/kernels/kernel-set';
import { plainKernels } from '../../../src/engine/kernels/reference/plain';

export const memory = new wasm.Memory({ initial: 256, maximum: 16384, shared: true });
const file = resolve(import.meta.dirname, '../../../out/kernels/kernels.wasm');
export const simd = instantiate(new wasm.Module(readFileSync(file)), memory);
export const plain = plainKernels(memory);

/** 1 MiB apart, so that no kernel of a test reaches into the next region. */
export const region = (index: number) => (index + 1) * 2 ** 20;
export const bytesAt = (at: number, length: number) => new Uint8Array(memory.buffer, at, length);
export const floatsAt = (at: number, length: number) => new Float32Array(memory.buffer, at, length);

/** What `call` leaves in `length` bytes at the address it was given: SIMD and plain, from the same bytes before. */
export function both(length: number, call: (kernels: KernelSet, out: number) => unknown) {
  const answers = [simd, plain].map((kernels, index) => {
    const out = region(10 + index);
    bytesAt(out, length + 64).fill(0xa5);
    const answer = call(kernels, out);
    // What lies behind must not be touched.
    return { answer, bytes: Buffer.from(bytesAt(out, length + 64)) };
  });
  return { simd: answers[0]!, plain: answers[1]! };
}

/** Numbers that repeat for a seed (xorshift32). */
export function randoms(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Bell-shaped about zero with the deviation `scale`. */
export function bell(count: number, seed: number, scale = 0.02): Float32Array {
  const next = randoms(seed);
  return Float32Array.from({ length: count }, () => (next() + next() + next() + next() - 2) * 1.73 * scale);
}
