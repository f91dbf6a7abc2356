// GPTQ of one 4096 × 4096 layer end to end, and sums of its inputs: seconds and arithmetic speed on one and two threads.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuUsage } from 'node:process';
import { type Hessian, openKernels, type QuantizeRequest } from '../../src/engine/kernels';
import { type Measured, print } from './table';

const side = 4096;
const inputsAtATime = 2048;

function bell(count: number, scale: number): Float32Array {
  return Float32Array.from({ length: count }, () => (Math.random() + Math.random() + Math.random() - 1.5) * scale);
}

interface Taken {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function taken(work: () => Promise<unknown>): Promise<Taken> {
  const before = cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = cpuUsage(before);
  return { seconds, cpuSeconds: (user + system) / 1e6 };
}

async function best(times: number, work: () => Promise<unknown>): Promise<Taken> {
  const all: Taken[] = [];
  for (let i = 0; i < times; i++) all.push(await taken(work));
  return all.reduce((a, b) => (b.cpuSeconds < a.cpuSeconds ? b : a));
}

export default async function bench(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-bench-'));
  const file = join(folder, 'weights.bin');
  writeFileSync(file, bell(side * side, 0.04));
  const inputs = bell(inputsAtATime * side, 2);
  for (let t = 0; t < inputsAtATime; t++) {
    const common = Math.random() * 4 - 2;
    for (let k = 0; k < side; k++) inputs[t * side + k]! += common * ((k % 11) - 5) * 0.2;
  }
  const request: QuantizeRequest = {
    tensor: {
      ...{ name: 'weights', dtype: 'float32', dims: [side, side] },
      data: { kind: 'file', file, offset: 0, length: side * side * 4 },
    },
    ...{ rows: side, columns: side, order: 'rows', bits: 4, groupSize: 128, symmetric: true },
    ...{ zero: 'unsigned', pack: 'blocks', scaleRule: 'signed-max', rounding: 'gptq' },
  };
  const rows: string[][] = [];
  try {
    for (const threads of [1, 2]) {
      const kernels = await openKernels({ worker: new URL('./kernel-worker.mjs', import.meta.url), threads });
      const fresh = (): Hessian => ({ columns: side, data: new Float64Array(side * side) });
      let hessian = fresh();
      const row = (name: string, { seconds, cpuSeconds }: Taken, gigaflops: number) =>
        rows.push([name, `${threads}`, seconds.toFixed(2), cpuSeconds.toFixed(2), (gigaflops / cpuSeconds).toFixed(0)]);
      const summed = await best(3, () => {
        hessian = fresh();
        return kernels.addInputs(hessian, inputs);
      });
      row(`sums of ${inputsAtATime} inputs`, summed, (inputsAtATime * side * side) / 1e9);
      // Another array each time: the factor of the one before is not found again.
      const whole = await best(3, () => {
        hessian = { columns: side, data: (hessian.data as Float64Array).slice() };
        return kernels.quantize({ ...request, hessian });
      });
      const rounded = await best(3, () => kernels.quantize({ ...request, hessian }));
      row('gptq, whole layer', whole, (side ** 3 * 4) / 3e9);
      row('gptq, factor known', rounded, side ** 3 / 1e9);
      const { noise, outputNoise } = await kernels.quantize({ ...request, hessian });
      const nearest = await kernels.quantize({ ...request, rounding: 'nearest' });
      console.log(`noise ${(noise / nearest.noise).toFixed(2)} of nearest, tr(ΔHΔᵀ) ${outputNoise?.toPrecision(5)}`);
      await kernels.close();
    }
    print(
      `One layer of ${side} × ${side}, 4 bits, groups of 128, act-order; best of 3 by CPU; goal 2.9 s CPU (Node ${process.version})`,
      ['', 'threads', 'seconds', 'CPU seconds', 'GFLOPS a core'],
      rows,
    );
    const layer = rows.map(([what, threads, seconds, cpuSeconds, gigaflops]) => ({
      ...{ what, threads: Number(threads), seconds: Number(seconds), cpuSeconds: Number(cpuSeconds) },
      gigaflopsPerCore: Number(gigaflops),
    }));
    return { side, goalCpuSeconds: 2.9, layer };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
