// Training through rounding on real pictures: the exported integer model answers as the graph that was trained.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDataset } from '../../../src/engine/data';
import { open, write } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { openCalibration } from '../../../src/engine/measure/calibration';
import type { Gathering } from '../../../src/engine/methods/cutting/gathering';
import { openSession, type SessionOptions } from '../../../src/engine/runtime/session';
import { openTrainingData } from '../../../src/engine/train/training-data';
import { hasTestData, testData } from '../../data';
import { withCut } from './bench';
import { trainedGraph } from './trained-graph';

let kernels: Kernels;
let home: string;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
  home = await mkdtemp(join(tmpdir(), 'lathe-qat-'));
  const part = (from: number, to: number) => ({
    inputs: testData('data/fashion-mnist/t10k-images-idx3-ubyte.gz'),
    labels: testData('data/fashion-mnist/t10k-labels-idx1-ubyte.gz'),
    ...{ from, to },
  });
  const inputs = { '*': { layout: 'NCHW', scale: 1 / 255, mean: [0.286], std: [0.353] } };
  const splits = { train: part(0, 640), calibration: part(640, 704), test: part(1000, 2000) };
  await writeFile(
    join(home, 'dataset.json'),
    JSON.stringify({ lathe: 1, name: 'pictures', task: 'classification', inputs, splits }),
  );
});
afterAll(async () => {
  await kernels.close();
  await rm(home, { recursive: true });
});

/** Scores of every test picture. */
async function scoresOf(model: Model, folder: string, level: SessionOptions['level'] & string): Promise<number[][]> {
  const file = `${level}.onnx`;
  await write(model, { folder, file });
  const session = await openSession(join(folder, file), { level });
  const dataset = await openDataset({ path: home });
  const rows: number[][] = [];
  for await (const { feeds } of dataset.batches('test', session.inputs, { batch: 100 })) {
    const scores = Object.values(await session.run(feeds))[0]!.data as Float32Array;
    for (let at = 0; at < scores.length; at += 10) rows.push([...scores.subarray(at, at + 10)]);
  }
  await session.close();
  return rows;
}

const picked = (row: readonly number[]): number => row.indexOf(Math.max(...row));

describe.skipIf(!hasTestData)('a depthwise network with batch norms', () => {
  test.each([8, 4])('%i-bit weights: the same answers, within a step', { timeout: 300_000 }, async (weightBits) => {
    const { model } = await open(resolve(import.meta.dirname, '../../fixtures/mobile-net-fashion.onnx'));
    const params = { weightBits, epochs: 2, batch: 32, learningRate: 1e-3 };
    const calibration = await openCalibration({ path: home }, [
      { name: 'x', dtype: 'float32', shape: ['batch', 1, 28, 28] },
    ]);
    // No picture is spared to judge by, so that the last weights are kept.
    const training = { ...(await openTrainingData({ path: home })), tune: null };
    const onPictures = (gathering: Gathering): Gathering => ({ ...gathering, calibration, training });
    await withCut(
      kernels,
      model,
      [{ method: 'qat', params }],
      async ({ taken }, folder, workshop) => {
        const exported = await scoresOf(taken.subject.model, folder, 'all');
        const trained = await scoresOf((await trainedGraph(model, params, workshop)).model, folder, 'disabled');
        const all = trained.flat();
        const step = (Math.max(...all) - Math.min(...all)) / 255;
        const far = exported.map((row, i) => Math.max(...row.map((score, at) => Math.abs(score - trained[i]![at]!))));
        expect(exported.map(picked)).toEqual(trained.map(picked));
        expect(Math.max(...far)).toBeLessThan(step);
      },
      undefined,
      onPictures,
    );
  });
});
