// The bench table as evidence: every kernel against copying memory in the same run and against its plain twin, and GPTQ of one large layer.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { record } from './evidence';

const root = resolve(import.meta.dirname, '../..');

/** Runs one bench in a process of its own and puts what it measured among the evidence. */
function measure<Measured>(bench: string): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-kernels-'));
  const file = join(folder, 'bench.json');
  try {
    const env = { ...process.env, LATHE_BENCH_JSON: file };
    execFileSync(process.execPath, ['test/bench/run.mjs', bench], { cwd: root, env, stdio: 'inherit' });
    const measured = JSON.parse(readFileSync(file, 'utf8'))[bench] as Measured;
    record('kernels', bench, measured);
    return measured;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('kernels and optimiser steps: a SIMD twin only where it is at least twice as fast', () => {
  const { kernels } = measure<{ kernels: { kernel: string; timesPlain: number }[] }>('kernels');
  for (const { kernel, timesPlain } of kernels) expect(timesPlain, kernel).toBeGreaterThanOrEqual(2);
});

it('one layer of 4096 × 4096 by GPTQ, end to end, on one and two threads', () => {
  const { layer, goalCpuSeconds } = measure<{ layer: { what: string; cpuSeconds: number }[]; goalCpuSeconds: number }>(
    'rounding',
  );
  const whole = layer.filter(({ what }) => what === 'gptq, whole layer');
  for (const { cpuSeconds } of whole) expect(cpuSeconds).toBeLessThan(2 * goalCpuSeconds);
});

it('whole tensors from a file on one and two threads, against reading the file', () => {
  const { tensors } = measure<{ tensors: unknown[] }>('tensors');
  expect(tensors.length).toBeGreaterThan(0);
});
