// What training is worth on real data: networks from scratch and fine-tuned, kept when killed; docs/evidence/training.json.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encode } from '../../src/engine/formats/onnx';
import type { Model } from '../../src/engine/graph/graph';
import { runRecipe } from '../../src/engine/run';
import type { Work } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';
import { preparation } from '../datasets';
import { mobileNet, smallCnn } from '../engine/train/networks';
import { storiesEncoder, storiesModel, storiesParagraphs } from '../stories';
import { record } from './evidence';

// A folder that is given stays, and trainings that were interrupted in it go on.
const given = process.env.LATHE_PROVE_FOLDER;
const folder = given ?? mkdtempSync(join(tmpdir(), 'lathe-prove-training-'));
afterAll(() => given === undefined && rmSync(folder, { recursive: true, force: true }));
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

async function fineTune(name: string, path: string, dataset: string, params: object, seed = 7) {
  const job = join(folder, `job-${name}`);
  mkdirSync(job, { recursive: true });
  const recipe = { lathe: 1 as const, steps: [{ method: 'finetune', params: params as never }] };
  const result = await runRecipe({ path, recipe, seed, folder: job, dataset: { path: dataset } }, quiet);
  return { ...result, model: join(job, 'artifact', result.files[0]!.path) };
}

function writeData(name: string, spec: object): string {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'dataset.json'), JSON.stringify({ lathe: 1, name, ...spec }));
  return home;
}

async function writeModel(name: string, model: Model): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, await encode(model));
  return path;
}

const fashion = (part: string) => ({
  inputs: testData(`data/fashion-mnist/${part}-images-idx3-ubyte.gz`),
  labels: testData(`data/fashion-mnist/${part}-labels-idx1-ubyte.gz`),
});
const fashionData = () =>
  writeData('fashion-mnist', {
    task: 'classification',
    inputs: { '*': { layout: 'NCHW', scale: 1 / 255, mean: [0.286], std: [0.353] } },
    splits: { train: fashion('train'), test: fashion('t10k') },
  });
const mnist = (from: number, to: number) => ({
  inputs: testData('data/mnist/t10k-images-idx3-ubyte.gz'),
  labels: testData('data/mnist/t10k-labels-idx1-ubyte.gz'),
  from,
  to,
});
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const trainSeconds = (stages: readonly { stage: string; seconds: number }[]) =>
  stages.find(({ stage }) => stage === 'train')!.seconds;

describe.skipIf(!hasTestData)('training', () => {
  it('fine-tunes classifiers that were trained elsewhere', { timeout: 600_000 }, async () => {
    const cases = {
      'cifar10-small': {
        model: 'models/cifar10-small/model.onnx',
        input: preparation['cifar10-tf'],
        splits: {
          train: { inputs: testData('data/cifar10/train-5k.bin') },
          test: { inputs: testData('data/cifar10/test-1k.bin') },
        },
        params: { epochs: 3 },
      },
      'mnist-cnn-ext': {
        model: 'models/mnist-cnn-ext/model.onnx',
        input: preparation['mnist-cnn-ext'],
        splits: { train: mnist(0, 5000), test: mnist(5000, 10_000) },
        params: { epochs: 1, learningRate: 3e-5 },
      },
    };
    for (const [name, { model, input, splits, params }] of Object.entries(cases)) {
      const data = writeData(name, { task: 'classification', inputs: { '*': input }, splits });
      const { baseline, compressed, training, stages } = await fineTune(name, testData(model), data, params);
      const [{ parentLevel, bestLevel, steps }] = training as [(typeof training & object)[number]];
      record('training', name, {
        ...{ before: baseline!.quality, after: compressed!.quality, parentLevel, bestLevel, steps },
        seconds: trainSeconds(stages),
      });
      expect(bestLevel!).toBeLessThan(parentLevel!);
    }
  });

  it('a small CNN on Fashion-MNIST from scratch: 90.5 % in four epochs', { timeout: 3_000_000 }, async () => {
    const data = fashionData();
    const runs = [];
    for (const seed of [1, 2, 3]) {
      const path = await writeModel(`small-cnn-${seed}`, smallCnn({ seed }));
      const params = { epochs: 4, batch: 128, learningRate: 2e-3, patience: 0 };
      const { compressed, stages, training } = await fineTune(`cnn-${seed}`, path, data, params, seed);
      const { resumedAt = null } = training![0]!;
      runs.push({ seed, accuracy: compressed!.quality.value, seconds: trainSeconds(stages), resumedAt });
      const soFar = mean(runs.map((run) => run.accuracy));
      record('training', 'fashionMnistFromScratch', { runs, mean: soFar, epochs: 4, batch: 128 });
    }
    const accuracy = mean(runs.map((run) => run.accuracy));
    expect(accuracy).toBeGreaterThanOrEqual(0.905);
  });

  it('a MobileNet-like net with batch norms on Fashion-MNIST from scratch', { timeout: 3_000_000 }, async () => {
    const path = await writeModel('mobile-net', mobileNet({ width: 0.5 }));
    const params = { epochs: 2, batch: 128, learningRate: 4e-3, patience: 0 };
    const { model, compressed, stages, training } = await fineTune('mobile-net', path, fashionData(), params);
    record('training', 'mobileNetFashionMnist', {
      ...{ quality: compressed!.quality, seconds: trainSeconds(stages), bestLevel: training![0]!.bestLevel },
      epochs: 2,
    });
    expect(compressed!.quality.value).toBeGreaterThan(0.88);
    // Other tests quantize and prune it: the only trained network among them with batch norms and depthwise layers.
    copyFileSync(model, join(import.meta.dirname, '../fixtures/mobile-net-fashion.onnx'));
  });

  it('stories260K reads Shakespeare better afterwards', { timeout: 1_200_000 }, async () => {
    const encodeText = storiesEncoder();
    const text = readFileSync(testData('data/text/tinyshakespeare.txt'), 'utf8');
    const ids = text
      .slice(0, 300_000)
      .split(/\n\n/)
      .flatMap((part) => encodeText(part));
    const home = writeData('shakespeare', {
      task: 'language-modelling',
      text: { contextLength: 256, stride: 256 },
      splits: { train: { inputs: 'train.json' }, test: { inputs: 'test.json' } },
    });
    const cut = Math.floor(ids.length * 0.9);
    writeFileSync(join(home, 'train.json'), JSON.stringify(ids.slice(0, cut)));
    writeFileSync(join(home, 'test.json'), JSON.stringify(ids.slice(cut)));
    const { baseline, compressed, stages, training } = await fineTune('shakespeare', storiesModel, home, {
      ...{ epochs: 2, batch: 8, learningRate: 1e-3 },
    });
    record('training', 'stories260kShakespeare', {
      ...{ before: baseline!.quality, after: compressed!.quality, seconds: trainSeconds(stages) },
      ...{ steps: training![0]!.steps, tokens: ids.length, parentLevel: training![0]!.parentLevel },
    });
    expect(compressed!.quality.value).toBeLessThan(0.7 * baseline!.quality.value);
  });

  it('stories260K on its own kind of text', { timeout: 1_200_000 }, async () => {
    const all = storiesParagraphs();
    const home = writeData('stories', {
      task: 'language-modelling',
      splits: { train: { inputs: 'train.json' }, test: { inputs: 'test.json' } },
    });
    writeFileSync(join(home, 'train.json'), JSON.stringify(all.filter((_, i) => i % 2 === 1)));
    writeFileSync(join(home, 'test.json'), JSON.stringify(all.filter((_, i) => i % 2 === 0)));
    const { baseline, compressed, training } = await fineTune('paragraphs', storiesModel, home, {
      epochs: 2,
      batch: 8,
      learningRate: 1e-4,
    });
    record('training', 'stories260kParagraphs', {
      ...{ before: baseline!.quality, after: compressed!.quality },
      ...{ parentLevel: training![0]!.parentLevel, bestLevel: training![0]!.bestLevel },
    });
    expect(compressed!.quality.value).toBeLessThan(1.05 * baseline!.quality.value);
  });
});
