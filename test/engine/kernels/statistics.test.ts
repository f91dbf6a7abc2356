// Statistics of whole tensors against their definitions, in float64.
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/engine/graph/graph';
import { openKernels } from '../../../src/engine/kernels';
import { bell } from './memory';
import { floatTensor, inFile, inMemory, kernelTestFolder } from './tensors';

const kernels = await openKernels();
afterAll(async () => {
  await kernels.close();
  rmSync(kernelTestFolder, { recursive: true });
});

/** The definitions of the command line's documentation, literally. */
function literal(all: ArrayLike<number>) {
  const values = Array.from(all).filter(Number.isFinite);
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const moment = (p: number) => values.reduce((sum, x) => sum + (x - mean) ** p, 0) / n;
  const std = Math.sqrt(moment(2));
  const min = values.reduce((a, b) => Math.min(a, b));
  const max = values.reduce((a, b) => Math.max(a, b));
  const counts = new Array<number>(256).fill(0);
  for (const x of values) {
    let bin = 255;
    while (bin > 0 && x < min + bin * ((max - min) / 256)) bin--;
    counts[bin]!++;
  }
  return {
    ...{ min, max, mean, std, kurtosis: moment(4) / moment(2) ** 2, counts, n },
    zeros: values.filter((x) => x === 0).length,
    nonFinite: all.length - n,
    outliers: values.filter((x) => Math.abs(x - mean) > 6 * std).length / n,
  };
}

async function compare(tensor: Tensor, values: ArrayLike<number>) {
  const got = await kernels.statistics(tensor);
  const wanted = literal(values);
  expect(got.min).toBe(wanted.min);
  expect(got.max).toBe(wanted.max);
  expect(got.absMax).toBe(Math.max(Math.abs(wanted.min), Math.abs(wanted.max)));
  for (const name of ['mean', 'std', 'kurtosis'] as const) {
    expect(Math.abs(got[name]! - wanted[name])).toBeLessThanOrEqual(
      1e-11 * Math.max(Math.abs(wanted[name]), wanted.std),
    );
  }
  expect(got.zeros).toBe(wanted.zeros);
  expect(got.nonFinite).toBe(wanted.nonFinite);
  expect(got.outliers).toBe(wanted.outliers);
  expect(got.histogram!.counts).toEqual(wanted.counts);
}

describe('statistics', () => {
  it('bell-shaped weights, over many pieces, from a file', async () => {
    const values = bell(1_000_003, 11);
    await compare(inFile(floatTensor(values, [1_000_003])), values);
  });

  it('far from zero, with outliers and non-finite values', async () => {
    const values = bell(300_001, 12).map((x, i) => (i % 50_000 === 7 ? 1000 + 100 * x : 1000 + x));
    await compare(floatTensor(values, [300_001]), values);
    values[5] = Number.NaN;
    values[299_000] = Infinity;
    values[299_001] = -Infinity;
    await compare(floatTensor(values, [300_001]), values);
  });

  it.each(['float16', 'bfloat16', 'float64'] as const)('%s', async (dtype) => {
    // Multiples of 1/64 below 2 are exact in each of them.
    const values = bell(5000, 13, 0.5).map((x) => Math.round(x * 64) / 64);
    await compare(floatTensor(values, [5000], dtype), values);
  });

  it('float64 beyond float32, and integers', async () => {
    const doubles = Float64Array.from(bell(999, 14), (x) => x * 1e-60);
    await compare(inMemory('float64', [999], new Uint8Array(doubles.buffer)), doubles);
    const ints = Int32Array.from(bell(999, 15), (x) => x * 1e10);
    await compare(inMemory('int32', [999], new Uint8Array(ints.buffer)), ints);
  });

  it('all equal: no deviation, no kurtosis, one bin', async () => {
    const got = await kernels.statistics(floatTensor(new Float32Array(1000).fill(0.1), [1000]));
    expect([got.std, got.kurtosis, got.outliers, got.min, got.max]).toEqual([
      0,
      null,
      0,
      Math.fround(0.1),
      Math.fround(0.1),
    ]);
    expect(got.histogram!.counts[0]).toBe(1000);
  });

  it('empty, and nothing finite', async () => {
    const empty = await kernels.statistics(floatTensor(new Float32Array(0), [0]));
    expect([empty.min, empty.std, empty.histogram, empty.zeros]).toEqual([null, null, null, 0]);
    const none = await kernels.statistics(floatTensor(new Float32Array(5).fill(Number.NaN), [5]), { channelAxis: 0 });
    expect([none.min, none.outliers, none.nonFinite]).toEqual([null, null, 5]);
  });

  it.each([
    { dims: [7, 300, 400], axis: 0 },
    { dims: [7, 300, 400], axis: 1 },
    { dims: [700, 900], axis: 1 },
    { dims: [64, 3, 5, 5], axis: 0 },
  ])('ranges of the channels of $dims along $axis', async ({ dims, axis }) => {
    const count = dims.reduce((a, b) => a * b);
    const values = bell(count, 16);
    values[1] = Number.NaN;
    const { channels } = await kernels.statistics(inFile(floatTensor(values, dims)), { channelAxis: axis });
    const size = dims[axis]!;
    const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const min = new Array<number>(Math.min(512, size)).fill(Infinity);
    const max = new Array<number>(Math.min(512, size)).fill(-Infinity);
    for (let i = 0; i < count; i++) {
      if (Number.isNaN(values[i])) continue;
      const range = Math.floor(((Math.floor(i / inner) % size) * min.length) / size);
      min[range] = Math.min(min[range]!, values[i]!);
      max[range] = Math.max(max[range]!, values[i]!);
    }
    expect(channels).toEqual({ axis, count: size, min, max });
  });

  it('histogram over a range of the caller', async () => {
    const values = bell(10_000, 17);
    const { counts } = await kernels.histogram(floatTensor(values, [10_000]), { min: -0.01, max: 0.01 });
    expect(counts.reduce((a, b) => a + b, 0)).toBe(10_000);
    const beyond = values.filter((x) => x < -0.01 + 0.02 / 256).length;
    expect(counts[0]).toBe(beyond);
  });

  it('float16 bytes', async () => {
    const values = bell(300_000, 18);
    values.set([65519, 65520, -1e10, Number.NaN, 1e-8, 2 ** -25]);
    const bytes = await kernels.toFloat16(inFile(floatTensor(values, [300_000])));
    const wanted = floatTensor(values, [300_000], 'float16');
    expect(Buffer.from(bytes).equals(Buffer.from(wanted.data.kind === 'bytes' ? wanted.data.bytes : []))).toBe(true);
  });
});
