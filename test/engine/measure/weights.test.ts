// Statistics of layers that are quantized already: what their codes stand for, in every layout that operators use.
import { afterAll, describe, expect, it } from 'vitest';
import type { DataType, Tensor } from '../../../src/engine/graph/graph';
import { openKernels } from '../../../src/engine/kernels';
import { type WeightSite, weightStatistics } from '../../../src/engine/measure/weights';

const kernels = await openKernels();
afterAll(() => kernels.close());

function stored(dtype: DataType, dims: number[], values: ArrayBufferView): Tensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name: 'w', dtype, dims, data: { kind: 'bytes', bytes } };
}
const floats = (dims: number[], values: number[]) => stored('float32', dims, Float32Array.from(values));

/** Min, max, mean and how many, from a plain list. */
async function expectWeights(site: WeightSite, weights: readonly number[]) {
  const got = await weightStatistics(kernels, site);
  const mean = weights.reduce((a, b) => a + b, 0) / weights.length;
  expect(got.histogram!.counts.reduce((a, b) => a + b, 0)).toBe(weights.length);
  expect(got.min).toBeCloseTo(Math.min(...weights), 6);
  expect(got.max).toBeCloseTo(Math.max(...weights), 6);
  expect(got.mean).toBeCloseTo(mean, 6);
  expect(got.std).toBeCloseTo(Math.sqrt(weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length), 6);
  return got;
}

const site = (over: Partial<WeightSite> & Pick<WeightSite, 'tensor' | 'shape'>): WeightSite => ({
  ...{ op: 'MatMul', bits: 8, channelAxis: null, quantAxis: null, quantBlock: 1, layout: 'plain' },
  ...over,
});
const int8 = Array.from({ length: 24 }, (_, i) => ((i * 37) % 255) - 127);

describe('weights of quantized layers', () => {
  it('one scale, a zero point', async () => {
    const tensor = stored(
      'uint8',
      [4, 6],
      Uint8Array.from(int8, (q) => q + 128),
    );
    const zeroPoints = stored('uint8', [], Uint8Array.of(130));
    const weights = int8.map((q) => (q + 128 - 130) * 0.5);
    await expectWeights(site({ tensor, shape: [4, 6], scales: floats([], [0.5]), zeroPoints }), weights);
  });

  it('a scale for each channel, on either axis', async () => {
    const tensor = stored('int8', [4, 6], Int8Array.from(int8));
    for (const axis of [0, 1]) {
      const count = axis === 0 ? 4 : 6;
      const scales = Array.from({ length: count }, (_, c) => (c + 1) / 64);
      const weights = int8.map((q, i) => q * scales[axis === 0 ? Math.floor(i / 6) : i % 6]!);
      const got = await expectWeights(
        site({ tensor, shape: [4, 6], scales: floats([count], scales), quantAxis: axis, channelAxis: axis }),
        weights,
      );
      expect(got.channels).toMatchObject({ axis, count });
    }
  });

  it('blocks along either axis, 4 bits packed', async () => {
    const codes = int8.map((q) => (((q % 8) + 8) % 8) - 4);
    const packed = Uint8Array.from({ length: 12 }, (_, i) => (codes[2 * i]! & 15) | ((codes[2 * i + 1]! & 15) << 4));
    const tensor = stored('int4', [4, 6], packed);
    const first = Array.from({ length: 12 }, (_, i) => (i + 1) / 16);
    await expectWeights(
      site({ tensor, shape: [4, 6], bits: 4, scales: floats([2, 6], first), quantAxis: 0, quantBlock: 2 }),
      codes.map((q, i) => q * first[Math.floor(i / 12) * 6 + (i % 6)]!),
    );
    const second = Array.from({ length: 8 }, (_, i) => (i + 1) / 16);
    await expectWeights(
      site({ tensor, shape: [4, 6], bits: 4, scales: floats([4, 2], second), quantAxis: 1, quantBlock: 4 }),
      codes.map((q, i) => q * second[Math.floor(i / 6) * 2 + (i % 6 < 4 ? 0 : 1)]!),
    );
  });

  it('MatMulNBits: padding left out, zero points packed by rows, channels as the layer shows them', async () => {
    const [rows, columns, block] = [3, 40, 16];
    const weights: number[] = [];
    const blob = new Uint8Array(rows * 3 * 8).fill(0xff);
    const zeros = [7, 8, 3, 1, 9, 15, 0, 4, 12];
    const scales = zeros.map((_, i) => (i % 2 === 0 ? 0.25 : -0.125) * (i + 1));
    for (let n = 0; n < rows; n++) {
      for (let k = 0; k < columns; k++) {
        const code = (n * 11 + k * 7) % 16;
        const at = n * 24 + (k >> 1);
        blob[at] = k % 2 === 0 ? (blob[at]! & 0xf0) | code : (blob[at]! & 0x0f) | (code << 4);
        const group = n * 3 + Math.floor(k / block);
        weights.push((code - zeros[group]!) * scales[group]!);
      }
    }
    const packedZeros = Uint8Array.of(0x87, 0xf3, 0x91, 0xff, 0x40, 0xfc);
    const nBits = site({
      ...{
        op: 'MatMulNBits',
        tensor: stored('uint8', [rows, 3, 8], blob),
        shape: [columns, rows],
        bits: 4,
        layout: 'blocks',
      },
      ...{ quantBlock: block, quantAxis: null, scales: floats([9], scales) },
      zeroPoints: stored('uint8', [6], packedZeros),
    });
    const got = await expectWeights(nBits, weights);
    expect(got.channels).toMatchObject({ axis: 1, count: 3 });
    expect(got.channels!.min[2]).toBeCloseTo(Math.min(...weights.slice(80)), 6);
    // Without zero points the grid is centred at 8.
    const centred = weights.map((w, i) => {
      const group = Math.floor(i / 40) * 3 + Math.floor((i % 40) / block);
      return w + (zeros[group]! - 8) * scales[group]!;
    });
    await expectWeights({ ...nBits, zeroPoints: undefined }, centred);
  });

  it('16-bit codes and float8 with scales', async () => {
    const codes = Int16Array.from(int8, (q) => q * 100);
    await expectWeights(
      site({
        tensor: stored('int16', [4, 6], codes),
        shape: [4, 6],
        bits: 16,
        scales: floats([4], [1, 2, 3, 4]),
        quantAxis: 0,
      }),
      [...codes].map((q, i) => q * (Math.floor(i / 6) + 1)),
    );
    const eights = stored('float8e4m3fn', [3], Uint8Array.of(0x38, 0xb8, 0x40));
    await expectWeights(site({ tensor: eights, shape: [3], scales: floats([], [0.5]) }), [0.5, -0.5, 1]);
  });

  it('says nothing where the codes mean something else', async () => {
    const tensor = stored('uint8', [12, 1], new Uint8Array(12));
    const table = site({
      op: 'MatMulBnb4',
      tensor,
      shape: [4, 6],
      bits: 4,
      layout: 'blocks',
      scales: floats([1], [1]),
    });
    expect((await weightStatistics(kernels, table)).min).toBeNull();
    const odd = site({
      tensor: stored('int8', [4, 6], Int8Array.from(int8)),
      shape: [4, 6],
      scales: floats([5], [1, 2, 3, 4, 5]),
      quantAxis: 0,
    });
    expect((await weightStatistics(kernels, odd)).histogram).toBeNull();
  });
});
