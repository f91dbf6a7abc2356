// Whole tensors from a file through the threads, as the product reads them: against reading the file, and the live preview against its promise.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '../../src/engine/graph/graph';
import { type Kernels, openKernels, type QuantizeRequest } from '../../src/engine/kernels';
import { type Measured, print } from './table';

const side = 4096;
const count = side * side;
/** Of the file: four matrices, so that it is larger than the caches. */
const matrices = 4;

async function best(times: number, work: (i: number) => Promise<unknown>): Promise<number> {
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await work(i);
    ms = Math.min(ms, performance.now() - start);
  }
  return ms;
}

function write(file: string): void {
  const values = new Float32Array(count);
  const fd = openSync(file, 'w');
  for (let m = 0; m < matrices; m++) {
    for (let i = 0; i < count; i++) values[i] = (Math.random() + Math.random() + Math.random() - 1.5) * 0.04;
    writeSync(fd, values);
  }
  closeSync(fd);
}

function readAll(file: string): void {
  const into = new Uint8Array(2 ** 20);
  const fd = openSync(file, 'r');
  for (let at = 0; at < count * 4; at += into.length) readSync(fd, into, 0, into.length, at);
  closeSync(fd);
}

export default async function bench(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-bench-'));
  const file = join(folder, 'weights.bin');
  write(file);
  const tensor = (i: number): Tensor => ({
    name: 'weights',
    dtype: 'float32',
    dims: [side, side],
    data: { kind: 'file', file, offset: (i % matrices) * count * 4, length: count * 4 },
  });
  const request = (i: number, over: Partial<QuantizeRequest> = {}): QuantizeRequest => ({
    ...{ tensor: tensor(i), rows: side, columns: side, order: 'rows', bits: 4, groupSize: 32, symmetric: true },
    ...{ zero: 'unsigned', pack: 'blocks', scaleRule: 'signed-max' },
    ...over,
  });
  const hessian = { columns: side, data: new Float64Array(count) };
  for (let k = 0; k < side; k++) hessian.data[k * side + k] = 1 + (k % 17);
  const works: [string, (kernels: Kernels, i: number) => Promise<unknown>][] = [
    ['statistics with channel ranges', (kernels, i) => kernels.statistics(tensor(i), { channelAxis: 0 })],
    ['4 bits, groups of 32, by rows', (kernels, i) => kernels.quantize(request(i))],
    ['4 bits, groups of 32, across rows', (kernels, i) => kernels.quantize(request(i, { order: 'columns' }))],
    [
      '4 bits, per channel, across rows',
      (kernels, i) => kernels.quantize(request(i, { order: 'columns', groupSize: 0 })),
    ],
    [
      '8 bits, per channel, plain',
      (kernels, i) => kernels.quantize(request(i, { bits: 8, groupSize: 0, pack: 'plain' })),
    ],
    ['4 bits, groups of 32, clipped ranges', (kernels, i) => kernels.quantize(request(i, { rounding: 'mse' }))],
    [
      '4 bits, groups of 64, half-quadratic',
      (kernels, i) => kernels.quantize(request(i, { rounding: 'hqq', groupSize: 64 })),
    ],
    ['float16', (kernels, i) => kernels.toFloat16(tensor(i))],
    ['preview, another tensor each time', (kernels, i) => kernels.preview(request(i))],
    ['preview, a dial turned', (kernels, i) => kernels.preview(request(0, { groupSize: 32 << (i % 3) }))],
    ['preview, clipped ranges, sample', (kernels) => kernels.preview(request(0, { rounding: 'mse' }))],
    ['preview, half-quadratic, sample', (kernels) => kernels.preview(request(0, { rounding: 'hqq' }))],
    ['preview, gptq, sample, factor known', (kernels) => kernels.preview(request(0, { rounding: 'gptq', hessian }))],
    [
      'preview, asymmetric, across rows',
      (kernels) => kernels.preview(request(0, { symmetric: false, order: 'columns' })),
    ],
  ];
  try {
    const reading = await best(8, async () => readAll(file));
    const rows: string[][] = works.map(([name]) => [name]);
    for (const threads of [1, 2]) {
      const kernels = await openKernels({ worker: new URL('./kernel-worker.mjs', import.meta.url), threads });
      for (const [row, [, work]] of works.entries()) {
        const ms = await best(8, (i) => work(kernels, i));
        rows[row]!.push(ms.toFixed(0), (ms / reading).toFixed(1));
      }
      await kernels.close();
    }
    print(
      `Tensors of ${count} float32 weights from a file (reading it: ${reading.toFixed(0)} ms); best of 8`,
      ['', '1 thread, ms', '× reading', '2 threads, ms', '× reading'],
      rows,
    );
    const peak = Math.round(process.resourceUsage().maxRSS / 1024);
    console.log(`memory of this process at most: ${peak} MB`);
    const tensors = rows.map(([what, one, , two]) => ({ what, oneThreadMs: Number(one), twoThreadsMs: Number(two) }));
    return { weights: count, readingMs: Math.round(reading), tensors, peakMegabytes: peak };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
