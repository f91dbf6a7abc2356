// What static quantization must show, measured from outside through the built command line; the numbers go to docs/evidence/quantization.json.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { write } from '../../src/engine/formats/onnx';
import { openSession, type Session } from '../../src/engine/runtime/session';
import { hasTestData, testData } from '../data';
import { preparation } from '../datasets';
import { lathe } from '../lathe';
import { resnet18 } from '../residual-net';
import { record } from './evidence';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-static-'));
const workspace = join(folder, 'workspace');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const json = (name: string, content: unknown): string => {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(content));
  return file;
};
const recipe = (name: string, params: Record<string, unknown>): string =>
  json(`${name}.recipe.json`, { lathe: 1, name, steps: [{ method: 'int8-static', params }] });
const dataset = (name: string, task: string, input: unknown, splits: unknown): string =>
  json(`${name}.dataset.json`, { lathe: 1, name, task, inputs: { '*': input }, splits });

const images = (from: number, to: number) => ({ inputs: testData('data/imagenet-samples'), from, to });
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

interface Case {
  readonly model: string;
  readonly task: 'classification' | 'none';
  readonly input: unknown;
  readonly splits: unknown;
  /** Integer operators that must be in the optimised graph, and nothing else that multiplies. */
  readonly fused: Record<string, number>;
}
const faces = { resize: { width: 320, height: 240, fit: 'stretch' }, scale: 1 / 128, mean: [1, 1, 1], layout: 'NCHW' };
const cases: Record<string, Case> = {
  'mnist-cnn-ext': {
    model: 'mnist-cnn-ext/model.onnx',
    task: 'classification',
    input: preparation['mnist-cnn-ext'],
    splits: { calibration: mnist(0, 100), test: mnist(2000, 10_000) },
    fused: { QLinearConv: 3, QGemm: 2 },
  },
  'cifar10-resnet2b': {
    model: 'cifar10-resnet2b/model.onnx',
    task: 'classification',
    input: preparation['cifar10-resnet2b'],
    splits: cifar,
    fused: { QLinearConv: 6, QLinearAdd: 2, QGemm: 2 },
  },
  'cifar10-small': {
    model: 'cifar10-small/model.onnx',
    task: 'classification',
    input: preparation['cifar10-tf'],
    splits: cifar,
    fused: { QLinearConv: 2, QGemm: 3 },
  },
  'cifar10-large': {
    model: 'cifar10-large/model.onnx',
    task: 'classification',
    input: preparation['cifar10-tf'],
    splits: cifar,
    fused: { QLinearConv: 2, QGemm: 3 },
  },
  'cifar10-vit-ibp': {
    model: 'cifar10-vit-ibp/model.onnx',
    task: 'classification',
    input: preparation['cifar10-vit-ibp'],
    splits: cifar,
    fused: { QLinearConv: 1, MatMulIntegerToFloat: 18, QGemm: 1 },
  },
  ultraface: {
    model: 'ultraface/RFB-320.onnx',
    task: 'none',
    input: faces,
    splits: { calibration: images(0, 128), test: images(128, 300) },
    fused: { QLinearConv: 52, QLinearAdd: 1, QLinearConcat: 1 },
  },
};

const withDomain = (fused: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(fused).map(([operator, count]) => [`com.microsoft:${operator}`, count]));

/** 95 % of the difference of two accuracies over the same samples: McNemar's variance of the discordant pairs. */
function pairedInterval(before: number, after: number, flips: number, n: number): [number, number] {
  const difference = after - before;
  const half = 1.96 * Math.sqrt(Math.max(0, flips - n * difference ** 2)) * (1 / n);
  return [difference - half, difference + half];
}

async function cut(name: string, each: Case, params: Record<string, unknown>) {
  const label = `${name}-${JSON.stringify(params).replace(/\W+/g, '-')}`;
  const data = dataset(name, each.task, each.input, each.splits);
  const out = join(folder, `out-${label}`);
  const args = [
    'run',
    testData(`models/${each.model}`),
    '--recipe',
    recipe(label, params),
    '--data',
    data,
    '--out',
    out,
  ];
  const { code, json: document, stderr } = await lathe([...args, '--json'], { workspace });
  expect(code, stderr).toBe(0);
  return { document, artifact: join(out, 'model.onnx') };
}

describe.skipIf(!hasTestData)('static quantization', () => {
  it('keeps accuracy within a point of float on real models, all of it on integers', async () => {
    const seen: Record<string, unknown> = {};
    for (const [name, each] of Object.entries(cases)) {
      for (const calibration of ['minmax', 'percentile', 'entropy', 'mse']) {
        const { document } = await cut(name, each, { calibration, samples: 128 });
        const { baseline, compressed, agreement, fused, artifact } = document;
        const value = compressed.quality.value;
        const before = each.task === 'none' ? 1 : baseline.quality.value;
        seen[`${name} ${calibration}`] = {
          before,
          after: value,
          difference: value - before,
          ci95: pairedInterval(before, value, agreement.flips, agreement.n),
          n: agreement.n,
          top1: agreement.top1,
          cosine: agreement.cosine,
          bytes: artifact.bytes,
          bytesBefore: baseline.bytes,
          p50: [baseline.latencyMs.p50, compressed.latencyMs.p50],
          fused,
          notes: document.notes,
        };
        expect.soft(value - before, `${name} ${calibration}`).toBeGreaterThan(-0.01);
        expect.soft(fused, `${name} ${calibration}`).toEqual(withDomain(each.fused));
      }
    }
    record('quantization', 'staticInt8', seen);
  });

  it('is no further from the float answers than what the runtime’s own quantizer makes', async () => {
    const { artifact } = await cut('mnist-cnn-ext', cases['mnist-cnn-ext']!, { samples: 100 });
    const { artifact: signed } = await cut('mnist-cnn-ext', cases['mnist-cnn-ext']!, {
      samples: 100,
      activations: 'int8',
    });
    const references = ['qdq-int8-perchannel', 'qdq-uint8-pertensor', 'qoperator-u8s8'];
    const models = {
      ours: artifact,
      'ours, int8 activations': signed,
      ...Object.fromEntries(references.map((one) => [one, testData(`models/mnist-cnn-ort-quantized/${one}.onnx`)])),
    };
    const { openDataset } = await import('../../src/engine/data');
    const data = await openDataset({ path: join(folder, 'mnist-cnn-ext.dataset.json') });
    const float = await openSession(testData('models/mnist-cnn-ext/model.onnx'));
    const error: Record<string, number> = {};
    for (const [name, path] of Object.entries(models)) {
      const session = await openSession(path);
      let squares = 0;
      let count = 0;
      for await (const { feeds } of data.batches('test', float.inputs, { batch: 100 })) {
        const [is, should] = [await answerOf(session, feeds), await answerOf(float, feeds)];
        for (let i = 0; i < is.length; i++) squares += (is[i]! - should[i]!) ** 2;
        count += is.length;
      }
      await session.close();
      error[name] = Math.sqrt(squares / count);
    }
    await float.close();
    record('quantization', 'staticLogitError', { rms: error, samples: 8000, calibration: 'minmax, 100 samples' });
    const best = Math.min(...references.map((one) => error[one]!));
    expect(error.ours).toBeLessThanOrEqual(best);
  });

  it('runs a network of the size of ResNet-18 at least twice as fast as float', async () => {
    const place = join(folder, 'residual');
    mkdirSync(place);
    await write(resnet18(), { folder: place, file: 'model.onnx' });
    const input = { resize: { width: 224, height: 224, fit: 'stretch' }, scale: 1 / 255, layout: 'NCHW' };
    const data = dataset('residual', 'none', input, { calibration: images(0, 32), test: images(200, 300) });
    const out = join(folder, 'out-residual');
    const path = join(place, 'model.onnx');
    const args = ['run', path, '--recipe', recipe('residual', { samples: 32 }), '--data', data, '--out', out, '--json'];
    const { code, json: document, stderr } = await lathe(args, { workspace });
    expect(code, stderr).toBe(0);
    const expected = { QGemm: 1, QLinearAdd: 8, QLinearConv: 20, QLinearGlobalAveragePool: 1 };
    expect(document.fused).toEqual(withDomain(expected));
    const speed: Record<string, unknown> = {};
    for (const threads of [1, 2]) {
      for (const batch of [1, 8]) {
        const measured = await sideBySide(path, join(out, 'model.onnx'), [batch, 3, 224, 224], threads);
        speed[`batch ${batch}, ${threads} threads`] = measured;
        expect.soft(measured.ratio).toBeGreaterThan(2);
      }
    }
    record('quantization', 'staticResidualNet', {
      speed,
      fused: document.fused,
      bytes: [document.baseline.bytes, document.artifact.bytes],
      agreement: document.agreement,
    });
  });

  it('calibrates in memory that does not grow with the samples', async () => {
    const path = testData('models/cifar10-large/model.onnx');
    const data = dataset('memory', 'classification', preparation['cifar10-tf'], cifar);
    const seen: Record<string, unknown> = {};
    const repeats = 5;
    for (const calibration of ['percentile', 'entropy']) {
      // A peak depends on when garbage was collected: in turn, several times, medians, and every figure is kept.
      const peaks: Record<number, number[]> = { 10: [], 1000: [] };
      for (let repeat = 0; repeat < repeats; repeat++) {
        for (const samples of [10, 1000]) {
          const file = recipe(`memory-${calibration}-${samples}`, { calibration, samples });
          const args = ['run', path, '--recipe', file, '--data', data, '--json'];
          const { code, json: document, stderr } = await lathe(args, { workspace });
          expect(code, stderr).toBe(0);
          peaks[samples]!.push(document.peakBytes);
        }
      }
      const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1]!;
      const growth = median(peaks[1000]!) / median(peaks[10]!) - 1;
      seen[calibration] = { peakBytes: peaks, growthOfMedians: growth };
      expect.soft(growth, calibration).toBeLessThan(0.1);
    }
    record('quantization', 'calibrationMemory', seen);
  });
});

async function answerOf(session: Session, feeds: Parameters<Session['run']>[0]): Promise<Float32Array> {
  return Object.values(await session.run(feeds))[0]!.data as Float32Array;
}

/** Both models in turn, so that whatever else the machine does meets both; medians. */
async function sideBySide(float: string, integer: string, dims: number[], threads: number) {
  const sessions = [await openSession(float, { threads }), await openSession(integer, { threads })] as const;
  const count = dims.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 255) / 255);
  const feeds = { [sessions[0].inputs[0]!.name]: { dtype: 'float32' as const, dims, data } };
  const times: [number[], number[]] = [[], []];
  const rounds = 30;
  for (let round = -3; round < rounds; round++) {
    for (const which of [0, 1] as const) {
      const since = performance.now();
      await sessions[which].run(feeds);
      if (round >= 0) times[which].push(performance.now() - since);
    }
  }
  for (const session of sessions) await session.close();
  const [floatMs, integerMs] = times.map((all) => all.toSorted((a, b) => a - b)[all.length >> 1]!) as [number, number];
  return { floatMs, integerMs, ratio: floatMs / integerMs, rounds };
}
