// The live preview tells what quantizing would do: against the codes that quantizing really gives.
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openKernels, type QuantizeRequest } from '../../../src/engine/kernels';
import { bell } from './memory';
import { floatTensor, inFile, kernelTestFolder } from './tensors';

const kernels = await openKernels();
afterAll(async () => {
  await kernels.close();
  rmSync(kernelTestFolder, { recursive: true });
});

const values = bell(96 * 200, 31);
const tensor = inFile(floatTensor(values, [96, 200]));
const request: QuantizeRequest = {
  ...({ tensor, rows: 96, columns: 200, order: 'rows', bits: 4, groupSize: 32, symmetric: true } as const),
  ...({ zero: 'unsigned', pack: 'plain', scaleRule: 'signed-max' } as const),
};
const total = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);

describe('preview', () => {
  it.each([
    { symmetric: true, bits: 4 },
    { symmetric: false, bits: 4 },
    { symmetric: false, bits: 8 },
    { symmetric: true, bits: 2 },
  ] as const)('agrees with quantizing: $bits bits, symmetric $symmetric', async (how) => {
    const asked = { ...request, ...how };
    const shown = await kernels.preview(asked);
    const made = await kernels.quantize(asked);
    expect(shown).toMatchObject({ signal: made.signal, noise: made.noise, clipped: made.clipped, sample: null });
    expect(shown.sqnrDb).toBeCloseTo(10 * Math.log10(made.signal / made.noise), 9);
    const { histogram } = await kernels.statistics(tensor);
    expect(shown.before).toEqual(histogram);

    const perByte = 8 / how.bits;
    const groups = Math.ceil(200 / 32);
    const after = new Array<number>(256).fill(0);
    const levels = new Map<number, number>();
    const { min, max } = shown.before;
    for (let i = 0; i < values.length; i++) {
      const code = (made.codes[Math.floor(i / perByte)]! >> ((i % perByte) * how.bits)) & (2 ** how.bits - 1);
      const group = Math.floor(i / 200) * groups + Math.floor((i % 200) / 32);
      const level = code - (made.zeroPoints?.[group] ?? 2 ** (how.bits - 1));
      levels.set(level, (levels.get(level) ?? 0) + 1);
      const weight = Math.fround(level * made.scales[group]!);
      let bin = 255;
      while (bin > 0 && weight < min + bin * ((max - min) / 256)) bin--;
      after[bin]!++;
    }
    expect(shown.after.counts).toEqual(after);
    expect(new Map(shown.levels.filter(({ count }) => count > 0).map(({ value, count }) => [value, count]))).toEqual(
      new Map([...levels].sort(([a], [b]) => a - b)),
    );
    expect(total(shown.scaled.counts)).toBe(values.length);
  });

  it('is exact where the weights lie on the grid', async () => {
    const grid = floatTensor(
      Float32Array.from({ length: 320 }, (_, i) => (((i * 7) % 16) - 8) * 0.125),
      [10, 32],
    );
    const { sqnrDb, before, after } = await kernels.preview({ ...request, tensor: grid, rows: 10, columns: 32 });
    expect(sqnrDb).toBeNull();
    expect(after).toEqual(before);
  });

  it('answers from a sample and says so', async () => {
    const { sample, before, after } = await kernels.preview({ ...request, sampleRows: 12 });
    expect(sample).toEqual({ rows: 12, of: 96 });
    expect([total(before.counts), total(after.counts)]).toEqual([12 * 200, 12 * 200]);
    const across = await kernels.preview({ ...request, rows: 200, columns: 96, order: 'columns', sampleRows: 32 });
    expect(across.sample).toEqual({ rows: 32, of: 96 });
    // Less than a group along K: channels, each as long as it is.
    const few = { ...request, rows: 200, columns: 96, order: 'columns', groupSize: 0, sampleRows: 12 } as const;
    expect((await kernels.preview(few)).sample).toEqual({ rows: 25, of: 200 });
  });

  it('follows the tensor it is asked about, and weights that are not finite', async () => {
    const odd = values.slice();
    odd[7] = Number.NaN;
    odd[8000] = Infinity;
    const first = await kernels.preview({ ...request, tensor: floatTensor(odd, [96, 200]) });
    expect(total(first.before.counts)).toBe(values.length - 2);
    expect(Number.isFinite(first.sqnrDb)).toBe(true);
    const second = await kernels.preview(request);
    expect(total(second.before.counts)).toBe(values.length);
  });

  it.each(['mse', 'hqq', 'gptq'] as const)(
    '%s: a sixteenth of the rows first, all of them when asked',
    async (rounding) => {
      const [rows, columns] = [1056, 256];
      const many = inFile(floatTensor(bell(rows * columns, 77), [rows, columns]));
      const data = new Float64Array(columns * columns);
      for (let i = 0; i < data.length; i++) data[i] = 1 / (1 + Math.abs(Math.floor(i / columns) - (i % columns)));
      const hessian = { columns, data };
      const asked = { ...request, tensor: many, rows, columns, rounding, hessian, symmetric: false };
      const first = await kernels.preview(asked);
      expect(first.sample).toEqual({ rows: 66, of: 1056 });
      expect(total(first.after.counts)).toBe(66 * columns);
      const whole = await kernels.preview({ ...asked, sampleRows: rows });
      const made = await kernels.quantize(asked);
      expect(whole).toMatchObject({ signal: made.signal, noise: made.noise, clipped: made.clipped, sample: null });
      expect(total(whole.after.counts)).toBe(rows * columns);
      expect(Math.abs(whole.sqnrDb! - first.sqnrDb!)).toBeLessThan(1);

      // As MatMul stores it: a sample of groups along K, of channels for gptq.
      const across = { ...asked, rows: columns, columns: rows, order: 'columns' as const };
      const hessianAcross = { columns: rows, data: new Float64Array(rows * rows) };
      for (let k = 0; k < rows; k++) hessianAcross.data[k * rows + k] = 1 + k;
      const sampled = await kernels.preview({ ...across, hessian: hessianAcross });
      expect(sampled.sample).toEqual(rounding === 'gptq' ? { rows: 16, of: 256 } : { rows: 64, of: 1056 });
      expect(total(sampled.before.counts)).toBe(rounding === 'gptq' ? 16 * rows : 64 * columns);
    },
  );

  it('few weights are never a sample', async () => {
    expect((await kernels.preview({ ...request, rounding: 'mse' })).sample).toBeNull();
  });
});
