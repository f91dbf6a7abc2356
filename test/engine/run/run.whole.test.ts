// Runs on real models: what was told is what is written, it loads, it answers close to its parent, and twice the same bytes.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Recipe } from '../../../src/contract/words/recipe';
import { forecast } from '../../../src/engine/forecast';
import { open } from '../../../src/engine/formats/onnx';
import { type DataType, elementCount } from '../../../src/engine/graph/graph';
import type { LayerSite } from '../../../src/engine/graph/layers';
import { listLayers } from '../../../src/engine/graph/layers';
import { numbersOf, readBytes } from '../../../src/engine/graph/tensor';
import { runRecipe } from '../../../src/engine/run';
import { type Feed, type FeedData, type Feeds, openSession, type Session } from '../../../src/engine/runtime/session';
import type { RunResult, TaskEvent, Work } from '../../../src/engine/tasks';
import { readFeed } from '../../conformance/cases';
import { hasTestData, testData } from '../../data';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lathe-run-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const recipeOf = (...steps: unknown[]): Recipe => ({ lathe: 1, steps }) as Recipe;

function listening(): { work: Work; events: TaskEvent[] } {
  const events: TaskEvent[] = [];
  return {
    events,
    work: { emit: (event) => events.push(event), stopping: false, signal: new AbortController().signal },
  };
}

interface Ran {
  readonly result: RunResult;
  readonly folder: string;
  readonly artifact: string;
  readonly events: readonly TaskEvent[];
}

async function run(path: string, recipe: Recipe, more: object = {}): Promise<Ran> {
  const folder = await mkdtemp(join(home, 'job-'));
  const { work, events } = listening();
  const result = await runRecipe({ path, recipe, seed: 1, folder, ...more }, work);
  return { result, folder, artifact: join(folder, 'artifact', 'model.onnx'), events };
}

const recipes = {
  float16: { method: 'float16' },
  'int8-dynamic': { method: 'int8-dynamic' },
  'weight-only 8': { method: 'weight-only', params: { bits: 8 } },
  'weight-only 4': { method: 'weight-only', params: { bits: 4 } },
  'weight-only 4 per channel': { method: 'weight-only', params: { bits: 4, groupSize: 0, symmetric: false } },
  'weight-only 2': { method: 'weight-only', params: { bits: 2, groupSize: 64, symmetric: false } },
};
type RecipeName = keyof typeof recipes;

const models = [
  'mnist-cnn-ext/model.onnx',
  'stories260K/model.onnx',
  'cifar10-vit-ibp/model.onnx',
  'silero-vad/silero_vad.onnx',
  'dtln/model_1.onnx',
  'ultraface/RFB-320.onnx',
].map((path) => `models/${path}`);

/** Least signal to noise of the outputs against the golden ones, dB, where the model has golden inputs. */
const goldens: Record<string, { folder: string; atLeast: Partial<Record<RecipeName, number>> }> = {
  'models/stories260K/model.onnx': {
    folder: 'models/stories260K/golden_model',
    atLeast: { float16: 55, 'int8-dynamic': 25, 'weight-only 8': 30, 'weight-only 4': 10 },
  },
  'models/silero-vad/silero_vad.onnx': {
    folder: 'models/silero-vad/golden_silero_vad',
    atLeast: { float16: 55, 'weight-only 8': 25, 'weight-only 4': 5 },
  },
  'models/dtln/model_1.onnx': {
    folder: 'models/dtln/golden_model_1',
    atLeast: { float16: 55, 'int8-dynamic': 20, 'weight-only 8': 30, 'weight-only 4': 10 },
  },
  'models/ultraface/RFB-320.onnx': {
    folder: 'models/ultraface/golden_RFB-320',
    atLeast: { float16: 55, 'weight-only 8': 35, 'weight-only 4': 10 },
  },
};

describe.skipIf(!hasTestData)('real models', () => {
  for (const model of models) {
    for (const name of Object.keys(recipes) as RecipeName[]) {
      test(`${model}, ${name}`, async () => {
        const path = testData(model);
        const recipe = recipeOf(recipes[name]);
        const told = await forecast({ path, recipe, folder: home }, listening().work);
        const { result, folder, artifact, events } = await run(path, recipe);
        const bytes = result.files.reduce((sum, file) => sum + file.bytes, 0);
        expect(bytes).toBe(told.bytesAfter);
        for (const [i, layer] of result.layers.entries()) {
          const plan = told.layers[i]!;
          expect([layer.name, layer.methods, layer.bytesAfter]).toEqual([plan.name, plan.methods, plan.bytesAfter]);
          expect(layer.refusal).toEqual(plan.refusal);
          expect(layer.methods.length > 0 || layer.refusal !== undefined).toBe(true);
        }
        // Only the artifact is left in the job's folder.
        expect((await readdir(folder)).sort()).toEqual(['artifact']);
        expect(await readdir(join(folder, 'artifact'))).toEqual(result.files.map((file) => file.path));
        expect(events[1]).toMatchObject({ kind: 'stages' });
        expect(result.stages.map(({ stage }) => stage)).toEqual(['fit', 'apply', 'write', 'reload']);
        const golden = goldens[model];
        const least = golden?.atLeast[name];
        if (golden && least !== undefined) {
          const decibels = await againstGolden(artifact, testData(golden.folder));
          console.info(`${model}, ${name}: ${decibels.toFixed(1)} dB at the outputs`);
          expect(decibels).toBeGreaterThan(least);
        }
        const again = await run(path, recipe);
        expect(again.result.files).toEqual(result.files);
        expect(await readFile(again.artifact)).toEqual(await readFile(artifact));
      });
    }
  }
});

describe.skipIf(!hasTestData)('stories260K against onnxruntime’s own quantizer', () => {
  const path = testData('models/stories260K/model.onnx');
  const sequences = (): number[][] => JSON.parse(readFileSync(testData('models/stories260K/selfgen_ids.json'), 'utf8'));
  const theirs = (file: string): string => testData(`models/stories260K-ort-quantized/${file}`);

  test('4 bits, groups of 32: the same codes and scales, and the same loss', async () => {
    const recipe = recipeOf({
      method: 'weight-only',
      params: { bits: 4, groupSize: 32, activations: 'float32' },
      layers: { exclude: ['*Gather*'] },
    });
    const { artifact, result } = await run(path, recipe);
    expect(result.fused).toEqual({ 'com.microsoft:MatMulNBits': 36 });
    const packed = async (file: string) =>
      listLayers((await open(file)).model).filter(({ op }) => op === 'MatMulNBits');
    const [ours, reference] = [await packed(artifact), await packed(theirs('matmulnbits-int4-b32.onnx'))];
    expect(ours).toHaveLength(36);
    const used = (site: LayerSite) => Promise.all([readBytes(site.tensor), readBytes(site.scales!)]);
    let different = 0;
    for (const [i, site] of ours.entries()) {
      const [[b, scales], [theirB, theirScales]] = await Promise.all([used(site), used(reference[i]!)]);
      expect(scales, site.name).toEqual(theirScales);
      // The last block of a row is padded, theirs with another value; two codes a byte.
      const [k, rowBytes] = [site.shape[0]!, site.tensor.dims[1]! * site.tensor.dims[2]!];
      different += b!.filter((byte, at) => (at % rowBytes) * 2 < k && byte !== theirB![at]).length;
    }
    expect(different).toBe(0);
    expect(await lossOf(artifact, sequences())).toBeCloseTo(1.29752, 4);
  });

  test('dynamic int8: no worse than theirs', async () => {
    const { artifact } = await run(path, recipeOf({ method: 'int8-dynamic', layers: { exclude: ['*Gather*'] } }));
    expect(await lossOf(path, sequences())).toBeCloseTo(1.17588, 4);
    const loss = await lossOf(artifact, sequences());
    console.info(`dynamic int8: ${loss.toFixed(5)} nats a token, onnxruntime's own quantizer 1.18637, float 1.17588`);
    expect(loss).toBeLessThan(1.18637 + 0.002);
  });
});

test.skipIf(!hasTestData)('with data: quality before and after, and what changed', async () => {
  const preset = JSON.parse(readFileSync(join(import.meta.dirname, '../data/presets/mnist-cnn-ext.json'), 'utf8'));
  const dataset = { path: testData('data/mnist'), preset };
  const recipe = recipeOf({ ...recipes['weight-only 4'], layers: { exclude: ['node_Conv_18'] } });
  const path = testData('models/mnist-cnn-ext/model.onnx');
  const { result, events } = await run(path, recipe, { dataset });
  const { baseline, compressed, comparison } = result;
  expect(baseline!.quality).toMatchObject({ metric: 'accuracy', correct: 9940, n: 10_000 });
  expect(compressed!.quality.correct).toBeGreaterThan(9900);
  expect(comparison!.agreement.flips).toBe(comparison!.changed.length);
  expect(compressed!.latencyMs!.runs).toBe(50);
  expect(result.stages.map(({ stage }) => stage)).toEqual(['fit', 'apply', 'write', 'reload', 'evaluate', 'time']);
  expect(result.layers.find(({ name }) => name === 'node_Conv_18')).toMatchObject({ methods: [] });
  expect(events.filter(({ kind }) => kind === 'stages')).toHaveLength(1);

  const known = await run(path, recipe, { dataset, baseline, limit: 100 });
  expect(known.result.baseline).toBe(baseline);
  expect(known.result.compressed!.quality.n).toBe(100);
});

/** Mean negative log-likelihood per token after the first. */
async function lossOf(path: string, sequences: readonly (readonly number[])[]): Promise<number> {
  const session = await openSession(path);
  let sum = 0;
  let count = 0;
  for (const ids of sequences) {
    const data = BigInt64Array.from(ids, BigInt);
    const { logits } = await session.run({ input_ids: { dtype: 'int64', dims: [1, ids.length], data } });
    const scores = logits!.data as Float32Array;
    const width = logits!.dims[2]!;
    for (let at = 0; at + 1 < ids.length; at++) {
      const row = scores.subarray(at * width, (at + 1) * width);
      const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
      const total = row.reduce((a, b) => a + Math.exp(b - most), 0);
      sum += most + Math.log(total) - row[ids[at + 1]!]!;
      count++;
    }
  }
  await session.close();
  return sum / count;
}

/** Signal to noise of all outputs together against those that are kept beside the model. */
async function againstGolden(artifact: string, folder: string): Promise<number> {
  const set = join(folder, 'test_data_set_0');
  const files = (kind: string): string[] =>
    readdirSync(set)
      .filter((file) => file.startsWith(kind))
      .sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)));
  const session = await openSession(artifact);
  const feeds: Feeds = {};
  for (const [i, file] of files('input').entries()) feeds[session.inputs[i]!.name] = await golden(join(set, file));
  const answers = await session.run(feeds);
  let signal = 0;
  let noise = 0;
  for (const [i, file] of files('output').entries()) {
    const should = (await golden(join(set, file))).data as Float32Array;
    const is = answers[nameOf(session, i)]!.data as Float32Array;
    for (let at = 0; at < should.length; at++) {
      signal += should[at]! ** 2;
      noise += (should[at]! - is[at]!) ** 2;
    }
  }
  await session.close();
  return 10 * Math.log10(signal / noise);
}

const nameOf = (session: Session, i: number): string => session.outputs[i]!.name;

async function golden(file: string): Promise<Feed> {
  const { dtype: name, dims, bytes } = (await readFeed(readFileSync(file)))!;
  const dtype = name as DataType;
  return { dtype, dims, data: numbersOf(dtype, elementCount(dims), bytes!, file) as FeedData };
}
