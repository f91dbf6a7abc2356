// The teacher of a training: kept answers are what it would say now, trainings with it repeat and resume bit for bit.
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { KeptRows } from '../../../src/engine/train/kept-rows';
import type { Ahead } from '../../../src/engine/train/objective';
import { SampleStore } from '../../../src/engine/train/samples';
import { Teacher } from '../../../src/engine/train/teacher';
import { teachingObjective } from '../../../src/engine/train/teaching';
import { partsOf } from '../../../src/engine/train/training-data';
import { randomWeights } from '../models';
import { blobNet, blobs, trainBlobs } from './blobs';

const folder = () => mkdtemp(join(tmpdir(), 'lathe-teacher-'));
const bits = (weights: ReadonlyMap<string, Float32Array>) =>
  [...weights].map(([name, values]) => [name, Buffer.from(values.slice().buffer).toString('hex')]);

/** The points' network with other weights: any teacher will do. */
async function teacherOf(place: string, values: readonly string[] = ['y']): Promise<Teacher> {
  const taught = blobNet();
  const weights = new Map(taught.graph.initializers);
  const before = weights.get('a.weight')!;
  const bytes = new Uint8Array(randomWeights(128, 1, 77).buffer);
  weights.set('a.weight', { ...before, data: { kind: 'bytes', bytes } });
  const model = { ...taught, graph: { ...taught.graph, initializers: weights } };
  await writeFile(join(place, 'parent.onnx'), await encode(model));
  return Teacher.open({ model, values, origin: 'parent.onnx', folder: place });
}

async function ahead(place: string): Promise<Ahead> {
  const data = partsOf(blobs({ train: 50, validation: 10, test: 10 }));
  const ports = [{ name: 'x', dtype: 'float32', shape: ['n', 8] }];
  const store = await SampleStore.read(data.dataset, data.train, ports, { folder: place });
  const { signal } = new AbortController();
  return { store, rows: 16, isRepeated: true, signal, tell: () => {} };
}

it('keeps what it would say now, of several values', async () => {
  const place = await folder();
  const [live, keeping] = [await teacherOf(place, ['y', 'h']), await teacherOf(place, ['y', 'h'])];
  const given = await ahead(place);
  await keeping.keep(given);
  const drawn = await given.store.reader(16)([49, 0, 7, ...Array.from({ length: 13 }, (_, i) => i + 20)]);
  const [now, kept] = [await live.answers(drawn), await keeping.answers(drawn)];
  expect(kept.map(({ length }) => length)).toEqual([16 * 3, 16 * 16]);
  for (const [i, values] of now.entries())
    for (const [at, one] of values.entries()) expect(kept[i]![at]).toBeCloseTo(one, 5);
  // Beyond what may be kept it is asked again.
  const asked = await teacherOf(place);
  await asked.keep(given, 100);
  expect(await asked.answers(drawn)).toEqual([now[0]]);
  for (const one of [live, keeping, asked]) await one.close();
  expect((await readdir(place)).sort()).toEqual(['checkpoints', 'parent.onnx']);
});

it('takes up kept answers that are whole, and no others', async () => {
  const place = await folder();
  const file = join(place, 'kept', 'teacher.rows');
  const rows = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)];
  await KeptRows.write(
    file,
    (async function* () {
      yield* rows;
    })(),
  );
  const found = await KeptRows.find(file, 3);
  expect(found!.width).toBe(2);
  expect([...(await found!.at([2, 0]))]).toEqual([5, 6, 1, 2]);
  expect([...(await (await KeptRows.find(file, 3, 0))!.at([2, 0]))]).toEqual([5, 6, 1, 2]);
  expect(await KeptRows.find(file, 4)).toBeNull();
  const bytes = await readFile(file);
  bytes[3]! ^= 1;
  await writeFile(file, bytes);
  expect(await KeptRows.find(file, 3)).toBeNull();
  expect(await KeptRows.find(join(place, 'nothing'), 3)).toBeNull();
  const broken = KeptRows.write(
    join(place, 'kept', 'broken.rows'),
    (async function* () {
      yield rows[0]!;
      throw new Error('asked no further');
    })(),
  );
  await expect(broken).rejects.toThrow('asked no further');
  expect(await readdir(join(place, 'kept'))).toEqual(['teacher.rows']);
});

async function taught(more: Parameters<typeof trainBlobs>[0] = {}) {
  const place = more.folder ?? (await folder());
  const teacher = await teacherOf(place);
  const objective = teachingObjective({
    ...{ task: 'classification', output: 'y', isLabelled: true, temperature: 4, alpha: 0.7 },
    ...{ teacher, hidden: [], hiddenWeight: 0 },
  });
  try {
    return await trainBlobs({ model: blobNet(0.3), objective, ...more, folder: place });
  } finally {
    await teacher.close();
  }
}

it('gives the same bits for the same seed', async () => {
  const place = await folder();
  const [one, again] = [await taught(), await taught({ folder: place })];
  expect(bits(again.weights)).toEqual(bits(one.weights));
  expect(again.bestLevel!).toBeLessThan(again.parentLevel!);
  expect((await readdir(join(place, 'checkpoints'))).filter((name) => name.endsWith('.rows'))).toHaveLength(2);
});

it.each([5, 30])('resumes after step %i as if nothing had happened', async (at) => {
  const whole = await taught();
  const place = await folder();
  let asked = 0;
  const broken = taught({
    folder: place,
    checkpointEvery: at,
    stopping() {
      if (asked++ > at + 2) throw new Error('killed');
      return false;
    },
  });
  await expect(broken).rejects.toThrow('killed');
  const resumed = await taught({ folder: place });
  expect(resumed.resumedAt).toBe(at);
  expect(bits(resumed.weights)).toEqual(bits(whole.weights));
});
