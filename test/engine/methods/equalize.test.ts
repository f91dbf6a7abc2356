// Cross-layer equalization: answers stay, ranges meet, and what per-tensor scales lost comes back.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withInitializers } from '../../../src/engine/graph/edit';
import { elementCount, type Model, type Tensor } from '../../../src/engine/graph/graph';
import { type LayerSite, listLayers } from '../../../src/engine/graph/layers';
import { floatTensor, numbersOf, readFloats } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { channelsOf, clustersOf, everyRun, viewOf } from '../../../src/engine/methods/cutting/equalization';
import { type Joint, jointsOf } from '../../../src/engine/methods/cutting/joints';
import { openSubject } from '../../../src/engine/open';
import { subjectOf } from '../../../src/engine/recipe-steps';
import type { Feeds } from '../../../src/engine/runtime/session';
import { readFeed } from '../../conformance/cases';
import { hasTestData, testData } from '../../data';
import { model, node, randomNumbers, randomWeights, tinyConv, tinyMlp, value } from '../models';
import { feedsOf, foretell, withCut } from './bench';
import { accuracy, answers, argmax, decibels, fakeQuantized, held, mnist } from './fake';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const equalized = (given: Model, criterion: 'ranges' | 'noise' = 'ranges'): Promise<Model> =>
  withCut(kernels, given, [{ method: 'equalize', params: { criterion } }], ({ taken }) => held(taken.subject.model));

const opened = async (path: string): Promise<Model> => (await openSubject(testData(`models/${path}`))).subject.model;

/** The largest weight of each channel on either side of a joint. */
async function ranges(joint: Joint): Promise<{ made: Float64Array; read: Float64Array }> {
  const made = new Float64Array(joint.channels);
  const read = new Float64Array(joint.channels);
  const widest = (weights: Float32Array, at: number, taps: number): number =>
    Math.max(...weights.subarray(at, at + taps).map(Math.abs));
  for (const site of joint.makers) {
    const [weights, view] = [await readFloats(site.tensor), viewOf(site)];
    everyRun(view, (row, _, at) => {
      made[row] = Math.max(made[row]!, widest(weights, at, view.taps));
    });
  }
  for (const { site } of joint.readers) {
    const [weights, view] = [await readFloats(site.tensor), viewOf(site)];
    const channel = channelsOf(joint, site);
    everyRun(view, (_, input, at) => {
      read[channel(input)] = Math.max(read[channel(input)]!, widest(weights, at, view.taps));
    });
  }
  return { made, read };
}

/** I6: the largest weight of every output is that of the input it feeds. The largest relative difference. */
async function apart(of: Model): Promise<number> {
  let most = 0;
  for (const joint of jointsOf(await subjectOf(of)).list) {
    const { made, read } = await ranges(joint);
    for (let i = 0; i < made.length; i++)
      if (made[i]! > 0 && read[i]! > 0) most = Math.max(most, Math.abs(Math.log(made[i]! / read[i]!)));
  }
  return most;
}

/** Channels of every joint multiplied by 2^U(−6, 6) where they are made and divided by it where they are read: the same function. */
async function distorted(given: Model, seed: number): Promise<Model> {
  const next = randomNumbers(seed);
  const changed = new Map<Tensor, Float32Array>();
  const scale = async (tensor: Tensor, each: (values: Float32Array) => void): Promise<void> => {
    const values = changed.get(tensor) ?? (await readFloats(tensor));
    each(values);
    changed.set(tensor, values);
  };
  for (const joint of jointsOf(await subjectOf(given)).list) {
    const factors = Float64Array.from({ length: joint.channels }, () => 2 ** (12 * next() - 6));
    const runs = (site: LayerSite, factor: (row: number, input: number) => number) =>
      scale(site.tensor, (weights) => {
        const view = viewOf(site);
        everyRun(view, (row, input, at) => {
          for (let t = 0; t < view.taps; t++) weights[at + t] = weights[at + t]! * factor(row, input);
        });
      });
    for (const site of joint.makers) await runs(site, (row) => factors[row]!);
    for (const { site } of joint.readers) {
      const channel = channelsOf(joint, site);
      await runs(site, (_, input) => 1 / factors[channel(input)]!);
    }
    for (const bias of joint.biases)
      await scale(bias, (values) => {
        for (let i = 0; i < values.length; i++) values[i] = values[i]! * factors[i]!;
      });
  }
  const tensors = [...changed].map(([{ name, dims }, values]) => floatTensor(name, dims, values));
  return { ...given, graph: withInitializers(given.graph, tensors) };
}

async function nearness(is: Model, should: Model, feeds: Feeds): Promise<number> {
  const [a, b] = [await answers(is, feeds), await answers(should, feeds)];
  let most = 0;
  for (const [name, values] of Object.entries(b)) {
    const size = values.reduce((widest, one) => Math.max(widest, Math.abs(one)), 0);
    for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]! - a[name]![i]!) / size);
  }
  return most;
}

/** Everything channels can be followed through: leaky and learned slopes, pools, means, a transpose before flattening. */
function winding(): Model {
  const weight = (name: string, dims: number[], seed: number): Tensor =>
    floatTensor(name, dims, randomWeights(elementCount(dims), 1 / Math.sqrt(elementCount(dims.slice(1))), seed));
  const pads = [1, 1, 1, 1];
  return model({
    name: 'winding',
    inputs: [value('x', 'float32', [2, 3, 8, 8])],
    outputs: [value('y', 'float32', [2, 5])],
    nodes: [
      node('Conv', ['x', 'a.w', 'a.b'], ['a'], { kernel_shape: [3, 3], pads }),
      node('LeakyRelu', ['a'], ['a1'], { alpha: 0.1 }),
      node('MaxPool', ['a1'], ['a2'], { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Conv', ['a2', 'b.w'], ['b'], { kernel_shape: [3, 3], pads, group: 4 }),
      node('Add', ['b.b', 'b'], ['b1']),
      node('PRelu', ['b1', 'slope'], ['b2']),
      node('Conv', ['b2', 'c.w'], ['c'], { kernel_shape: [1, 1] }),
      node('Relu', ['c'], ['c1']),
      node('AveragePool', ['c1'], ['c2'], { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Transpose', ['c2'], ['c3'], { perm: [0, 2, 3, 1] }),
      node('Reshape', ['c3', 'flat'], ['c4']),
      node('MatMul', ['c4', 'd.w'], ['d']),
      node('Add', ['d', 'd.b'], ['d1']),
      node('Relu', ['d1'], ['d2']),
      node('Gemm', ['d2', 'e.w', 'e.b'], ['y'], { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
    ],
    initializers: [
      weight('a.w', [8, 3, 3, 3], 1),
      weight('a.b', [8], 2),
      weight('b.w', [8, 2, 3, 3], 3),
      weight('b.b', [8, 1, 1], 4),
      weight('slope', [8, 1, 1], 5),
      weight('c.w', [6, 8, 1, 1], 6),
      weight('d.w', [24, 7], 7),
      weight('d.b', [7], 8),
      weight('e.w', [5, 7], 9),
      weight('e.b', [5], 10),
      {
        name: 'flat',
        dtype: 'int64',
        dims: [2],
        data: { kind: 'bytes', bytes: new Uint8Array(BigInt64Array.of(2n, 24n).buffer) },
      },
    ],
  });
}

describe('small models', () => {
  const subjects = { winding: winding(), 'tiny-conv': tinyConv(), 'tiny-mlp': tinyMlp() };
  test.each(Object.entries(subjects))('%s: the function stays, ranges meet (I5, I6)', async (_, given) => {
    const rough = await distorted(given, 5);
    expect(await nearness(rough, given, feedsOf(given))).toBeLessThan(1e-5);
    expect(await apart(rough)).toBeGreaterThan(1);
    const smooth = await equalized(rough);
    expect(await nearness(smooth, given, feedsOf(given))).toBeLessThan(1e-5);
    expect(await apart(smooth)).toBeLessThan(1e-6);
    // From there on to the least noise: the function stays.
    expect(await nearness(await equalized(rough, 'noise'), given, feedsOf(given))).toBeLessThan(1e-5);
  });

  test('every joint of the winding model is found', async () => {
    const { list } = jointsOf(await subjectOf(winding()));
    expect(list.map(({ makers, readers }) => [makers[0]!.op, readers[0]!.site.op, readers[0]!.inner])).toEqual([
      ['Conv', 'Conv', 1],
      ['Conv', 'Conv', 1],
      ['Conv', 'MatMul', 1],
      ['MatMul', 'Gemm', 1],
    ]);
    expect(clustersOf(list).map(({ layers }) => layers.length)).toEqual([5]);
    // Parted where it would not fit, each part balanced alone.
    expect(clustersOf(list, 500).map(({ layers }) => layers.length)).toEqual([3, 2]);
  });

  test('layers without a partner are refused with what stands between', async () => {
    const { taken } = await foretell(tinyMlp(), [{ method: 'equalize', layers: { include: ['/fc1/*'] } }]);
    expect(taken.records.get('/fc1/MatMul')?.refusal?.sentence).toBe(
      '/fc1/MatMul: It shares its channels with /fc2/Gemm; take all or none.',
    );
    const soft = winding();
    const nodes = soft.graph.nodes.map((one) => (one.op === 'PRelu' ? node('Sigmoid', ['b1'], ['b2']) : one));
    const { taken: then } = await foretell({ ...soft, graph: { ...soft.graph, nodes } }, [
      { method: 'equalize', layers: { include: ['Conv_b', 'Gemm_y'] } },
    ]);
    const said = (name: string) => then.records.get(name)?.refusal?.sentence;
    expect(said('Conv_b')).toBe('Conv_b: It shares its channels with Conv_a; take all or none.');
    expect(said('Gemm_y')).toBe('Gemm_y: It shares its channels with MatMul_d; take all or none.');
  });
});

describe.skipIf(!hasTestData)('real models', { timeout: 30_000 }, () => {
  test('mnist-cnn: channels apart by 2^±6 ruin per-tensor int8; equalized it is back, left alone it is not', async () => {
    const given = await opened('mnist-cnn-ext/model.onnx');
    const { pixels, labels } = mnist(0, 1000);
    const feeds: Feeds = { input: { dtype: 'float32', dims: [1000, 1, 28, 28], data: pixels } };
    const score = async (of: Model) => accuracy((await answers(of, feeds)).output!, labels);
    const rough = await distorted(given, 3);
    const float = await score(given);
    const ruined = await score(await fakeQuantized(rough, 8, 'tensor'));
    const mended = await score(await fakeQuantized(await equalized(rough), 8, 'tensor'));
    console.info(`mnist-cnn: float ${float}, apart and per tensor ${ruined}, equalized ${mended}`);
    expect(await score(rough)).toBeGreaterThan(float - 0.002);
    expect(ruined).toBeLessThan(float - 0.05);
    expect(mended).toBeGreaterThan(float - 0.015);
  });

  describe('ultraface', () => {
    const golden = async (): Promise<Feeds> => {
      const file = testData('models/ultraface/golden_RFB-320/test_data_set_0/input_0.pb');
      const { dims, bytes } = (await readFeed(readFileSync(file)))!;
      return {
        input: { dtype: 'float32', dims, data: numbersOf('float32', elementCount(dims), bytes!, file) as Float32Array },
      };
    };

    test('the function stays, ranges meet, the layers keep their names', async () => {
      const given = await opened('ultraface/RFB-320.onnx');
      const smooth = await equalized(given);
      const error = await nearness(smooth, given, await golden());
      const unequal = await apart(smooth);
      console.info(`ultraface: ${error} relative, I6 to ${unequal}`);
      expect(error).toBeLessThan(1e-5);
      expect(unequal).toBeLessThan(1e-6);
      expect(await nearness(await equalized(given, 'noise'), given, await golden())).toBeLessThan(1e-5);
      expect(listLayers(smooth).map(({ name }) => name)).toEqual(listLayers(given).map(({ name }) => name));
    });

    test('equalization wins back at least half of the decibels between per-tensor and per-channel scales', async () => {
      const given = await opened('ultraface/RFB-320.onnx');
      const smooth = await equalized(given);
      const feeds = await golden();
      const should = await answers(given, feeds);
      // One grid is one throw of the dice: test/prove/equalization.prove.ts takes many, and the other criterion too.
      for (const bits of [8, 6]) {
        const loss = async (of: Model, scheme: 'tensor' | 'channel') => {
          const is = await answers(await fakeQuantized(of, bits, scheme), feeds);
          return Object.keys(should).map((name) => decibels(is[name]!, should[name]!));
        };
        const [tensor, channel, mended] = [
          await loss(given, 'tensor'),
          await loss(given, 'channel'),
          await loss(smooth, 'tensor'),
        ];
        const show = (list: number[]) => list.map((one) => one.toFixed(1)).join('/');
        console.info(
          `ultraface, ${bits} bits: per tensor ${show(tensor)} dB, equalized ${show(mended)}, per channel ${show(channel)}`,
        );
        // Six bits round so coarsely that one output alone is a matter of luck: there the two together count.
        const share = (i: number) => (mended[i]! - tensor[i]!) / (channel[i]! - tensor[i]!);
        const all = (list: number[]) => list.reduce((sum, one) => sum + one, 0);
        expect((all(mended) - all(tensor)) / (all(channel) - all(tensor))).toBeGreaterThanOrEqual(0.5);
        if (bits === 8) for (const i of [0, 1]) expect(share(i)).toBeGreaterThanOrEqual(0.5);
      }
    });

    test('channels apart by 2^±6: per-tensor int8 finds other faces; equalized it finds the same', async () => {
      const given = await opened('ultraface/RFB-320.onnx');
      const feeds = await golden();
      const should = await answers(given, feeds);
      const rough = await distorted(given, 11);
      // The share of anchors that are called as before, over the two classes.
      const agreement = async (of: Model) => {
        const { scores } = await answers(of, feeds);
        const rows = scores!.length / 2;
        let same = 0;
        for (let i = 0; i < rows; i++)
          if (argmax(scores!.subarray(2 * i, 2 * i + 2)) === argmax(should.scores!.subarray(2 * i, 2 * i + 2))) same++;
        return { share: same / rows, db: decibels(scores!, should.scores!) };
      };
      const ruined = await agreement(await fakeQuantized(rough, 8, 'tensor'));
      const mended = await agreement(await fakeQuantized(await equalized(rough, 'noise'), 8, 'tensor'));
      console.info('ultraface apart:', ruined, 'equalized:', mended);
      expect(mended.share).toBeGreaterThan(1 - 0.015);
      expect(mended.db).toBeGreaterThan(ruined.db + 20);
    });
  });
});
