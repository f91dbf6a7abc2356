// Models of many gigabytes: opened by their headers, copied in bounded memory, read at offsets past 2 GiB.
import { mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFormat } from '../../../../src/engine/formats';
import { write } from '../../../../src/engine/formats/onnx';
import { readRange } from '../../../../src/engine/graph/tensor';
import { writeLargeModel } from '../../models';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lathe-large-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function opened(path: string) {
  const memory = process.memoryUsage().rss;
  const start = performance.now();
  const { model } = await openFormat(path);
  const seconds = (performance.now() - start) / 1000;
  const megabytes = (process.memoryUsage().rss - memory) / 1e6;
  console.log(`opened in ${(seconds * 1000).toFixed(1)} ms, ${megabytes.toFixed(1)} MB`);
  return { model, seconds, megabytes };
}

test('5 GB of external data open in well under a second', async () => {
  const { path, weights } = await writeLargeModel({ folder, bytes: 5e9, fill: 'holes' });
  const { model, seconds, megabytes } = await opened(path);
  expect([...model.graph.initializers.keys()]).toEqual(weights);
  expect(seconds).toBeLessThan(0.5);
  expect(megabytes).toBeLessThan(50);
});

test('2.6 GB inside the model file: stepped over when opened, read at the right place', async () => {
  const { path, weights } = await writeLargeModel({ folder, bytes: 2.6e9, fill: 'holes', where: 'inside' });
  expect(statSync(path).size).toBeGreaterThan(2 ** 31);
  const { model, seconds, megabytes } = await opened(path);
  expect(seconds).toBeLessThan(0.5);
  expect(megabytes).toBeLessThan(50);
  const last = model.graph.initializers.get(weights.at(-1)!)!;
  if (last.data.kind !== 'file') throw new Error('a large tensor was loaded');
  expect(last.data.offset).toBeGreaterThan(2 ** 31);
  writeSync(openSync(path, 'r+'), Uint8Array.of(1, 2, 3, 4), 0, 4, last.data.offset + 1000);
  expect([...(await readRange(last, 1000, 5))]).toEqual([1, 2, 3, 4, 0]);
});

test('2.6 GB are rewritten as external data with a few MB of memory', async () => {
  const { path, weights } = await writeLargeModel({ folder, bytes: 2.6e9, fill: 'random', where: 'inside' });
  const { model } = await openFormat(path);
  await expect(write(model, { folder: join(folder, 'out'), file: 'm.onnx', external: 'never' })).rejects.toThrow(
    'an ONNX file ends at 2.1 GB',
  );
  const before = process.memoryUsage().rss;
  let peak = before;
  const files = await write(model, {
    folder: join(folder, 'out'),
    file: 'm.onnx',
    onProgress: () => (peak = Math.max(peak, process.memoryUsage.rss())),
  });
  expect(files).toEqual(['m.onnx', 'm.onnx.data']);
  expect((peak - before) / 1e6).toBeLessThan(100);
  const { model: again } = await openFormat(join(folder, 'out'));
  for (const name of [weights[0]!, weights.at(-1)!]) {
    const [a, b] = [model.graph.initializers.get(name)!, again.graph.initializers.get(name)!];
    expect(await readRange(b, 12_345, 4096)).toEqual(await readRange(a, 12_345, 4096));
  }
});
