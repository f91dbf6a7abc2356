// Cross-layer equalization of small models: answers stay, ranges meet, and what cannot be equalized says why.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elementCount, type Model, type Tensor } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { clustersOf } from '../../../src/engine/methods/cutting/equalization';
import { jointsOf } from '../../../src/engine/methods/cutting/joints';
import { subjectOf } from '../../../src/engine/recipe-steps';
import { model, node, randomWeights, tinyConv, tinyMlp, value } from '../models';
import { feedsOf, foretell } from './bench';
import { apart, distorted, equalizing, nearness } from './torn';

let kernels: Kernels;
let equalized: ReturnType<typeof equalizing>;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
  equalized = equalizing(kernels);
});
afterAll(() => kernels.close());

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
