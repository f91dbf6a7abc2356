// Errors at the outputs of layers: what integers move, what stays exact, what comes in other units and is left out.
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../../../src/engine/graph/graph';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { subjectOf } from '../../../src/engine/recipe-steps';
import { compareOutputs } from '../../../src/engine/run-outputs';
import { withCut } from '../methods/bench';
import { randomWeights, tinyConv } from '../models';

let kernels: Kernels;
let home: string;
let path: string;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
  home = await mkdtemp(join(tmpdir(), 'lathe-outputs-'));
  path = join(home, 'dataset.json');
  const shape = [20, 3, 16, 16];
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117);
  const values = randomWeights(20 * 3 * 256, 1, 4);
  const start = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1');
  writeFileSync(join(home, 'x.npy'), Buffer.concat([start, Buffer.from(values.buffer)]));
  writeFileSync(path, JSON.stringify({ lathe: 1, task: 'none', splits: { test: { inputs: 'x.npy' } } }));
});
afterAll(async () => {
  await kernels.close();
  await rm(home, { recursive: true });
});

async function compared(given: Model, ...steps: unknown[]) {
  const parent = await subjectOf(given);
  return withCut(kernels, given, steps, async ({ taken }, folder) => {
    const before = await readdir(folder);
    const found = await compareOutputs({
      parent,
      child: taken.subject.model,
      rescaled: new Set([...taken.records].flatMap(([name, { rescaled }]) => (rescaled ? [name] : []))),
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, 16, 16] }],
      dataset: { path },
      folder,
      work: { emit: () => {}, stopping: false, signal: new AbortController().signal },
    });
    expect(await readdir(folder)).toEqual(before);
    return found!;
  });
}

const names = ['/conv1/Conv', '/dw/Conv', '/conv2/Conv', '/fc/Gemm'];

test('every layer of an integer model has a figure, ReLUs drawn in count as the layer’s own', async () => {
  const { decibels, note } = await compared(tinyConv(), { method: 'int8-static' });
  expect([...decibels.keys()]).toEqual(names);
  for (const value of decibels.values()) expect(value).toBeGreaterThan(25);
  for (const value of decibels.values()) expect(value).toBeLessThan(60);
  expect(note).toBe("Outputs of layers were compared with the parent's on the first 8 samples of test.");
});

test('in front of what was cut nothing moves, behind it everything does', async () => {
  const step = { method: 'weight-only', params: { bits: 4 }, layers: { include: ['/conv2/*'] } };
  const { decibels } = await compared(tinyConv(), step);
  expect([decibels.get('/conv1/Conv'), decibels.get('/dw/Conv')]).toEqual([null, null]);
  expect(decibels.get('/conv2/Conv')).toBeLessThan(40);
  expect(decibels.get('/fc/Gemm')).toBeLessThan(40);
});

test('layers whose channels were rescaled are left out', async () => {
  const { decibels } = await compared(tinyConv(), { method: 'equalize' });
  expect([...decibels.keys()]).toEqual(['/fc/Gemm']);
  expect(decibels.get('/fc/Gemm') ?? Infinity).toBeGreaterThan(100);
});
