// The loop on a network of three hundred weights: it learns, repeats itself bit for bit, resumes, stops, and leaves alone what is held.
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { partsOf } from '../../../src/engine/train/training-data';
import { blobNet, blobs, trainBlobs } from './blobs';

const folder = () => mkdtemp(join(tmpdir(), 'lathe-train-'));
const bits = (weights: ReadonlyMap<string, Float32Array>) =>
  [...weights].map(([name, values]) => [name, Buffer.from(values.slice().buffer).toString('hex')]);

it('learns, keeps the best, and tells its curves', async () => {
  const told: number[] = [];
  const trained = await trainBlobs({ curve: ({ series, step }) => void (series === 'validation' && told.push(step)) });
  expect(trained.ending).toBe('done');
  expect(trained.steps).toBe(4 * Math.floor(200 / 16));
  expect(trained.bestLevel!).toBeLessThan(0.5 * trained.parentLevel!);
  const validation = trained.curves.find(({ series }) => series === 'validation')!.points;
  expect(validation.map(([step]) => step)).toEqual(told);
  expect(told).toEqual([0, 12, 24, 36, 48]);
  expect(Math.min(...validation.map(([, level]) => level))).toBe(trained.bestLevel);
});

it('gives the same bits for the same seed, others for another', async () => {
  const one = await trainBlobs({ model: blobNet(0.3) });
  const two = await trainBlobs({ model: blobNet(0.3) });
  const other = await trainBlobs({ model: blobNet(0.3), seed: 8 });
  expect(bits(two.weights)).toEqual(bits(one.weights));
  expect(bits(other.weights)).not.toEqual(bits(one.weights));
});

it.each([5, 17, 30])('resumes after step %i as if nothing had happened', async (at) => {
  const whole = await trainBlobs({ model: blobNet(0.3) });
  const place = await folder();
  let asked = 0;
  // What a kill leaves behind: the last checkpoint, and nothing of the steps after it.
  const broken = trainBlobs({
    model: blobNet(0.3),
    folder: place,
    checkpointEvery: at,
    stopping() {
      if (asked++ > at + 2) throw new Error('killed');
      return false;
    },
  });
  await expect(broken).rejects.toThrow('killed');
  const resumed = await trainBlobs({ model: blobNet(0.3), folder: place });
  expect(resumed.resumedAt).toBe(at);
  expect(bits(resumed.weights)).toEqual(bits(whole.weights));
  expect(resumed.curves).toEqual(whole.curves);
  const again = await trainBlobs({ model: blobNet(0.3), folder: place });
  expect(again.resumedAt).toBe(whole.steps);
  expect(bits(again.weights)).toEqual(bits(whole.weights));
  expect((await readdir(place)).sort()).toEqual(['checkpoints']);
});

it('takes up no checkpoint of another training', async () => {
  const place = await folder();
  await trainBlobs({ folder: place });
  expect((await trainBlobs({ folder: place, seed: 8 })).resumedAt).toBeNull();
});

it('ends between steps when asked and keeps what was gained', async () => {
  let asked = 0;
  const trained = await trainBlobs({ stopping: () => asked++ === 20 });
  expect(trained).toMatchObject({ ending: 'stopped', steps: 20 });
  expect(trained.bestLevel!).toBeLessThan(trained.parentLevel!);
});

it('ends when nothing gets better, with the weights that were best', async () => {
  const data = partsOf(blobs({ train: 32, validation: 40, test: 40 }, 3));
  const settings = { epochs: 400, learningRate: 0.05, schedule: 'constant', patience: 3 } as const;
  const trained = await trainBlobs({ data, settings });
  expect(trained.ending).toBe('early');
  expect(trained.steps).toBeLessThan(trained.plannedSteps);
  expect(trained.bestStep).toBeLessThan(trained.steps);
});

it('never moves what is held', async () => {
  const held = new Map([['a.weight', Uint32Array.of(0, 5, 77)]]);
  const before = blobNet().graph.initializers.get('a.weight')!.data as { bytes: Uint8Array };
  const floats = new Float32Array(before.bytes.slice().buffer);
  const settings = { optimizer: { kind: 'adamw', weightDecay: 0, momentum: 0, nesterov: false } } as const;
  const after = (await trainBlobs({ held, settings })).weights.get('a.weight')!;
  expect([0, 5, 77].map((at) => after[at])).toEqual([0, 5, 77].map((at) => floats[at]));
  expect(after[1]).not.toBe(floats[1]);
});

it('adds up gradients for a model that takes few samples at a time', async () => {
  const fixed = [{ name: 'x', dtype: 'float32', shape: [4, 8] }];
  const settings = { epochs: 1, learningRate: 0.001 };
  const [one, other] = [await trainBlobs({ settings }), await trainBlobs({ ports: fixed, settings })];
  expect(other.steps).toBe(one.steps);
  for (const [name, values] of one.weights) {
    const parts = other.weights.get(name)!;
    for (let i = 0; i < values.length; i++) expect(parts[i]).toBeCloseTo(values[i]!, 4);
  }
});

it('says that a learning rate was too high, and keeps what was there before', async () => {
  const settings = {
    learningRate: 1,
    clip: 0,
    optimizer: { kind: 'sgd', weightDecay: 10, momentum: 0, nesterov: false },
  };
  const trained = await trainBlobs({ settings: { ...settings, epochs: 200, schedule: 'constant' } as never });
  expect(trained.ending).toBe('diverged');
  for (const values of trained.weights.values()) expect(values.every(Number.isFinite)).toBe(true);
});

it('refuses to cut pictures where there are none', async () => {
  const settings = { augmentation: { flip: true, shift: 0, crop: 1 } };
  await expect(trainBlobs({ settings })).rejects.toMatchObject({ refusal: { code: 'bad-recipe' } });
});
