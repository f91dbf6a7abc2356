// Runs that take channels out of real networks: smaller files, shapes told, recovery and quantizers behind in the same recipe, the same bytes again.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { forecast } from '../../../src/engine/forecast';
import { runRecipe } from '../../../src/engine/run';
import type { Work } from '../../../src/engine/tasks';
import { hasTestData, testData } from '../../data';
import { preparation } from '../../datasets';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
let home: string;
let runs = 0;

async function dataset(name: keyof typeof preparation): Promise<{ path: string }> {
  const folder = join(home, name);
  await mkdir(folder, { recursive: true });
  const splits = {
    train: { inputs: testData('data/cifar10/train-5k.bin') },
    test: { inputs: testData('data/cifar10/test-1k.bin'), to: 500 },
  };
  const text = { lathe: 1, name: 'CIFAR-10', task: 'classification', inputs: { '*': preparation[name] }, splits };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(text));
  return { path: folder };
}

async function run(model: string, data: { path: string }, steps: readonly unknown[]) {
  const folder = join(home, `run-${++runs}`);
  await mkdir(folder);
  const path = testData(`models/${model}/model.onnx`);
  const recipe = { lathe: 1 as const, steps: steps as never };
  const told = await forecast({ path, recipe, dataset: data, folder }, quiet);
  const result = await runRecipe({ path, recipe, seed: 7, folder, dataset: data }, quiet);
  expect(result.layers.map(({ bytesAfter }) => bytesAfter)).toEqual(told.layers.map(({ bytesAfter }) => bytesAfter));
  return { result, path: join(folder, 'artifact', result.files[0]!.path), bytesBefore: told.bytesBefore };
}

const prune = (params: object = {}) => ({ method: 'prune-channels', params: { ratio: 0.5, ...params } });
const finetune = { method: 'finetune', params: { epochs: 2, learningRate: 1e-3, batch: 64 } };

describe.skipIf(!hasTestData)('prune-channels in a recipe', () => {
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'lathe-run-channels-'));
  });

  it('a third of the computation goes, training wins the accuracy back, the same bytes twice', async () => {
    const data = await dataset('cifar10-tf');
    const pruned = await run('cifar10-small', data, [prune({ multiple: 4, ratio: 0.3 })]);
    const { result, bytesBefore } = await run('cifar10-small', data, [prune({ multiple: 4, ratio: 0.3 }), finetune]);
    const before = result.layers.reduce((sum, { shapeBefore }) => sum + shapeBefore.reduce((a, b) => a * b, 1), 0);
    const after = result.layers.reduce((sum, { shapeAfter }) => sum + shapeAfter.reduce((a, b) => a * b, 1), 0);
    const bytes = result.files.reduce((sum, file) => sum + file.bytes, 0);
    expect(bytes / bytesBefore).toBeLessThan((1.2 * after) / before);
    expect(result.notes.join('\n')).toMatch(/[34]\d\.\d % of the model’s multiply-accumulates went/);
    const accuracy = [result.baseline!, pruned.result.compressed!, result.compressed!].map((one) => one.quality.value);
    expect(accuracy[2]!).toBeGreaterThan(accuracy[1]! + 0.05);
    const again = await run('cifar10-small', data, [prune({ multiple: 4, ratio: 0.3 }), finetune]);
    expect(again.result.files).toEqual(result.files);
  });

  it.each(['taylor', 'taylor-second'])('%s asks gradients of labelled samples', async (criterion) => {
    const data = await dataset('cifar10-tf');
    const { result } = await run('cifar10-small', data, [prune({ criterion, multiple: 4, ratio: 0.3, samples: 32 })]);
    expect(result.training ?? []).toEqual([]);
    expect(result.compressed!.quality.value).toBeGreaterThan(0.2);
  });

  it('a residual network and a transformer, ranked and by activations, then eight bits', async () => {
    const cases = [
      [
        'cifar10-resnet2b',
        [prune({ criterion: 'activation', ratio: 0.3 }), { method: 'int8-static' }],
        { Conv_5: [8, 8, 1, 1], Conv_10: [8, 16, 3, 3] },
      ],
      [
        'cifar10-vit-ibp',
        [prune({ scope: 'global', target: 'parameters', ratio: 0.3 }), { method: 'weight-only', params: { bits: 8 } }],
        { '/2/2.2/Gemm': [40, 10] },
      ],
    ] as const;
    for (const [model, steps, expected] of cases) {
      const { result } = await run(model, await dataset(model), steps);
      const shapes = Object.fromEntries(result.layers.map(({ name, shapeAfter }) => [name, shapeAfter]));
      expect(result.compressed!.quality.value).toBeGreaterThan(0.15);
      expect(shapes).toMatchObject(expected);
    }
  });
});
