// Bytes that onnxruntime's own block quantizer gives, and how each layout holds the same weights.
import { afterAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/engine/graph/graph';
import { openKernels, type QuantizeRequest } from '../../../src/engine/kernels';

const kernels = await openKernels();
afterAll(() => kernels.close());

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function floats(values: ArrayLike<number>, dims: number[]): Tensor {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { name: 'weights', dtype: 'float32', dims, data: { kind: 'bytes', bytes } };
}

// W[48, 2] = (((arange(96)·37) mod 29) − 14) / 10, stored as a MatMul weight.
const golden = floats(
  Array.from({ length: 96 }, (_, i) => (((i * 37) % 29) - 14) / 10),
  [48, 2],
);
const request: QuantizeRequest = {
  ...{ tensor: golden, rows: 2, columns: 48, order: 'columns', bits: 4, groupSize: 16, symmetric: true },
  ...{ zero: 'unsigned', pack: 'blocks', scaleRule: 'signed-max' },
} as const;

describe('MatMulNBits of onnxruntime', () => {
  it('symmetric: signed scales', async () => {
    const { codes, scales, zeroPoints } = await kernels.quantize(request);
    expect(hex(codes.subarray(0, 24))).toBe('90b2d3e5f7193a5c6e8fa1b2d4f60729d5b392706f4d2b1a');
    expect([...scales.subarray(0, 3)]).toEqual([0.175, 0.175, -0.175].map(Math.fround));
    expect(zeroPoints).toBeNull();
  });

  it('asymmetric: zero points', async () => {
    const { codes, scales, zeroPoints } = await kernels.quantize({ ...request, symmetric: false });
    expect(hex(codes.subarray(0, 24))).toBe('91b2c4e5f7293a5c6e8fa1b2d4f607292a4c6d8f90b2d4f5');
    expect(scales[0]).toBeCloseTo(0.186667, 6);
    expect(scales[1]).toBeCloseTo(0.18, 6);
    expect(scales[2]).toBeCloseTo(0.173333, 6);
    expect([...zeroPoints!.subarray(0, 3)]).toEqual([8, 8, 7]);
  });
});
