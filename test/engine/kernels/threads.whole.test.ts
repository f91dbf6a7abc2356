// The same bytes on the caller's thread, on one thread beside it and on two; and what happens when a thread's work goes wrong.
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kernels, openKernels, type QuantizeRequest } from '../../../src/engine/kernels';
import { bell } from './memory';
import { floatTensor, inFile, kernelTestFolder } from './tensors';

let inline: Kernels;
let one: Kernels;
let two: Kernels;
let worker: URL;

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      ssr: resolve(import.meta.dirname, '../../../src/engine/kernels/worker.ts'),
      outDir: join(kernelTestFolder, 'built'),
      rolldownOptions: { output: { format: 'es', entryFileNames: 'kernel-worker.mjs' } },
    },
  });
  worker = pathToFileURL(join(kernelTestFolder, 'built/kernel-worker.mjs'));
  inline = await openKernels({ worker: null });
  one = await openKernels({ worker, threads: 1 });
  two = await openKernels({ worker, threads: 2 });
});
afterAll(async () => {
  await Promise.all([inline, one, two].map((kernels) => kernels.close()));
  rmSync(kernelTestFolder, { recursive: true });
});

const columns = 1500;
const rows = 1024;
const values = bell(rows * columns, 21);
const request = (over: Partial<QuantizeRequest> = {}): QuantizeRequest => ({
  ...{ tensor: inFile(floatTensor(values, [rows, columns])), rows, columns, order: 'rows', bits: 4, groupSize: 32 },
  ...{ symmetric: false, zero: 'unsigned', pack: 'blocks', scaleRule: 'signed-max' },
  ...over,
});

describe('threads', () => {
  it('threads are where they were asked for', () => {
    expect([inline.threads, one.threads, two.threads]).toEqual([0, 1, 2]);
  });

  it.each(['rows', 'columns'] as const)('quantize by %s', async (order) => {
    const asked = request(order === 'rows' ? {} : { order, rows: columns, columns: rows });
    const here = await inline.quantize(asked);
    // Equal to the last bit of the sums.
    expect(await one.quantize(asked)).toEqual(here);
    expect(await two.quantize(asked)).toEqual(here);
  });

  it.each(['mse', 'hqq'] as const)('%s', async (rounding) => {
    const asked = request({ rounding });
    const here = await inline.quantize(asked);
    expect(await one.quantize(asked)).toEqual(here);
    expect(await two.quantize(asked)).toEqual(here);
  });

  it('gptq and the sums of inputs it needs', async () => {
    const inputs = bell(700 * 400, 5, 1);
    const made = [];
    for (const kernels of [inline, one, two]) {
      const hessian = { columns: 400, data: new Float64Array(400 * 400) };
      await kernels.addInputs(hessian, inputs);
      const tensor = inFile(floatTensor(values.subarray(0, 600 * 400), [400, 600]));
      for (const order of ['rows', 'columns'] as const) {
        const asked = request({ tensor, rows: 600, columns: 400, order, rounding: 'gptq', hessian });
        made.push({ kernels, hessian, order, result: await kernels.quantize(asked) });
      }
    }
    for (const { hessian, order, result } of made) {
      const here = made.find((other) => other.kernels === inline && other.order === order)!;
      expect(hessian).toEqual(here.hessian);
      expect(result).toEqual(here.result);
    }
  });

  it('statistics, histogram, float16', async () => {
    const { tensor } = request();
    for (const channelAxis of [0, 1]) {
      const here = await inline.statistics(tensor, { channelAxis });
      expect(await one.statistics(tensor, { channelAxis })).toEqual(here);
      expect(await two.statistics(tensor, { channelAxis })).toEqual(here);
    }
    const range = { min: -0.05, max: 0.05 };
    expect(await two.histogram(tensor, range)).toEqual(await inline.histogram(tensor, range));
    expect(await two.toFloat16(tensor)).toEqual(await inline.toFloat16(tensor));
  });

  it('preview, cold and warm', async () => {
    const { milliseconds: _, ...here } = await inline.preview(request());
    for (const kernels of [one, two, two]) {
      const { milliseconds: _, ...there } = await kernels.preview(request());
      expect(there).toEqual(here);
    }
  });

  it('many requests at once wait for each other', async () => {
    const asked = request();
    const [a, b, c] = await Promise.all([two.quantize(asked), two.statistics(asked.tensor), two.quantize(asked)]);
    expect(c).toEqual(a);
    expect(b.nonFinite).toBe(0);
  });

  it('a request that is aborted under way leaves the threads fit', async () => {
    const control = new AbortController();
    // Long enough that the abort comes under way on a busy machine too.
    const asked = two.quantize(request({ signal: control.signal, rounding: 'mse' }));
    setTimeout(() => control.abort(), 1);
    await expect(asked).rejects.toThrow('aborted');
    expect((await two.quantize(request())).codes).toEqual((await inline.quantize(request())).codes);
  });

  it('a file that is gone is a refusal', async () => {
    const asked = request();
    if (asked.tensor.data.kind !== 'file') throw new Error('not a file');
    const tensor = { ...asked.tensor, data: { ...asked.tensor.data, file: join(kernelTestFolder, 'gone.bin') } };
    await expect(two.quantize({ ...asked, tensor })).rejects.toMatchObject({ refusal: { code: 'changed' } });
    await two.quantize(asked);
  });

  it('closing under way rejects what was asked', async () => {
    const short = await openKernels({ worker, threads: 2 });
    const asked = short.quantize(request());
    const rejected = expect(asked).rejects.toThrow('closed');
    await new Promise((resume) => setTimeout(resume, 5));
    await short.close();
    await rejected;
    await expect(short.quantize(request())).rejects.toThrow('closed');
  });

  it('a worker that is not there is a failure', async () => {
    const lost = await openKernels({ worker: new URL('none.mjs', worker), threads: 1 });
    await expect(lost.quantize(request())).rejects.toThrow('none.mjs');
    await lost.close();
  });
});
