// Pruning through the run itself, on real models: told before, done so, the same bytes twice, and zeros that a quantizer behind it keeps.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Recipe } from '../../../src/contract/words/recipe';
import { forecast } from '../../../src/engine/forecast';
import { open } from '../../../src/engine/formats/onnx';
import { listLayers } from '../../../src/engine/graph/layers';
import { readFloats } from '../../../src/engine/graph/tensor';
import { runRecipe } from '../../../src/engine/run';
import type { Work } from '../../../src/engine/tasks';
import { hasTestData, testData } from '../../data';
import { preparation } from '../../datasets';

const folder = mkdtempSync(join(tmpdir(), 'lathe-pruning-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

let runs = 0;
async function run(path: string, dataset: { path: string }, steps: unknown[]) {
  const own = join(folder, `run-${runs++}`);
  const told = `${own}-told`;
  for (const one of [own, told]) mkdirSync(one);
  const ask = { path, recipe: { lathe: 1, steps } as Recipe, dataset, limit: 500 };
  const foreseen = await forecast({ ...ask, folder: told }, quiet);
  const result = await runRecipe({ ...ask, folder: own, seed: 1 }, quiet);
  const file = join(own, 'artifact/model.onnx');
  expect(result.files[0]!.bytes).toBe(foreseen.bytesAfter);
  return { file, result, sha: createHash('sha256').update(readFileSync(file)).digest('hex') };
}

function data(name: 'mnistfc' | 'cifar10-resnet2b'): { path: string } {
  const mnist = (from: number, to: number) => ({
    inputs: testData('data/mnist/t10k-images-idx3-ubyte.gz'),
    labels: testData('data/mnist/t10k-labels-idx1-ubyte.gz'),
    ...{ from, to },
  });
  const splits = {
    mnistfc: { calibration: mnist(0, 200), test: mnist(2000, 3000) },
    'cifar10-resnet2b': {
      calibration: { inputs: testData('data/cifar10/train-5k.bin') },
      test: { inputs: testData('data/cifar10/test-1k.bin') },
    },
  }[name];
  const path = join(folder, `${name}.json`);
  const inputs = { '*': preparation[name] };
  writeFileSync(path, JSON.stringify({ lathe: 1, name, task: 'classification', inputs, splits }));
  return { path };
}

describe.skipIf(!hasTestData)('pruning of real models', () => {
  const models = {
    mnistfc: testData('models/mnistfc/mnist-net_256x4.onnx'),
    'cifar10-resnet2b': testData('models/cifar10-resnet2b/model.onnx'),
  };

  it.each(Object.keys(models) as (keyof typeof models)[])(
    '%s: each criterion, its pattern in the file',
    async (name) => {
      const values: number[] = [];
      for (const method of ['prune-magnitude', 'prune-wanda', 'prune-sparsegpt']) {
        const { file, result } = await run(models[name], data(name), [
          { method, params: { pattern: '2:4', ...(method === 'prune-magnitude' ? {} : { samples: 64 }) } },
        ]);
        const sites = listLayers((await open(file)).model);
        const pruned = result.layers.filter(({ sparsity }) => sparsity !== undefined);
        expect(pruned.length).toBeGreaterThan(3);
        for (const { name: layer, sparsity } of pruned) {
          expect(sparsity).toBeGreaterThanOrEqual(0.5);
          const site = sites.find((one) => one.name === layer)!;
          const weights = await readFloats(site.tensor);
          // Fours run along the inputs of one output: beside one another, or one below the other.
          const apart = site.channelAxis === 1 ? site.tensor.dims[1]! : 1;
          for (let first = 0; first < weights.length; first += 4 * apart)
            for (let at = first; at < first + apart; at++)
              expect([0, 1, 2, 3].filter((i) => weights[at + i * apart] === 0).length).toBeGreaterThanOrEqual(2);
        }
        expect(result.notes.join(' ')).toMatch(/Smaller when packed, not faster here/);
        values.push(result.compressed!.quality.value);
      }
      expect(values[2]).toBeGreaterThanOrEqual(values[0]! - 0.02);
    },
  );

  it('pruned, then quantized: the same zeros, the same bytes twice', async () => {
    const steps = [
      { method: 'prune-sparsegpt', params: { sparsity: 0.6, samples: 64 } },
      { method: 'weight-only', params: { bits: 4, rounding: 'gptq', samples: 64 } },
    ];
    const once = await run(models.mnistfc, data('mnistfc'), steps);
    for (const { sparsity } of once.result.layers) expect(sparsity ?? 1).toBeGreaterThan(0.58);
    expect(once.result.compressed!.quality.value).toBeGreaterThan(0.94);
    expect((await run(models.mnistfc, data('mnistfc'), steps)).sha).toBe(once.sha);
  });
});
