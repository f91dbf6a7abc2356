// Training through rounding on tiny models: the exported model is the one that was trained, sizes are those told before, what cannot be is refused.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode, write } from '../../../src/engine/formats/onnx';
import { withInitializers } from '../../../src/engine/graph/edit';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor, readFloats } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import type { Gathering } from '../../../src/engine/methods/cutting/gathering';
import { startGrid } from '../../../src/engine/methods/cutting/learned-grid';
import { qat } from '../../../src/engine/methods/qat';
import { withDefaults } from '../../../src/engine/recipe';
import { subjectOf } from '../../../src/engine/recipe-steps';
import { readOptimised } from '../../../src/engine/runtime/optimise';
import { openSession } from '../../../src/engine/runtime/session';
import { model, node, randomWeights, tinyIf, tinyLm, tinyMlp, value } from '../models';
import { type CutModel, feedsOf, foretell, reconstructed, subjects, tinyLstm, withCut } from './bench';
import { trainedGraph } from './trained-graph';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

/** x[1, 4, 8, 8] → Conv, BatchNorm, Relu → MaxPool → depthwise Conv, BatchNorm → Add → Conv, Clip → pool → Gemm → y[1, 6]. */
function residual(): Model {
  const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
  const weight = (name: string, dims: number[], seed: number, deviation = 0.3) =>
    floatTensor(name, dims, randomWeights(count(dims), deviation, seed));
  const norm = (name: string, channels: number, seed: number) => [
    floatTensor(
      `${name}.g`,
      [channels],
      randomWeights(channels, 0.1, seed).map((one) => 1 + one),
    ),
    weight(`${name}.b`, [channels], seed + 1, 0.1),
    weight(`${name}.m`, [channels], seed + 2, 0.1),
    floatTensor(
      `${name}.v`,
      [channels],
      randomWeights(channels, 0.1, seed + 3).map((one) => 1 + one * one),
    ),
  ];
  const statistics = (name: string): string[] => ['g', 'b', 'm', 'v'].map((one) => `${name}.${one}`);
  const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  return model({
    name: 'residual',
    inputs: [value('x', 'float32', [1, 4, 8, 8])],
    outputs: [value('y', 'float32', [1, 6])],
    nodes: [
      node('Conv', ['x', 'a.w'], ['a'], same, { name: 'a' }),
      node('BatchNormalization', ['a', ...statistics('an')], ['an'], {}, { name: 'an' }),
      node('Relu', ['an'], ['ar']),
      node('MaxPool', ['ar'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Conv', ['p', 'd.w'], ['d'], { ...same, group: 16 }, { name: 'd' }),
      node('BatchNormalization', ['d', ...statistics('dn')], ['dn'], {}, { name: 'dn' }),
      node('Add', ['dn', 'p'], ['s']),
      node('Conv', ['s', 'c.w', 'c.b'], ['c'], { kernel_shape: [1, 1] }, { name: 'c' }),
      node('Clip', ['c', 'zero', 'six'], ['cc']),
      node('GlobalAveragePool', ['cc'], ['m']),
      node('Flatten', ['m'], ['f']),
      node('Gemm', ['f', 'fc.w', 'fc.b'], ['y'], { transB: 1 }, { name: 'fc' }),
    ],
    initializers: [
      weight('a.w', [16, 4, 3, 3], 1),
      ...norm('an', 16, 2),
      weight('d.w', [16, 1, 3, 3], 6),
      ...norm('dn', 16, 7),
      weight('c.w', [24, 16, 1, 1], 11),
      weight('c.b', [24], 12),
      weight('fc.w', [6, 24], 13),
      weight('fc.b', [6], 14),
      floatTensor('zero', [], [0]),
      floatTensor('six', [], [6]),
    ],
  });
}

/** Moves weights and scales far in a few steps; no sample is spared to judge by, so that the last weights are kept. */
const hot = { learningRate: 0.01, epochs: 12, batch: 4 };
const keepingLast = (gathering: Gathering): Gathering => ({
  ...gathering,
  training: { ...gathering.training!, tune: null },
});

async function answers(given: Model, fused: boolean, feedsFrom: Model): Promise<Float32Array[]> {
  const session = await openSession(await encode(given), { threads: 1, level: fused ? 'all' : 'disabled' });
  const found: Float32Array[] = [];
  for (let seed = 20; seed < 40; seed++)
    found.push(Object.values(await session.run(feedsOf(feedsFrom, seed)))[0]!.data as Float32Array);
  await session.close();
  return found;
}

describe('the exported integer model is the one that was trained', () => {
  test.each([8, 4, 2].flatMap((weightBits) => [true, false].map((perChannel) => ({ weightBits, perChannel }))))(
    '$weightBits bits, per channel: $perChannel',
    async (params) => {
      const given = residual();
      const steps = [{ method: 'qat', params: { ...params, ...hot } }];
      await withCut(
        kernels,
        given,
        steps,
        async ({ taken }, folder, workshop) => {
          const exported = await answers(taken.subject.model, true, given);
          const graph = await trainedGraph(given, { ...params, ...hot }, workshop);
          const { signal } = new AbortController();
          const began = await startGrid(kernels, graph.first.order, graph.first.bits, signal);
          expect(graph.scales).not.toEqual(began.scales);
          const trained = await answers(graph.model, false, given);
          const all = trained.flatMap((one) => [...one]);
          const step = (Math.max(...all) - Math.min(...all)) / 255;
          const far = exported.flatMap((one, i) => [...one].map((y, at) => Math.abs(y - trained[i]![at]!)));
          expect(Math.max(...far)).toBeLessThan(step);
          expect(far.filter((one) => one < step / 100).length / far.length).toBeGreaterThan(0.9);
          expect(taken.subject.sites.map(({ bits }) => bits)).toEqual(Array(4).fill(params.weightBits));
          await write(taken.subject.model, { folder, file: 'exported.onnx' });
          const { fused, floats } = await readOptimised(join(folder, 'exported.onnx'), folder);
          expect(floats).toEqual([]);
          expect(fused).toMatchObject({ 'com.microsoft:QLinearConv': 3, 'com.microsoft:QGemm': 1 });
        },
        undefined,
        keepingLast,
      );
    },
  );
});

test('with float activations the packed weights are the trained ones, and what was pruned stays pruned', async () => {
  const given = tinyMlp();
  const values = (await readFloats(given.graph.initializers.get('fc1.weight')!)).map((one, i) => (i % 3 ? one : 0));
  const pruned = { ...given, graph: withInitializers(given.graph, [floatTensor('fc1.weight', [64, 96], values)]) };
  const steps = [{ method: 'qat', params: { ...hot, weightBits: 4, activationBits: 0, kernel: 'float32' } }];
  await withCut(
    kernels,
    pruned,
    steps,
    async ({ taken }) => {
      const back = await reconstructed(pruned, taken.subject.sites);
      const weights = await readFloats(back.graph.initializers.get('fc1.weight')!);
      expect(weights.every((one, i) => i % 3 !== 0 || one === 0)).toBe(true);
      expect(Math.max(...weights.map((one, i) => Math.abs(one - values[i]!)))).toBeGreaterThan(0.03);
    },
    undefined,
    keepingLast,
  );
});

describe.each([4, 2].flatMap((weightBits) => [8, 0].map((activationBits) => ({ weightBits, activationBits }))))(
  '$weightBits-bit weights, $activationBits-bit activations',
  (bits) => {
    test.each(['tiny-conv', 'tiny-lm', 'odd-gemms', 'tiny-lstm'])('%s: sizes as told', async (name) => {
      const given = subjects[name]!();
      const steps = [{ method: 'qat', params: { ...bits, epochs: 1, groupSize: 16 } }];
      const sizes = ({ taken }: CutModel) => taken.subject.sites.map((site) => [site.name, site.bits, site.bytes]);
      const foretold = sizes(await foretell(given, steps));
      expect(await withCut(kernels, given, steps, async (cut) => sizes(cut))).toEqual(foretold);
    });

    test('the same bytes for the same seed', async () => {
      const cut = () =>
        withCut(
          kernels,
          residual(),
          [{ method: 'qat', params: { ...bits, ...hot, epochs: 1 } }],
          async ({ taken }) => Buffer.from(await encode(taken.subject.model)).toString('base64'),
          undefined,
          keepingLast,
        );
      const first = await cut();
      expect((await cut()) === first).toBe(true);
    });
  },
);

describe('refuses', () => {
  const reasons = async (given: Model, params: object) => {
    const subject = await subjectOf(given);
    return subject.sites.map(
      (site) => qat.fits(subject, site, withDefaults(qat.card, params as never))?.sentence ?? null,
    );
  };

  test('what integers cannot compute, and takes it with float activations', async () => {
    expect(await reasons(tinyLm(), {})).toEqual([
      '/embed/Gather: A table is looked up, not multiplied.',
      null,
      expect.any(Object),
    ]);
    expect((await reasons(tinyLm(), { activationBits: 0 })).slice(0, 2)).toEqual([null, null]);
    expect((await reasons(tinyLstm(), {})).every((one) => /The runtime has no integer LSTM\./.test(one ?? ''))).toBe(
      true,
    );
    expect((await reasons(tinyLstm(), { activationBits: 0 })).filter((one) => one === null)).not.toEqual([]);
  });

  test('what has no gradient', async () => {
    for (const sentence of await reasons(tinyIf(), { activationBits: 0 }))
      expect(sentence).toMatch(/branch|fewer|takes/);
  });

  test('several settings of what layers share, and several grids for one weight', async () => {
    const cut = (step: object) => withCut(kernels, tinyMlp(), [{ method: 'qat', ...step }], async () => {});
    await expect(cut({ overrides: { '/fc2*': { epochs: 2 } } })).rejects.toMatchObject({
      refusal: { code: 'bad-recipe', sentence: expect.stringContaining('epochs of qat is one for all layers') },
    });
    await cut({ params: { epochs: 1 }, overrides: { '/fc2*': { weightBits: 4 } } });
    const tied = { params: { epochs: 1, activationBits: 0 }, overrides: { '/head*': { weightBits: 4 } } };
    await expect(withCut(kernels, tinyLm(), [{ method: 'qat', ...tied }], async () => {})).rejects.toMatchObject({
      refusal: { code: 'bad-recipe', sentence: expect.stringContaining('is one weight') },
    });
  });
});
