// What adapters are worth on a small language model: Shakespeare learnt beside frozen weights, merged and apart, on four bits with and without
// LoftQ; docs/evidence/training-lora.json.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runRecipe } from '../../src/engine/run';
import { adapterFiles } from '../../src/engine/run-adapters';
import { type Feed, type Feeds, openSession } from '../../src/engine/runtime/session';
import type { Work } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';
import { safetensorsIn } from '../engine/methods/peft';
import { storiesEncoder, storiesModel } from '../stories';
import { record } from './evidence';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-lora-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const parameters = 260_032;

/** Characters [from, to) of Shakespeare: eight tenths to learn from, one to choose the best weights by, one to report on. */
function shakespeare(from: number, to: number): string {
  const home = join(folder, `shakespeare-${from}-${to}`);
  mkdirSync(home, { recursive: true });
  const encode = storiesEncoder();
  const text = readFileSync(testData('data/text/tinyshakespeare.txt'), 'utf8').slice(from, to);
  const ids = text.split(/\n\n/).flatMap((part) => encode(part));
  const part = (name: string, first: number, last: number) => {
    writeFileSync(join(home, name), JSON.stringify(ids.slice(first * ids.length, last * ids.length)));
    return { inputs: name };
  };
  const splits = {
    train: part('train.json', 0, 0.8),
    validation: part('validation.json', 0.8, 0.9),
    test: part('test.json', 0.9, 1),
  };
  const spec = { lathe: 1, name: 'shakespeare', task: 'language-modelling', text: { contextLength: 256, stride: 256 } };
  writeFileSync(join(home, 'dataset.json'), JSON.stringify({ ...spec, splits }));
  return home;
}

async function adapt(name: string, dataset: string, steps: object[], seed = 1) {
  const job = join(folder, name);
  mkdirSync(job, { recursive: true });
  const recipe = { lathe: 1 as const, steps: steps as never };
  const result = await runRecipe({ path: storiesModel, recipe, seed, folder: job, dataset: { path: dataset } }, quiet);
  const [learnt] = result.training!;
  return {
    home: join(job, 'artifact'),
    files: result.files.map(({ path }) => path),
    told: {
      seed,
      start: Math.exp(learnt!.parentLevel!),
      end: Math.exp(learnt!.bestLevel!),
      testBefore: result.baseline!.quality.value,
      testAfter: result.compressed!.quality.value,
      steps: learnt!.steps,
      seconds: result.stages.find(({ stage }) => stage === 'train')!.seconds,
      bytes: result.files[0]!.bytes,
    },
  };
}

const lora = (params: object) => ({ method: 'lora', params: { rank: 8, batch: 8, patience: 0, ...params } });
const attention = { targets: 'attention', epochs: 2 };

async function logits(path: string, more: Feeds = {}): Promise<Float32Array> {
  const session = await openSession(path, { threads: 1 });
  try {
    const ids = BigInt64Array.from({ length: 64 }, (_, i) => BigInt((i * 37 + 1) % 512));
    const feed = (data: BigInt64Array): Feed => ({ dtype: 'int64', dims: [1, 64], data });
    const own: Record<string, BigInt64Array> = {
      input_ids: ids,
      attention_mask: ids.map(() => 1n),
      position_ids: ids.map((_, i) => BigInt(i)),
    };
    const asked = session.inputs.filter(({ name }) => own[name]).map(({ name }) => [name, feed(own[name]!)] as const);
    return (await session.run({ ...Object.fromEntries(asked), ...more }, ['logits'])).logits!.data as Float32Array;
  } finally {
    await session.close();
  }
}

const furthest = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe.skipIf(!hasTestData)('LoRA on stories260K', () => {
  it('reads Shakespeare a third better with 6.9 % of the parameters, merged and apart alike', {
    timeout: 1_800_000,
  }, async () => {
    const data = shakespeare(0, 100_000);
    const merged = await adapt('merged', data, [lora(attention)]);
    const apart = await adapt('apart', data, [lora({ ...attention, merge: false })]);
    const other = await adapt('other', data, [lora({ ...attention, merge: false, epochs: 1 })], 2);
    expect(merged.files).toEqual(['model.onnx']);
    expect(apart.files).toEqual(['model.onnx', adapterFiles.config, adapterFiles.weights, adapterFiles.inputs]);

    const read = (home: string) => safetensorsIn(readFileSync(join(home, adapterFiles.weights)));
    const tensors = read(apart.home);
    const count = [...tensors.values()].reduce((sum, { data: values }) => sum + values.length, 0);
    expect([...tensors.keys()]).toContain('base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight');
    const config = JSON.parse(readFileSync(join(apart.home, adapterFiles.config), 'utf8'));
    const swapped = (home: string) =>
      logits(join(apart.home, adapterFiles.inputs), {
        ...Object.fromEntries([...read(home)].map(([name, tensor]) => [name, { dtype: 'float32', ...tensor }])),
        lora_scaling: { dtype: 'float32', dims: [], data: Float32Array.of(config.lora_alpha / config.r) },
      });
    const ofMerged = await logits(join(merged.home, 'model.onnx'));
    const ofApart = await logits(join(apart.home, 'model.onnx'));
    const ofOther = await logits(join(other.home, 'model.onnx'));
    const measured = {
      share: count / parameters,
      merged: merged.told,
      apart: apart.told,
      other: other.told,
      largestLogit: Math.max(...ofApart.map(Math.abs)),
      mergedFromApart: furthest(ofMerged, ofApart),
      otherFromApart: furthest(ofOther, ofApart),
      swappedFromOther: furthest(await swapped(other.home), ofOther),
    };
    record('training-lora', 'stories260kShakespeare', measured);
    expect(measured.share).toBeCloseTo(0.069, 3);
    expect(merged.told.end).toBeLessThan(0.7 * merged.told.start);
    expect(merged.told.testAfter).toBeLessThan(0.7 * merged.told.testBefore);
    expect(measured.mergedFromApart).toBeLessThanOrEqual(1e-5 * measured.largestLogit);
    expect(measured.swappedFromOther).toBeLessThanOrEqual(1e-5 * measured.largestLogit);
    expect(measured.otherFromApart).toBeGreaterThan(0.1);
  });

  it('forms beside each other on the same text', { timeout: 1_800_000 }, async () => {
    const data = shakespeare(400_000, 450_000);
    const forms = {
      attention: {},
      queryValue: { targets: 'query-value' },
      linear: { targets: 'linear' },
      dora: { dora: true },
      rankStabilised: { rankStabilised: true },
    };
    const runs: Record<string, unknown> = {};
    for (const [name, params] of Object.entries(forms)) {
      const { told } = await adapt(`form-${name}`, data, [lora({ ...attention, ...params })]);
      runs[name] = told;
      record('training-lora', 'forms', { runs, rank: 8 });
      expect(told.end).toBeLessThan(0.7 * told.start);
    }
  });

  it('LoftQ begins lower than an adapter that begins at nothing', { timeout: 1_800_000 }, async () => {
    const products = { include: ['*MatMul*'] };
    for (const [bits, epochs] of [
      [4, 2],
      [2, 2],
    ] as const) {
      const runs = [];
      for (const seed of [1, 2, 3]) {
        const data = shakespeare(seed * 100_000, seed * 100_000 + 50_000);
        const quantized = { method: 'weight-only', params: { bits }, layers: products };
        const without = await adapt(`zero-${bits}-${seed}`, data, [quantized, lora({ epochs })], seed);
        const loftq = lora({ init: 'loftq', bits, epochs });
        const withIt = await adapt(`loftq-${bits}-${seed}`, data, [loftq], seed);
        runs.push({ without: without.told, loftq: withIt.told });
        record('training-lora', `loftqAt${bits}Bits`, { runs, targets: 'linear', rank: 8 });
        expect(withIt.told.start).toBeLessThan(without.told.start);
      }
    }
  });
});
