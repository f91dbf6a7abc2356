// What zeros are worth in a zip: each precision pruned and dense, unpacked to the same bytes, packed twice to the same zip.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { packingOf } from '../../../src/engine/bundle-pack';
import { unzipBundle, zipBundle } from '../../../src/engine/bundle-zip';
import { draws } from '../kernels/layer';

const folder = mkdtempSync(join(tmpdir(), 'lathe-pack-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const count = 300_000;
const weights = (sparsity: number): Float32Array => {
  const { normal } = draws(5);
  const all = Float32Array.from({ length: count }, () => normal() * 0.02);
  const least = all.map(Math.abs).sort()[Math.floor(count * sparsity)]!;
  return sparsity === 0 ? all : all.map((w) => (Math.abs(w) < least ? 0 : w));
};

/** The bytes of weights at 32, 8 and 4 bits, the last two in groups of 32. */
const forms: Record<string, (values: Float32Array) => Uint8Array> = {
  float32: ({ buffer }) => new Uint8Array(buffer),
  int8: (values) => new Uint8Array(coded(values, 127).buffer),
  int4: (values) => {
    const codes = coded(values, 7);
    return Uint8Array.from(
      { length: count / 2 },
      (_, i) => ((codes[2 * i]! + 8) & 15) | ((codes[2 * i + 1]! + 8) << 4),
    );
  },
};

function coded(values: Float32Array, top: number): Int8Array {
  const out = new Int8Array(values.length);
  for (let first = 0; first < values.length; first += 32) {
    const group = values.subarray(first, first + 32);
    const most = group.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
    for (const [i, w] of group.entries()) out[first + i] = Math.round((w / most) * top);
  }
  return out;
}

async function zipped(name: string, bytes: Uint8Array): Promise<number> {
  const from = join(folder, name);
  mkdirSync(from);
  writeFileSync(join(from, 'model.onnx'), bytes);
  const files = [{ path: 'model.onnx', sha256: '', bytes: bytes.length }];
  const size = await zipBundle(from, files, `${from}.zip`);
  expect(readFileSync(`${from}.zip`).length).toBe(size);
  await zipBundle(from, files, `${from}-again.zip`);
  const sha = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  expect(sha(`${from}-again.zip`)).toBe(sha(`${from}.zip`));
  const to = join(folder, `${name}-unpacked`);
  mkdirSync(to);
  await unzipBundle(`${from}.zip`, to);
  expect(Buffer.compare(readFileSync(join(to, 'model.onnx')), bytes)).toBe(0);
  return size;
}

it.each([
  ['float32', 3],
  ['int8', 2.4],
  ['int4', 2],
] as const)('%s weights of which 80 %% are zero', async (form, least) => {
  const [dense, sparse] = [forms[form]!(weights(0)), forms[form]!(weights(0.8))];
  const [whole, pruned] = [await zipped(`${form}-dense`, dense), await zipped(`${form}-sparse`, sparse)];
  expect(sparse.length).toBe(dense.length);
  expect(whole / pruned).toBeGreaterThan(least);
});

it('random bytes are stored as they are', async () => {
  const path = join(folder, 'random.bin');
  const { uniform } = draws(6);
  writeFileSync(
    path,
    Uint8Array.from({ length: 100_000 }, () => uniform() * 256),
  );
  expect(await packingOf(path, 100_000)).toBe('none');
});
