// The bench table as evidence: every kernel against copying memory in the same run and against its plain twin, and GPTQ of one large layer.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { record } from './evidence';

const root = resolve(import.meta.dirname, '../..');

interface Benches {
  readonly kernels: { readonly kernels: readonly { kernel: string; timesPlain: number }[] };
  readonly rounding: { readonly layer: readonly { what: string; cpuSeconds: number }[] };
}

it('kernels, whole tensors from a file, optimiser steps and one layer of 4096 × 4096 by GPTQ', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-kernels-'));
  const file = join(folder, 'bench.json');
  try {
    const env = { ...process.env, LATHE_BENCH_JSON: file };
    execFileSync(process.execPath, ['test/bench/run.mjs'], { cwd: root, env, stdio: 'inherit' });
    const measured = JSON.parse(readFileSync(file, 'utf8')) as Benches;
    for (const [name, bench] of Object.entries(measured)) record('kernels', name, bench);
    // A kernel has a SIMD twin only where it is at least twice as fast.
    for (const { kernel, timesPlain } of measured.kernels.kernels) expect(timesPlain, kernel).toBeGreaterThanOrEqual(2);
    const whole = measured.rounding.layer.filter(({ what }) => what === 'gptq, whole layer');
    for (const { cpuSeconds } of whole) expect(cpuSeconds).toBeLessThan(2 * 2.9);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
