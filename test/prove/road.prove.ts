// What issue A must show, measured from outside through the built command line; the numbers go to docs/evidence/road.json.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../data';
import { type preparation, writeDataset } from '../datasets';
import { writeLargeModel } from '../engine/models';
import { lathe } from '../lathe';
import { record } from './evidence';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-'));
const workspace = join(folder, 'workspace');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipeFile = (name: string, steps: readonly unknown[]) => {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({ lathe: 1, name, steps }));
  return file;
};

interface Baseline {
  model: string;
  source: 'mnist' | 'cifar10' | 'imagenet';
  wants: keyof typeof preparation;
  correct: number;
  within: number;
  limit?: number;
}
const baselines: readonly Baseline[] = [
  { model: 'mnist-8/model.onnx', source: 'mnist', wants: 'mnist-8', correct: 9891, within: 0 },
  { model: 'mnist-cnn-ext/model.onnx', source: 'mnist', wants: 'mnist-cnn-ext', correct: 9940, within: 0 },
  { model: 'mnistfc/mnist-net_256x4.onnx', source: 'mnist', wants: 'mnistfc', correct: 9764, within: 0 },
  { model: 'cifar10-small/model.onnx', source: 'cifar10', wants: 'cifar10-tf', correct: 645, within: 0 },
  { model: 'cifar10-large/model.onnx', source: 'cifar10', wants: 'cifar10-tf', correct: 751, within: 0 },
  { model: 'cifar10-resnet2b/model.onnx', source: 'cifar10', wants: 'cifar10-resnet2b', correct: 708, within: 0 },
  { model: 'cifar10-vit-ibp/model.onnx', source: 'cifar10', wants: 'cifar10-vit-ibp', correct: 640, within: 0 },
  {
    model: 'mobilenetv2-cifar10-dynint8/model.onnx',
    source: 'cifar10',
    wants: 'mobilenetv2-cifar10',
    correct: 229,
    within: 3,
    limit: 300,
  },
  {
    model: 'mobilenetv2-imagenet-dynuint8/model.onnx',
    source: 'imagenet',
    wants: 'mobilenetv2-imagenet',
    correct: 243,
    within: 3,
  },
];

describe.skipIf(!hasTestData)('the road', () => {
  it('3. evaluates every model to its baseline', async () => {
    const seen: Record<string, unknown> = {};
    for (const each of baselines) {
      const data = writeDataset(join(folder, `data-${each.wants}`), each.source, each.wants);
      const args = [
        'evaluate',
        testData(`models/${each.model}`),
        '--data',
        data,
        '--json',
        ...(each.limit ? ['--limit', String(each.limit)] : []),
      ];
      const { code, json, stderr } = await lathe(args, { workspace });
      expect(code, stderr).toBe(0);
      seen[each.model] = {
        correct: json.quality.correct,
        n: json.quality.n,
        expected: each.correct,
        p50: json.latencyMs?.p50,
      };
      expect(Math.abs(json.quality.correct - each.correct), each.model).toBeLessThanOrEqual(each.within);
    }
    record('road', 'baselines', seen);
  });

  it('5. inspects and cuts a 5 GB model in bounded memory', async () => {
    const { path } = await writeLargeModel({ folder: join(folder, 'large'), bytes: 5e9, fill: 'random' });
    const opened = await lathe(['inspect', path, '--no-stats', '--json'], { workspace });
    expect(opened.code, opened.stderr).toBe(0);
    const inspected = await lathe(['inspect', path, '--json'], { workspace });
    expect(inspected.code, inspected.stderr).toBe(0);
    const recipe = recipeFile('four-bits', [{ method: 'weight-only', params: { bits: 4, groupSize: 32 } }]);
    const run = await lathe(['run', path, '--recipe', recipe, '--out', join(folder, 'large-out'), '--json'], {
      workspace,
    });
    expect(run.code, run.stderr).toBe(0);
    record('road', 'fiveGigabytes', {
      bytes: statSync(`${path}.data`).size,
      headersMs: Math.round(opened.milliseconds),
      inspectMs: Math.round(inspected.milliseconds),
      runSeconds: run.json.seconds,
      peakBytes: run.json.peakBytes,
      artifactBytes: run.json.artifact.bytes,
      fused: run.json.fused,
    });
    expect(run.json.peakBytes).toBeLessThan(1.5e9);
    rmSync(join(folder, 'large'), { recursive: true, force: true });
  });

  it('8. replays five different runs to the same bytes', async () => {
    const cnn = testData('models/mnist-cnn-ext/model.onnx');
    const mnist = writeDataset(join(folder, 'data-replay'), 'mnist', 'mnist-cnn-ext');
    const runs: readonly [string, string, readonly unknown[], readonly string[]][] = [
      ['four-bits', cnn, [{ method: 'weight-only', params: { bits: 4 } }], ['--data', mnist]],
      [
        'two-bits-asymmetric',
        cnn,
        [{ method: 'weight-only', params: { bits: 2, groupSize: 16, symmetric: false } }],
        [],
      ],
      ['half', testData('models/stories260K/model.onnx'), [{ method: 'float16', params: {} }], []],
      ['dynamic', testData('models/cifar10-vit-ibp/model.onnx'), [{ method: 'int8-dynamic', params: {} }], []],
      [
        'eight-bits',
        testData('models/ultraface/RFB-320.onnx'),
        [{ method: 'weight-only', params: { bits: 8, groupSize: 0 } }],
        [],
      ],
    ];
    const seen: Record<string, unknown> = {};
    for (const [name, model, steps, more] of runs) {
      const run = await lathe(['run', model, '--recipe', recipeFile(name, steps), '--json', ...more], { workspace });
      expect(run.code, run.stderr + run.stdout.slice(0, 400)).toBe(0);
      const replay = await lathe(['replay', run.json.run.id, '--json'], { workspace });
      seen[name] = { identical: replay.json?.identical, sha256: replay.json?.actual };
      expect(replay.json?.identical, replay.stdout).toBe(true);
    }
    record('road', 'replay', seen);
  });
});
