// Two adapters over one base, as history, bundles and whoever replays them see them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../../data';
import { preparation } from '../../datasets';
import { lathe } from '../../lathe';
import { temporaryFolder } from '../workspace';

describe.skipIf(!hasTestData)('adapters kept apart', () => {
  it('are children of one parent, replay to the same bytes and travel in bundles', { timeout: 300_000 }, async () => {
    const [workspace, outside] = [await temporaryFolder(), await temporaryFolder()];
    const images = testData('data/mnist/t10k-images-idx3-ubyte.gz');
    const labels = testData('data/mnist/t10k-labels-idx1-ubyte.gz');
    const splits = { train: { inputs: images, labels, to: 600 }, test: { inputs: images, labels, from: 9800 } };
    const data = join(outside, 'mnist');
    mkdirSync(data);
    const input = { '*': preparation['mnist-cnn-ext'] };
    const spec = { lathe: 1, task: 'classification', inputs: input, splits };
    writeFileSync(join(data, 'dataset.json'), JSON.stringify(spec));
    const recipe = join(outside, 'recipe.json');
    const params = { rank: 4, epochs: 0.5, learningRate: 1e-4, merge: false };
    writeFileSync(recipe, JSON.stringify({ lathe: 1, steps: [{ method: 'lora', params }] }));
    const run = (seed: number) =>
      lathe(
        ['run', testData('models/mnist-cnn-ext'), '--recipe', recipe, '--data', data, '--seed', String(seed), '--json'],
        { workspace },
      );

    const [one, two] = [await run(1), await run(2)];
    expect(one.code, one.stderr + one.stdout).toBe(0);
    expect(one.json.artifact.files.map(({ path }: { path: string }) => path)).toEqual([
      'model.onnx',
      'adapter/adapter_config.json',
      'adapter/adapter_model.safetensors',
      'adapter-inputs.onnx',
    ]);
    expect(two.json.run.modelSha256).toBe(one.json.run.modelSha256);
    expect(two.json.artifact.sha256).not.toBe(one.json.artifact.sha256);

    const replayed = await lathe(['replay', one.json.run.id, '--json'], { workspace });
    expect(replayed.json, replayed.stderr).toMatchObject({ identical: true });

    const history = await lathe(['history', '--json'], { workspace });
    const made = history.json.runs.filter(({ kind }: { kind?: string }) => kind !== 'replay');
    expect(new Set(made.map(({ modelId }: { modelId: string }) => modelId)).size).toBe(1);

    const out = join(outside, 'bundle');
    const bundle = ['bundle', one.json.run.id, '--device', 'raspberry-pi-5', '--out', out, '--json'];
    const bundled = await lathe(bundle, { workspace });
    expect(bundled.code, bundled.stderr + bundled.stdout).toBe(0);
    const adapter = 'adapter/adapter_model.safetensors';
    expect(readFileSync(join(out, adapter))).toEqual(readFileSync(join(one.json.artifact.path, adapter)));
    const verified = await lathe(['verify', out, '--json'], { workspace });
    expect(verified.json, verified.stderr).toMatchObject({ ok: true });
  });
});
