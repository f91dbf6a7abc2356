// The same number of right answers as the reference measured, model by model, each evaluated as it is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../src/contract/words/dataset';
import { evaluate } from '../../src/engine/evaluate';
import type { TaskEvent } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';

interface Baseline {
  readonly model: string;
  readonly data: string;
  readonly preset: string;
  readonly correct: number;
  /** Answers it may differ by: resampling or decoding elsewhere rounds otherwise. */
  readonly within: number;
  readonly n: number;
  readonly limit?: number;
}

const mnist = { data: 'data/mnist', n: 10_000, within: 0 };
const cifar = { data: 'data/cifar10', n: 1000, within: 0 };
const baselines: readonly Baseline[] = [
  { model: 'models/mnist-8/model.onnx', preset: 'mnist-8', correct: 9891, ...mnist },
  { model: 'models/mnist-cnn-ext/model.onnx', preset: 'mnist-cnn-ext', correct: 9940, ...mnist },
  { model: 'models/mnistfc/mnist-net_256x4.onnx', preset: 'mnistfc', correct: 9764, ...mnist },
  { model: 'models/cifar10-small/model.onnx', preset: 'cifar10-tf', correct: 645, ...cifar },
  { model: 'models/cifar10-large/model.onnx', preset: 'cifar10-tf', correct: 751, ...cifar },
  { model: 'models/cifar10-resnet2b/model.onnx', preset: 'cifar10-resnet2b', correct: 708, ...cifar },
  { model: 'models/cifar10-vit-ibp/model.onnx', preset: 'cifar10-vit-ibp', correct: 640, ...cifar },
  {
    model: 'models/mobilenetv2-cifar10-dynint8/model.onnx',
    data: 'data/cifar10',
    preset: 'mobilenetv2-cifar10',
    correct: 229,
    within: 3,
    n: 300,
    limit: 300,
  },
  {
    model: 'models/mobilenetv2-imagenet-dynuint8/model.onnx',
    data: 'data/imagenet-samples',
    preset: 'mobilenetv2-imagenet',
    correct: 243,
    within: 3,
    n: 300,
  },
];

function preset(name: string): Record<string, InputSpec> {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'data/presets', `${name}.json`), 'utf8'));
}

describe.skipIf(!hasTestData)('baselines', () => {
  it.each(baselines)('$model answers as the reference measured', async (baseline) => {
    const events: TaskEvent[] = [];
    const { evaluation } = await evaluate(
      {
        path: testData(baseline.model),
        dataset: { path: testData(baseline.data), preset: preset(baseline.preset) },
        split: 'test',
        ...(baseline.limit ? { limit: baseline.limit } : {}),
      },
      { emit: (event) => events.push(event), stopping: false, signal: new AbortController().signal },
    );
    const { quality, latencyMs } = evaluation;
    console.log(baseline.model, JSON.stringify(evaluation));
    expect(quality.n).toBe(baseline.n);
    expect(Math.abs(quality.correct! - baseline.correct)).toBeLessThanOrEqual(baseline.within);
    expect(quality.ci95[0]).toBeLessThan(quality.value);
    expect(quality.ci95[1]).toBeGreaterThan(quality.value);
    expect(latencyMs).toMatchObject({ batch: 1, runs: 50, warmup: 10 });
    expect(events.at(-1)).toMatchObject({ kind: 'progress', stage: 'time' });
  });
});
