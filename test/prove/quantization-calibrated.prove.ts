// GPTQ on classifiers: accuracy, agreement and time beside nearest and mse at 4 and 2 bits; docs/evidence/quantization-calibrated.json.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { forecast } from '../../src/engine/forecast';
import { runRecipe } from '../../src/engine/run';
import type { Work } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';
import { preparation } from '../datasets';
import { record } from './evidence';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-calibrated-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

const mnist = (from: number, to: number) => ({
  inputs: testData('data/mnist/t10k-images-idx3-ubyte.gz'),
  labels: testData('data/mnist/t10k-labels-idx1-ubyte.gz'),
  from,
  to,
});
const cifar = {
  calibration: { inputs: testData('data/cifar10/train-5k.bin') },
  test: { inputs: testData('data/cifar10/test-1k.bin') },
};
const cases = {
  mnistfc: {
    model: 'models/mnistfc/mnist-net_256x4.onnx',
    input: preparation.mnistfc,
    splits: { calibration: mnist(0, 1000), test: mnist(2000, 10_000) },
  },
  'cifar10-vit-ibp': {
    model: 'models/cifar10-vit-ibp/model.onnx',
    input: preparation['cifar10-vit-ibp'],
    splits: cifar,
  },
  'cifar10-resnet2b': {
    model: 'models/cifar10-resnet2b/model.onnx',
    input: preparation['cifar10-resnet2b'],
    splits: cifar,
  },
  'cifar10-large': {
    model: 'models/cifar10-large/model.onnx',
    input: preparation['cifar10-tf'],
    splits: cifar,
  },
  'mnist-cnn-ext': {
    model: 'models/mnist-cnn-ext/model.onnx',
    input: preparation['mnist-cnn-ext'],
    splits: { calibration: mnist(0, 1000), test: mnist(2000, 10_000) },
  },
};

describe.skipIf(!hasTestData)('rounding by GPTQ', () => {
  it.each(Object.entries(cases))('%s', { timeout: 900_000 }, async (name, { model, input, splits }) => {
    const home = join(folder, name);
    mkdirSync(home);
    const path = join(home, 'dataset.json');
    writeFileSync(path, JSON.stringify({ lathe: 1, name, task: 'classification', inputs: { '*': input }, splits }));
    const measured: Record<string, unknown> = {};
    const kl = new Map<string, number>();
    for (const bits of [4, 2]) {
      for (const rounding of ['nearest', 'mse', 'gptq']) {
        const own = join(home, `${rounding}-${bits}`);
        mkdirSync(own);
        const step = {
          method: 'weight-only',
          params: { rounding, bits, activations: bits === 4 ? 'float32' : 'int8' },
        };
        const ask = {
          path: testData(model),
          recipe: { lathe: 1 as const, steps: [step] },
          folder: own,
          dataset: { path },
        };
        const foreseen = await forecast(ask, quiet);
        const { baseline, compressed, stages } = await runRecipe({ ...ask, seed: 1 }, quiet);
        const took = stages.find(({ stage }) => stage === 'gather')?.seconds ?? 0;
        const { value, ci95 } = compressed!.quality;
        const { top1, klDivergence, cosine } = compressed!.agreement!;
        kl.set(`${bits} ${rounding}`, klDivergence!);
        measured.float = { accuracy: baseline!.quality.value };
        measured[`${bits} bits ${rounding}`] = {
          ...{ accuracy: value, ci95, sameAnswers: top1, klDivergence, cosine, bytes: compressed!.bytes },
          ...(rounding === 'gptq' ? { gatherSeconds: took, wholeRunForeseen: foreseen.seconds } : {}),
        };
      }
    }
    record('quantization-calibrated', name, measured);
    for (const bits of [4, 2])
      for (const other of ['nearest', 'mse'])
        expect.soft(kl.get(`${bits} gptq`)!, `${bits} bits to ${other}`).toBeLessThan(kl.get(`${bits} ${other}`)!);
  });
});
