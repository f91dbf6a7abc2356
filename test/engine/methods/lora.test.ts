// Adapters: how many numbers they are, where they go and where not, that they begin at nothing and end merged or apart at the same answers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { write } from '../../../src/engine/formats/onnx';
import { withInitializers } from '../../../src/engine/graph/edit';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { verify } from '../../../src/engine/graph/verify';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { mulberry32 } from '../../../src/engine/measure/quality';
import { isAmong, moduleOf } from '../../../src/engine/methods/cutting/adapted-layers';
import { trainee } from '../../../src/engine/methods/cutting/adapter-training';
import { adaptersIn, nameAdapters, withAdapters } from '../../../src/engine/methods/cutting/adapters';
import { loftq, roundTripOn } from '../../../src/engine/methods/cutting/loftq';
import { lora } from '../../../src/engine/methods/lora';
import { withDefaults } from '../../../src/engine/recipe';
import { chooseLayers, subjectOf } from '../../../src/engine/recipe-steps';
import { adapterFiles, writeAdapters } from '../../../src/engine/run-adapters';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { randomWeights, tinyConv, tinyLm } from '../models';
import { feedsOf, withCut } from './bench';
import { answersOf, distance, little, quick, step, withoutJudge } from './little-attention';
import { safetensorsIn } from './peft';

let kernels: Kernels;
let folder: string;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
  folder = mkdtempSync(join(tmpdir(), 'lathe-lora-'));
});
afterAll(async () => {
  await kernels.close();
  rmSync(folder, { recursive: true });
});

async function targetsOf(given: Model, params: Record<string, unknown>) {
  const subject = await subjectOf(given);
  return { subject, ...chooseLayers(subject, { method: 'lora', params: params as never }, 'steps[0]') };
}

describe('layers', () => {
  const called = (weight: string, name: string) => moduleOf({ weight, name } as Parameters<typeof moduleOf>[0]);

  test.each([
    ['model.layers.0.self_attn.q_proj.weight.T', 'n14', 'model.layers.0.self_attn.q_proj'],
    ['model.layers.3.self_attn.q_proj.weight_q4', 'n14', 'model.layers.3.self_attn.q_proj'],
    ['model.layers.3.attn.q_proj.MatMul.weight', 'x', 'model.layers.3.self_attn.q_proj'],
    ['onnx::MatMul_314', '/encoder/layer.0/attention/self/query/MatMul', 'encoder.layer.0.attention.self.query'],
    ['onnx::MatMul_314', 'plain', 'plain'],
    ['proj.weight', '/proj/MatMul', 'proj'],
  ])('%s of %s is %s', (weight, name, module) => expect(called(weight, name)).toBe(module));

  test('attention is known by names', () => {
    const among = (weight: string) =>
      (['attention', 'query-value'] as const).map((set) =>
        isAmong({ weight: `${weight}.weight`, name: '' } as Parameters<typeof isAmong>[0], set),
      );
    expect(among('h.0.attn.c_attn')).toEqual([true, true]);
    expect(among('h.0.attn.c_proj')).toEqual([true, false]);
    expect(among('h.0.mlp.c_proj')).toEqual([false, false]);
    expect(among('encoder.layer.0.attention.output.dense')).toEqual([true, false]);
    expect(among('encoder.layer.0.output.dense')).toEqual([false, false]);
    expect(among('blocks.1.attn1.to_out.0')).toEqual([true, false]);
    expect(among('blocks.1.attn1.to_v')).toEqual([true, true]);
  });

  test('rank · (inputs + outputs) parameters each, and a number an output with DoRA', async () => {
    const count = async (params: Record<string, unknown>) => {
      const { subject, targets } = await targetsOf(little(), params);
      const { parameters } = lora.trains!(subject, targets);
      return [targets.length, parameters.reduce((sum, one) => sum + one.count, 0)];
    };
    expect(await count({ rank: 4 })).toEqual([5, 4 * (4 * (48 + 64) + 48 + 40)]);
    expect(await count({ rank: 4, dora: true })).toEqual([5, 4 * (4 * (48 + 64) + 48 + 40) + 3 * 64 + 48 + 40]);
    expect(await count({ rank: 4, targets: 'attention' })).toEqual([4, 4 * 4 * (48 + 64)]);
    expect(await count({ rank: 4, targets: 'query-value' })).toEqual([2, 4 * 2 * (48 + 64)]);
  });

  test('refusals say why, layer by layer', async () => {
    const why = async (given: Model, params: Record<string, unknown>) =>
      (await targetsOf(given, params)).refused.map(({ refusal }) => refusal.sentence);
    expect(await why(little(), { rank: 40 })).toEqual([
      'n8: An adapter of rank 40 is no thinner than 48 × 40 weights.',
    ]);
    expect(await why(little(), { targets: 'attention' })).toEqual(['n8: Its name is not one of the targets.']);
    expect((await why(tinyConv(), {}))[0]).toContain('this is a Conv.');
    const tied = '/head/MatMul: /embed/Gather has the same weights, and would change with it.';
    expect(await why(tinyLm(), {})).toContain(tied);
    expect(await why(tinyLm(), { init: 'loftq' })).toContain(tied);
    expect(await why(tinyLm(), { merge: false })).not.toContain(tied);
    await withCut(kernels, little(), [{ method: 'weight-only', params: { bits: 8 } }], async ({ taken }) => {
      const [first] = taken.subject.sites;
      const params = withDefaults(lora.card, { init: 'loftq' });
      expect(lora.fits(taken.subject, first!, params)?.sentence).toContain('its weights are codes already');
      const usual = withDefaults(lora.card, {});
      expect(lora.fits(taken.subject, first!, usual)).toBeNull();
      expect(lora.warnings(taken.subject, first!, usual)).toEqual([expect.stringContaining('kept apart')]);
    });
    await withCut(kernels, little(), [{ method: 'int8-dynamic' }], async ({ taken }) => {
      const refusals = taken.subject.sites.map((site) => lora.fits(taken.subject, site, withDefaults(lora.card, {})));
      expect(refusals.every((one) => one !== null)).toBe(true);
    });
  });
});

describe('at the start nothing changes', () => {
  test.each([false, true])('DoRA %s', async (dora) => {
    const given = little();
    const { sites } = await subjectOf(given);
    const set = nameAdapters(given, sites, { rank: 4, alpha: 8, rankStabilised: false }, dora);
    const filled = (count: number, by: (i: number) => number) => ({
      kind: 'bytes' as const,
      bytes: new Uint8Array(Float32Array.from({ length: count }, (_, i) => by(i)).buffer),
    });
    const should = await answersOf(given);
    const kept = withAdapters(given, sites, set, ({ inputs, outputs }) => ({
      a: filled(inputs * 4, Math.sin),
      b: filled(outputs * 4, () => 0),
      ...(dora ? { magnitude: filled(outputs, () => 1.7), norm: filled(outputs, () => 1.7) } : {}),
    }));
    expect(verify(kept)).toEqual([]);
    expect(distance(await answersOf(kept), should)).toBeLessThan(1e-6);
    if (!dora) return;
    // While it trains, the lengths are computed in the graph: at ‖W‖ they cancel.
    const lengths = new Map<string, Float32Array>();
    for (const [i, { outputs, inputs, layer }] of set.adapters.entries()) {
      const values = randomWeightsOf(given, sites[i]!.weight);
      const isTurned = layer === 'n1';
      const sums = new Float32Array(outputs);
      for (let k = 0; k < inputs; k++)
        for (let o = 0; o < outputs; o++) sums[o]! += values[isTurned ? o * inputs + k : k * outputs + o]! ** 2;
      lengths.set(layer, sums);
    }
    const { model: training } = trainee(given, sites, set, ({ inputs, outputs, layer }) => ({
      a: filled(inputs * 4, Math.sin),
      b: filled(outputs * 4, () => 0),
      magnitude: filled(outputs, (i) => Math.sqrt(lengths.get(layer)![i]!)),
      squares: filled(outputs, (i) => lengths.get(layer)![i]!),
    }));
    expect(distance(await answersOf(training), should)).toBeLessThan(1e-6);
  });

  function randomWeightsOf({ graph }: Model, name: string): Float32Array {
    const { data } = graph.initializers.get(name)!;
    if (data.kind !== 'bytes') throw new Error('in memory');
    return new Float32Array(data.bytes.buffer, data.bytes.byteOffset, data.bytes.byteLength / 4);
  }
});

test.each([false, true])('merged and apart answer alike, DoRA %s', async (dora) => {
  const answers = async (merge: boolean) =>
    withCut(
      kernels,
      little(),
      [step({ ...quick, dora, merge })],
      async ({ taken }) => {
        expect(adaptersIn(taken.subject.model) === null).toBe(merge);
        return answersOf(taken.subject.model);
      },
      1,
      withoutJudge,
    );
  const [merged, apart] = [await answers(true), await answers(false)];
  expect(distance(merged, apart)).toBeLessThan(1e-5);
  expect(distance(merged, await answersOf(little()))).toBeGreaterThan(1e-3);
});

test('merging into pruned weights says that their zeros are filled', async () => {
  const given = little();
  const name = 'model.layers.0.mlp.up_proj.weight';
  const pruned = floatTensor(name, [48, 40], new Float32Array(48 * 40).fill(0.1, 0, 40));
  const model = { ...given, graph: withInitializers(given.graph, [pruned]) };
  await withCut(kernels, model, [step(quick)], async ({ cuts }) => {
    const told = cuts.filter(({ notes }) => notes.length > 0);
    expect(told).toEqual([
      expect.objectContaining({ layer: 'n8', notes: [expect.stringContaining('pruned to zero')] }),
    ]);
  });
});

describe('LoftQ', () => {
  test.each([2, 4] as const)('%i bits: what codes and adapter miss falls with every turn', async (bits) => {
    const { signal } = new AbortController();
    const [rows, columns, rank] = [64, 96, 8];
    const weights = randomWeights(rows * columns, 1, 3);
    const tensor = floatTensor('w', [rows, columns], weights);
    const grid = { tensor, rows, columns, order: 'rows', bits, groupSize: 32, symmetric: true } as const;
    const rest = { zero: 'unsigned', scaleRule: 'signed-max', layout: { kind: 'blocks', block: 32 } } as const;
    const order = { ...grid, ...rest, scalesOrder: 'rows', scaleType: 'float32' } as const;
    const found = await loftq(weights, rows, columns, rank, roundTripOn(order, kernels, signal), mulberry32(1));
    const all = [found.quantizedAlone, ...found.residuals];
    expect(all.length).toBeGreaterThan(2);
    for (let i = 1; i < all.length; i++) expect(all[i]!).toBeLessThan(all[i - 1]!);
    const whole = await roundTripOn(order, kernels, signal)(found.rest);
    let missed = 0;
    for (let o = 0; o < rows; o++) {
      for (let i = 0; i < columns; i++) {
        let product = 0;
        for (let k = 0; k < rank; k++) product += found.a[i * rank + k]! * found.b[k * rows + o]!;
        missed += (weights[o * columns + i]! - whole[o * columns + i]! - product) ** 2;
      }
    }
    expect(missed).toBeCloseTo(found.residuals.at(-1)!, 4);
  });
});

describe('files beside the model', () => {
  async function kept(name: string, seed: number, params: Record<string, unknown> = {}) {
    const place = join(folder, name);
    const given = { ...quick, targets: 'attention', merge: false, ...params };
    const paths = await withCut(
      kernels,
      little(),
      [step(given)],
      async ({ taken }) => {
        const [file] = await write(taken.subject.model, { folder: place, file: 'model.onnx' });
        return writeAdapters(taken.subject.model, place, file!);
      },
      seed,
      withoutJudge,
    );
    const tensors = safetensorsIn(readFileSync(join(place, adapterFiles.weights)));
    const config = JSON.parse(readFileSync(join(place, adapterFiles.config), 'utf8'));
    return { place, paths, tensors, config };
  }
  const run = async (path: string, feeds: Feeds): Promise<Float32Array> => {
    const session = await openSession(path, { threads: 1 });
    try {
      return Object.values(await session.run(feeds))[0]!.data as Float32Array;
    } finally {
      await session.close();
    }
  };

  test('PEFT’s names and shapes', async () => {
    const { tensors, config, paths } = await kept('names', 1, { dora: true });
    expect(paths).toEqual([adapterFiles.config, adapterFiles.weights]);
    const module = (part: string) => `base_model.model.model.layers.0.self_attn.${part}_proj`;
    expect(Object.fromEntries([...tensors].map(([name, { dims }]) => [name, dims]))).toEqual({
      [`${module('q')}.lora_A.weight`]: [4, 48],
      [`${module('q')}.lora_B.weight`]: [64, 4],
      [`${module('q')}.lora_magnitude_vector`]: [64],
      [`${module('k')}.lora_A.weight`]: [4, 48],
      [`${module('k')}.lora_B.weight`]: [64, 4],
      [`${module('k')}.lora_magnitude_vector`]: [64],
      [`${module('v')}.lora_A.weight`]: [4, 48],
      [`${module('v')}.lora_B.weight`]: [64, 4],
      [`${module('v')}.lora_magnitude_vector`]: [64],
      [`${module('o')}.lora_A.weight`]: [4, 64],
      [`${module('o')}.lora_B.weight`]: [48, 4],
      [`${module('o')}.lora_magnitude_vector`]: [48],
    });
    expect(config).toMatchObject({ peft_type: 'LORA', r: 4, lora_alpha: 16, use_dora: true, use_rslora: false });
    expect(config.target_modules).toContain('model.layers.0.self_attn.q_proj');
  });

  test('adapters of two runs swap over one base, whatever their rank', async () => {
    const [one, two] = [await kept('one', 1), await kept('two', 2, { rank: 7, alpha: 7 })];
    expect(one.paths).toContain(adapterFiles.inputs);
    const feeds = feedsOf(little(), 8);
    const own = await run(join(one.place, 'model.onnx'), feeds);
    const other = await run(join(two.place, 'model.onnx'), feeds);
    expect(distance(other, own)).toBeGreaterThan(1e-3);
    const swapped = (adapter: typeof one) =>
      run(join(one.place, adapterFiles.inputs), {
        ...feeds,
        ...Object.fromEntries([...adapter.tensors].map(([name, tensor]) => [name, { dtype: 'float32', ...tensor }])),
        lora_scaling: {
          dtype: 'float32',
          dims: [],
          data: Float32Array.of(adapter.config.lora_alpha / adapter.config.r),
        },
      });
    expect(distance(await swapped(one), own)).toBeLessThan(1e-6);
    expect(distance(await swapped(two), other)).toBeLessThan(1e-6);
    // The base's weights are in one file.
    expect(readFileSync(join(one.place, adapterFiles.inputs)).length).toBeLessThan(8000);
  });
});
