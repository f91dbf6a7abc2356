// Whole tensors quantized: every layout against an arrangement written down literally, from memory and from files.
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readFloats } from '../../../src/engine/graph/tensor';
import { openKernels, type QuantizeRequest, type QuantizeResult } from '../../../src/engine/kernels';
import { groupRange, groupScale, type Loss, quantizeGroup } from '../../../src/engine/kernels/reference/quantize';
import { bell } from './memory';
import { floatTensor, inFile, kernelTestFolder } from './tensors';

const kernels = await openKernels();
afterAll(async () => {
  await kernels.close();
  rmSync(kernelTestFolder, { recursive: true });
});

/** The request, one weight after another. */
async function literal(request: QuantizeRequest): Promise<QuantizeResult> {
  const { rows, columns, order, bits, symmetric, zero, pack, scaleRule } = request;
  const weights = await readFloats(request.tensor);
  const group = request.groupSize === 0 ? columns : request.groupSize;
  const groups = Math.ceil(columns / group);
  const perByte = 8 / bits;
  const blob = Math.ceil(group / perByte);
  const scales = new Float32Array(rows * groups);
  const zeroPoints = new Uint8Array(rows * groups);
  const codes = new Uint8Array(pack === 'blocks' ? rows * groups * blob : Math.ceil((rows * columns) / perByte));
  const loss: Loss = { signal: 0, noise: 0, clipped: 0 };
  const half = zero === 'signed' ? 2 ** (bits - 1) : 0;
  const mask = 2 ** bits - 1;
  for (let n = 0; n < rows; n++) {
    for (let g = 0; g < groups; g++) {
      const length = Math.min(group, columns - g * group);
      const place = (k: number) => (order === 'rows' ? n * columns + k : k * rows + n);
      const own = Float32Array.from({ length }, (_, i) => weights[place(g * group + i)]!);
      const { low, high } = groupRange(own);
      const found = groupScale(low, high, { bits, rule: symmetric ? scaleRule : 'asymmetric' });
      const out = new Uint8Array(perByte * blob).fill(found.zero);
      quantizeGroup(out, own, found, bits, loss);
      scales[n * groups + g] = found.scale;
      zeroPoints[n * groups + g] = found.zero - half;
      const count = pack === 'blocks' ? out.length : length;
      for (let i = 0; i < count; i++) {
        const at = pack === 'blocks' ? (n * groups + g) * blob * perByte + i : place(g * group + i);
        codes[Math.floor(at / perByte)]! |= ((out[i]! - half) & mask) << ((at % perByte) * bits);
      }
    }
  }
  return {
    codes,
    scales,
    zeroPoints: symmetric ? null : zeroPoints,
    floatZeroPoints: null,
    outputNoise: null,
    ...loss,
  };
}

function expectSame(got: QuantizeResult, wanted: QuantizeResult) {
  expect(Buffer.from(got.codes).equals(Buffer.from(wanted.codes))).toBe(true);
  expect(Buffer.from(got.scales.buffer).equals(Buffer.from(wanted.scales.buffer))).toBe(true);
  expect(got.zeroPoints).toEqual(wanted.zeroPoints);
  expect(got.clipped).toBe(wanted.clipped);
  // Pieces are summed apart, so the last digits may differ.
  expect(got.signal).toBeCloseTo(wanted.signal, 9);
  expect(got.noise).toBeCloseTo(wanted.noise, 9);
}

const shape = {
  order: 'rows',
  ...({ bits: 4, groupSize: 32, symmetric: true, zero: 'unsigned', pack: 'blocks', scaleRule: 'signed-max' } as const),
} as const;

describe('quantize', () => {
  it('every layout, small', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          rows: fc.integer({ min: 1, max: 40 }),
          columns: fc.integer({ min: 1, max: 200 }),
          order: fc.constantFrom('rows' as const, 'columns' as const),
          bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
          groupSize: fc.constantFrom(0, 16, 32, 128, 7),
          symmetric: fc.boolean(),
          zero: fc.constantFrom('signed' as const, 'unsigned' as const),
          pack: fc.constantFrom('blocks' as const, 'plain' as const),
          scaleRule: fc.constantFrom('signed-max' as const, 'restricted' as const),
          dtype: fc.constantFrom('float32' as const, 'float16' as const, 'bfloat16' as const, 'float64' as const),
          seed: fc.integer(),
          file: fc.boolean(),
        }),
        async ({ dtype, seed, file, ...rest }) => {
          const tensor = floatTensor(bell(rest.rows * rest.columns, seed), [rest.rows, rest.columns], dtype);
          const request: QuantizeRequest = { ...rest, tensor: file ? inFile(tensor) : tensor };
          expectSame(await kernels.quantize(request), await literal(request));
        },
      ),
      { numRuns: 300 },
    );
  });

  // Shapes that are cut in each of the ways there are: many pieces of rows, of groups in a row, of groups of columns, of panels.
  it.each([
    { rows: 3000, columns: 257, order: 'rows', pack: 'plain', groupSize: 32 },
    { rows: 3001, columns: 300, order: 'rows', pack: 'blocks', groupSize: 128 },
    { rows: 3, columns: 300_001, order: 'rows', pack: 'plain', groupSize: 128 },
    { rows: 2, columns: 300_000, order: 'rows', pack: 'plain', groupSize: 7 },
    { rows: 2, columns: 300_000, order: 'rows', pack: 'blocks', groupSize: 0 },
    { rows: 40_000, columns: 9, order: 'rows', pack: 'blocks', groupSize: 32 },
    { rows: 1030, columns: 1000, order: 'columns', pack: 'blocks', groupSize: 32 },
    { rows: 1031, columns: 1000, order: 'columns', pack: 'plain', groupSize: 16 },
    { rows: 1031, columns: 2100, order: 'columns', pack: 'plain', groupSize: 0 },
    { rows: 1032, columns: 2100, order: 'columns', pack: 'plain', groupSize: 0 },
    { rows: 1030, columns: 2100, order: 'columns', pack: 'blocks', groupSize: 0 },
    { rows: 20_003, columns: 130, order: 'columns', pack: 'blocks', groupSize: 128 },
    { rows: 9003, columns: 70, order: 'columns', pack: 'plain', groupSize: 32 },
    { rows: 9004, columns: 70, order: 'columns', pack: 'plain', groupSize: 32 },
  ] as const)('$rows × $columns by $order, $pack, groups of $groupSize', async (how) => {
    const { rows, columns } = how;
    const tensor = inFile(floatTensor(bell(rows * columns, rows + columns), [rows, columns]));
    const request: QuantizeRequest = { ...shape, ...how, symmetric: false, zero: 'signed', tensor };
    expectSame(await kernels.quantize(request), await literal(request));
  });

  it('NaN takes the code of zero, infinity an end of the grid, and neither is in the loss', async () => {
    const values = bell(64, 5);
    values[3] = Number.NaN;
    values[40] = Infinity;
    values[41] = -Infinity;
    for (const symmetric of [true, false]) {
      const request: QuantizeRequest = {
        ...shape,
        symmetric,
        tensor: floatTensor(values, [2, 32]),
        rows: 2,
        columns: 32,
        bits: 8,
      };
      const got = await kernels.quantize(request);
      expectSame(got, await literal(request));
      expect(got.codes[3]).toBe(symmetric ? 128 : got.zeroPoints![0]);
      expect([got.codes[40], got.codes[41]].sort()).toEqual([0, 255]);
      expect(Number.isFinite(got.signal + got.noise)).toBe(true);
    }
  });

  it('all zeros: scale 0, nothing lost', async () => {
    const tensor = floatTensor(new Float32Array(96), [3, 32]);
    const { scales, noise, clipped } = await kernels.quantize({ ...shape, tensor, rows: 3, columns: 32 });
    expect([...scales]).toEqual([0, 0, 0]);
    expect([noise, clipped]).toEqual([0, 0]);
  });

  it('weights already on the grid lose nothing', async () => {
    const values = Float32Array.from({ length: 320 }, (_, i) => (((i * 7) % 16) - 8) * 0.125);
    const request = { ...shape, tensor: floatTensor(values, [10, 32]), rows: 10, columns: 32 };
    expect((await kernels.quantize(request)).noise).toBe(0);
  });

  it('a sample is the smaller matrix', async () => {
    const values = bell(100 * 64, 9);
    const rowsOnly = await kernels.quantize({
      ...shape,
      tensor: floatTensor(values, [100, 64]),
      rows: 100,
      columns: 64,
      sampleRows: 10,
    });
    const every10 = Float32Array.from({ length: 640 }, (_, i) => values[Math.floor(i / 64) * 640 + (i % 64)]!);
    expectSame(rowsOnly, await literal({ ...shape, tensor: floatTensor(every10, [10, 64]), rows: 10, columns: 64 }));

    const request = {
      ...shape,
      order: 'columns' as const,
      tensor: floatTensor(values, [100, 64]),
      rows: 64,
      columns: 100,
      sampleRows: 64,
    };
    // Groups 0 and 2 of 32, 32, 32 and 4 rows.
    const some = Float32Array.from({ length: 64 * 64 }, (_, i) => values[i < 2048 ? i : i + 2048]!);
    expectSame(
      await kernels.quantize(request),
      await literal({ ...request, tensor: floatTensor(some, [64, 64]), columns: 64, sampleRows: undefined }),
    );
  });

  it('refuses what is not float, and a file that became shorter', async () => {
    const tensor = floatTensor(bell(64, 1), [2, 32]);
    await expect(
      kernels.quantize({ ...shape, rows: 2, columns: 32, tensor: { ...tensor, dtype: 'int32' } }),
    ).rejects.toThrow('weights holds int32 elements; only floats can be quantized.');
    const cut = inFile(tensor);
    if (cut.data.kind !== 'file') throw new Error('not a file');
    const short = { ...cut, data: { ...cut.data, offset: 100 } };
    await expect(kernels.quantize({ ...shape, rows: 2, columns: 32, tensor: short })).rejects.toThrow(
      'is shorter than when it was opened',
    );
    const gone = { ...cut, data: { ...cut.data, file: `${cut.data.file}.gone` } };
    await expect(kernels.quantize({ ...shape, rows: 2, columns: 32, tensor: gone })).rejects.toThrow(
      'is no longer where it was',
    );
  });

  it('ends when the signal is aborted', async () => {
    const tensor = floatTensor(bell(2 ** 20, 1), [1024, 1024]);
    const control = new AbortController();
    const asked = kernels.quantize({ ...shape, rows: 1024, columns: 1024, tensor, signal: control.signal });
    control.abort();
    await expect(asked).rejects.toThrow('aborted');
    // The next request is not disturbed.
    await kernels.quantize({ ...shape, rows: 1024, columns: 1024, tensor });
  });
});
