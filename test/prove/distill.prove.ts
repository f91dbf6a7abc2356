// What a teacher is worth: students with a quarter of the parameters, with and without it, step for step; docs/evidence/training-distill.json.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Evaluation } from '../../src/contract/words/quality';
import { encode } from '../../src/engine/formats/onnx';
import { runRecipe } from '../../src/engine/run';
import type { Work } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';
import { preparation } from '../datasets';
import { smallCnn } from '../engine/train/networks';
import { storiesModel, storiesParagraphs } from '../stories';
import { record } from './evidence';

// A folder that is given stays, with the teachers in it.
const given = process.env.LATHE_PROVE_FOLDER;
const folder = given ?? mkdtempSync(join(tmpdir(), 'lathe-prove-distill-'));
afterAll(() => given === undefined && rmSync(folder, { recursive: true, force: true }));
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

interface Ask {
  readonly path: string;
  readonly dataset: string;
  readonly steps: readonly object[];
  readonly seed: number;
  readonly baseline?: Evaluation | undefined;
  readonly limit?: number;
}

async function run(name: string, { steps, dataset, baseline, ...ask }: Ask) {
  const job = join(folder, `job-${name}`);
  mkdirSync(job, { recursive: true });
  const recipe = { lathe: 1 as const, steps: steps as never };
  const question = { ...ask, recipe, folder: job, dataset: { path: dataset }, ...(baseline ? { baseline } : {}) };
  const result = await runRecipe(question, quiet);
  const weights = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const size = (which: 'shapeBefore' | 'shapeAfter') =>
    result.layers.reduce((sum, layer) => sum + (layer[which].length > 0 ? weights(layer[which]) : 0), 0);
  return {
    ...result,
    model: join(job, 'artifact', result.files[0]!.path),
    share: size('shapeAfter') / size('shapeBefore'),
  };
}

function writeData(name: string, spec: object): string {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'dataset.json'), JSON.stringify({ lathe: 1, name, ...spec }));
  return home;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
/** Student's t for four degrees of freedom, 95 %. */
const t4 = 2.776;
function interval(values: readonly number[]) {
  const middle = mean(values);
  const deviation = Math.sqrt(values.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (values.length - 1));
  const half = (t4 * deviation) / Math.sqrt(values.length);
  return { mean: middle, ci95: [middle - half, middle + half] };
}

const seeds = [1, 2, 3, 4, 5];

/** Five students with the teacher and five without; `dataOf` may give each seed samples of its own. */
async function compare(name: string, teacher: string, dataOf: (seed: number) => string, params: object) {
  const runs = [];
  let baseline: Evaluation | undefined;
  let share = 1;
  for (const seed of seeds) {
    const one: Record<string, number> = { seed };
    for (const [arm, alpha] of Object.entries({ withTeacher: 0.9, without: 0 })) {
      const steps = [{ method: 'distill', params: { student: 'thinner', patience: 0, alpha, ...params } }];
      const result = await run(`${name}-${seed}-${arm}`, {
        path: teacher,
        dataset: dataOf(seed),
        steps,
        seed,
        baseline,
      });
      baseline ??= result.baseline;
      share = result.share;
      one[arm] = result.compressed!.quality.value;
      one.steps = result.training![0]!.steps;
    }
    runs.push(one as { seed: number; steps: number; withTeacher: number; without: number });
  }
  const measured = {
    teacher: baseline!.quality,
    share,
    params,
    runs,
    withTeacher: interval(runs.map((one) => one.withTeacher)),
    without: interval(runs.map((one) => one.without)),
    difference: interval(runs.map((one) => one.withTeacher - one.without)),
  };
  record('training-distill', name, measured);
  expect(share).toBeLessThanOrEqual(0.25);
  return measured;
}

const fashion = (part: string) => ({
  inputs: testData(`data/fashion-mnist/${part}-images-idx3-ubyte.gz`),
  labels: testData(`data/fashion-mnist/${part}-labels-idx1-ubyte.gz`),
});
const cifar10 = () =>
  writeData('cifar10', {
    task: 'classification',
    inputs: { '*': preparation['cifar10-tf'] },
    splits: {
      train: { inputs: testData('data/cifar10/train-5k.bin') },
      test: { inputs: testData('data/cifar10/test-1k.bin') },
    },
  });
const fashionInput = { '*': { layout: 'NCHW', scale: 1 / 255, mean: [0.286], std: [0.353] } };

describe.skipIf(!hasTestData)('distillation', () => {
  it('cifar10-large teaches a quarter of itself', { timeout: 1_800_000 }, async () => {
    const home = cifar10();
    const teacher = testData('models/cifar10-large/model.onnx');
    const params = { width: 0.49, batch: 64, learningRate: 1e-3 };
    // While it mends what narrowing broke, a student gains nothing by its teacher; afterwards it overfits less.
    await compare('cifar10-large-few-steps', teacher, () => home, { ...params, epochs: 4 });
    const { difference } = await compare('cifar10-large', teacher, () => home, { ...params, epochs: 15 });
    expect(difference.mean).toBeGreaterThanOrEqual(0);
  });

  it('products in 2 bits stay as they are, convolutions learn beside them', {
    timeout: 900_000,
  }, async () => {
    const home = cifar10();
    const path = testData('models/cifar10-large/model.onnx');
    const cut = { method: 'weight-only', params: { bits: 2 }, layers: { exclude: ['*conv2d*'] } };
    const on = (method: string, params: object) => [
      cut,
      { method, params: { epochs: 4, batch: 64, patience: 0, ...params } },
    ];
    const arms = {
      cut: [cut],
      labels: on('finetune', { learningRate: 3e-4 }),
      teacher: on('distill', { learningRate: 3e-4, alpha: 0.9 }),
    };
    const measured: Record<string, unknown> = {};
    for (const [arm, steps] of Object.entries(arms)) {
      const { baseline, compressed } = await run(`bits-${arm}`, { path, dataset: home, steps, seed: 7 });
      measured.parent = baseline!.quality;
      measured[arm] = compressed!.quality;
    }
    record('training-distill', 'cifar10-large-2-bits', measured);
  });

  it('a small CNN for Fashion-MNIST teaches a quarter of itself', { timeout: 3_000_000 }, async () => {
    const spec = { task: 'classification', inputs: fashionInput };
    const whole = writeData('fashion', { ...spec, splits: { train: fashion('train'), test: fashion('t10k') } });
    const start = join(folder, 'small-cnn.onnx');
    writeFileSync(start, await encode(smallCnn({ seed: 1 })));
    const kept = join(folder, 'job-teacher', 'artifact', 'model.onnx');
    const scratch = { method: 'finetune', params: { epochs: 4, batch: 128, learningRate: 2e-3, patience: 0 } };
    if (!existsSync(kept)) await run('teacher', { path: start, dataset: whole, steps: [scratch], seed: 1 });
    const few = (seed: number) =>
      writeData(`fashion-${seed}`, {
        ...spec,
        splits: { train: { ...fashion('train'), from: (seed - 1) * 6000, to: seed * 6000 }, test: fashion('t10k') },
      });
    const params = { width: 0.32, epochs: 10, batch: 64, learningRate: 2e-3 };
    const { difference } = await compare('fashion-mnist', kept, few, params);
    expect(difference.mean).toBeGreaterThanOrEqual(0);
  });

  it('three of five blocks of stories260K learn from all five', { timeout: 1_800_000 }, async () => {
    const all = storiesParagraphs();
    const home = writeData('stories', {
      task: 'language-modelling',
      splits: { train: { inputs: 'train.json' }, test: { inputs: 'test.json' } },
    });
    writeFileSync(join(home, 'train.json'), JSON.stringify(all.filter((_, i) => i % 2 === 1)));
    writeFileSync(join(home, 'test.json'), JSON.stringify(all.filter((_, i) => i % 2 === 0)));
    const measured: Record<string, unknown> = {};
    for (const [arm, params] of Object.entries({
      asItBegins: { epochs: 0.01, learningRate: 1e-7 },
      withTeacher: { alpha: 0.9, temperature: 2 },
      without: { alpha: 0 },
    })) {
      const steps = [
        {
          method: 'distill',
          params: { student: 'shallower', epochs: 4, batch: 8, learningRate: 2e-3, patience: 0, ...params },
        },
      ];
      const result = await run(`stories-${arm}`, { path: storiesModel, dataset: home, steps, seed: 7 });
      measured.teacher = result.baseline!.quality;
      measured.share = result.share;
      measured[arm] = { ...result.compressed!.quality, steps: result.training![0]!.steps };
    }
    record('training-distill', 'stories260K', measured);
  });
});
