// Checkpoints: two are kept, what is read is what was written, and what was cut off is passed over.
import { mkdtemp, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCheckpoint, writeCheckpoint } from '../../../src/engine/train/checkpoint';

const folder = () => mkdtemp(join(tmpdir(), 'lathe-checkpoint-'));
const write = (place: string, step: number) =>
  writeCheckpoint(place, step, {
    state: { step, said: 'ä'.repeat(step) },
    arrays: new Map([
      ['weights', Float32Array.of(step, -0, Number.NaN, 1e-40)],
      ['nothing', new Float32Array(0)],
    ]),
  });

it('keeps two, and reads the newest back bit for bit', async () => {
  const place = await folder();
  for (const step of [1, 2, 10]) await write(place, step);
  expect((await readdir(place)).sort()).toEqual(['step-0000000002.checkpoint', 'step-0000000010.checkpoint']);
  const found = (await readCheckpoint<{ step: number; said: string }>(place))!;
  expect(found.state).toEqual({ step: 10, said: 'ä'.repeat(10) });
  expect([...found.arrays.get('weights')!]).toEqual([10, -0, Number.NaN, Math.fround(1e-40)]);
  expect(found.arrays.get('nothing')).toHaveLength(0);
});

it('passes over what was cut off or changed', async () => {
  const place = await folder();
  for (const step of [1, 2]) await write(place, step);
  const newest = join(place, 'step-0000000002.checkpoint');
  const whole = await readFile(newest);
  for (const length of [0, 7, 15, whole.length - 1]) {
    await writeFile(newest, whole);
    await truncate(newest, length);
    expect((await readCheckpoint<{ step: number }>(place))!.state.step).toBe(1);
  }
  whole[whole.length - 9]! ^= 1;
  await writeFile(newest, whole);
  expect((await readCheckpoint<{ step: number }>(place))!.state.step).toBe(1);
  expect(await readCheckpoint(await folder())).toBeNull();
});
