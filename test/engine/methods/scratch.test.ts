// The scratch file: what was made before a crash is not made again, and a checkpoint of another run is not taken.
import { type FileHandle, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBytes } from '../../../src/engine/graph/tensor';
import { type Kept, Scratch } from '../../../src/engine/methods/cutting/scratch';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lathe-scratch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const loss = { signal: 2, noise: 1, clipped: 0 };
const bytesOf = (seed: number, length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);
const open = (key = 'a') => Scratch.open(join(folder, 'scratch.bin'), { key, pace: 0 });

/** Makes one large and one small part; counts how often. */
class Maker {
  made: number[] = [];
  async make(scratch: Scratch, seed: number, what = `order ${seed}`): Promise<Kept> {
    return scratch.once(what, async () => {
      this.made.push(seed);
      return { parts: [bytesOf(seed, 9000), bytesOf(seed + 1, 64), null], loss };
    });
  }
}

async function contentOf({ parts }: Kept): Promise<(number[] | null)[]> {
  const read = (data: Kept['parts'][number]) =>
    data && readBytes({ name: 't', dtype: 'uint8', dims: [data.kind === 'file' ? data.length : 64], data });
  return Promise.all(parts.map(async (part) => (part ? Array.from((await read(part))!) : null)));
}

/** Three orders, checkpointed behind the second; then as if the process had been killed. */
async function interrupted(maker: Maker): Promise<void> {
  const scratch = await open();
  await maker.make(scratch, 1);
  await settled();
  await maker.make(scratch, 2);
  await settled();
  await (scratch as unknown as { handle: FileHandle }).handle.close();
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 60));

test('what a checkpoint holds is not made again, and is the same', async () => {
  const maker = new Maker();
  await interrupted(maker);
  const scratch = await open();
  expect(scratch.ready).toBe(2);
  const again = [await maker.make(scratch, 1), await maker.make(scratch, 2), await maker.make(scratch, 3)];
  expect(maker.made).toEqual([1, 2, 3]);
  expect(again[0]!.loss).toEqual(loss);
  for (const [i, kept] of again.entries())
    expect(await contentOf(kept)).toEqual([[...bytesOf(i + 1, 9000)], [...bytesOf(i + 2, 64)], null]);
  await scratch.remove();
  expect(await readdir(folder)).toEqual([]);
});

test('a checkpoint of another run is not taken', async () => {
  await interrupted(new Maker());
  const scratch = await open('b');
  expect([scratch.ready, scratch.bytes]).toEqual([0, 0]);
  await scratch.remove();
});

test('from the first other order on, everything is made anew', async () => {
  const maker = new Maker();
  await interrupted(maker);
  const scratch = await open();
  await maker.make(scratch, 1);
  const other = await maker.make(scratch, 7, 'another order');
  expect(await contentOf(other)).toEqual([[...bytesOf(7, 9000)], [...bytesOf(8, 64)], null]);
  expect([maker.made, scratch.ready]).toEqual([[1, 2, 7], 0]);
  await scratch.remove();
});

test('of a checkpoint that was cut off, the one before it is taken', async () => {
  const maker = new Maker();
  await interrupted(maker);
  await writeFile(join(folder, 'checkpoint.json'), (await readFile(join(folder, 'checkpoint.json'))).subarray(0, 50));
  const scratch = await open();
  expect(scratch.ready).toBe(1);
  await scratch.remove();
});

test('without a key nothing is left to go on from', async () => {
  const scratch = await Scratch.open(join(folder, 'scratch.bin'), { pace: 0 });
  await new Maker().make(scratch, 1);
  await settled();
  expect(await readdir(folder)).toEqual(['scratch.bin']);
  await scratch.remove();
});
