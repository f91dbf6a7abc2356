// Taps: intermediate values come back as the float model computes them, and nothing is left behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTaps } from '../../../src/engine/runtime/taps';
import { randomWeights, tinyConv } from '../models';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lathe-taps-'));
});
afterEach(() => rm(folder, { recursive: true }));

const feeds = { x: { dtype: 'float32' as const, dims: [1, 3, 16, 16], data: randomWeights(768, 1) } };

test('an input, values in between and the output', async () => {
  const taps = await openTaps(tinyConv(), ['x', 'c1', 'r1', 'y'], folder);
  const found = await taps.run(feeds);
  expect([...found.keys()]).toEqual(['x', 'c1', 'r1', 'y']);
  const [before, after] = [found.get('c1')!, found.get('r1')!].map(({ data }) => data as Float32Array);
  expect(Math.min(...before!)).toBeLessThan(0);
  expect([...after!]).toEqual([...before!].map((value) => Math.max(0, value)));
  expect(found.get('y')!.dims).toEqual([1, 10]);
  await taps.close();
  expect(await readdir(folder)).toEqual([]);
});

test('a value that the graph does not make is told before anything is written', async () => {
  await expect(openTaps(tinyConv(), ['nothing'], folder)).rejects.toThrow('nothing was asked for');
  expect(await readdir(folder)).toEqual([]);
});
