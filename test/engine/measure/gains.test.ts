// Gains: how an error in one channel arrives at the outputs, against what a perturbed model shows.
import { expect, test } from 'vitest';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { gainsOf } from '../../../src/engine/measure/gains';
import { subjectOf } from '../../../src/engine/recipe-steps';
import { answers } from '../methods/fake';
import { model, node, randomWeights, value } from '../models';

const weight = (name: string, dims: number[], seed: number) =>
  floatTensor(
    name,
    dims,
    randomWeights(
      dims.reduce((a, b) => a * b, 1),
      0.5,
      seed,
    ),
  );

const gains = async (given: Model, name: string) => {
  const { model: one, shapes } = await subjectOf(given);
  return (await gainsOf(one.graph, shapes)).get(name)!;
};

/** Energy at the outputs of a linear model, of an input that is zero but for `put`. */
async function energy(given: Model, dims: number[], put: (x: Float32Array) => void): Promise<number> {
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  put(data);
  const made = await answers(given, { x: { dtype: 'float32', dims, data } });
  return Object.values(made).reduce((all, values) => all + values.reduce((sum, one) => sum + one * one, 0), 0);
}

test('through one product exactly, in either order of storage', async () => {
  const dims = [1, 6];
  for (const [op, shape, attributes] of [
    ['MatMul', [6, 4], {}],
    ['Gemm', [4, 6], { transB: 1 }],
  ] as const) {
    const given = model({
      inputs: [value('x', 'float32', dims)],
      outputs: [value('y')],
      nodes: [node(op, ['x', 'w'], ['y'], attributes)],
      initializers: [weight('w', [...shape], 1)],
    });
    const { varying } = await gains(given, 'x');
    for (let k = 0; k < 6; k++) expect(varying[k]!).toBeCloseTo(await energy(given, dims, (x) => (x[k] = 1)), 5);
  }
});

test('through convolutions in groups, a Concat and a sum: an error at one place, and one that is the same at every place', async () => {
  const dims = [1, 4, 24, 24];
  const given = model({
    inputs: [value('x', 'float32', dims)],
    outputs: [value('y')],
    nodes: [
      node('Conv', ['x', 'a'], ['c'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: 2 }),
      node('Concat', ['c', 'x'], ['k'], { axis: 1 }),
      node('Conv', ['k', 'b'], ['y'], { kernel_shape: [1, 1] }),
    ],
    initializers: [weight('a', [4, 2, 3, 3], 1), weight('b', [4, 8, 1, 1], 2)],
  });
  const known = await gains(given, 'k');
  const inner = { ...given, graph: { ...given.graph, nodes: given.graph.nodes.slice(2) } };
  const last: Model = { ...inner, graph: { ...inner.graph, inputs: [value('k', 'float32', [1, 8, 24, 24])] } };
  const data = new Float32Array(8 * 576);
  data[3 * 576 + 300] = 1;
  const { y } = await answers(last, { k: { dtype: 'float32', dims: [1, 8, 24, 24], data } });
  expect(known.varying[3]!).toBeCloseTo(
    y!.reduce((sum, one) => sum + one * one, 0),
    5,
  );
  // One layer alone, away from the padding: the taps add up where the error is the same everywhere.
  const single: Model = {
    ...given,
    graph: { ...given.graph, nodes: given.graph.nodes.slice(0, 1), outputs: [value('c')] },
  };
  const alone = await gains(single, 'x');
  const place = await energy(single, dims, (x) => (x[576 + 300] = 1));
  expect(alone.varying[1]!).toBeCloseTo(place, 4);
  const everywhere = await energy(single, dims, (x) => x.fill(1, 576, 2 * 576));
  expect(everywhere / 576 / alone.constant[1]!).toBeGreaterThan(0.8);
  expect(everywhere / 576 / alone.constant[1]!).toBeLessThan(1.3);
});

test('a flattened picture: the mean of what its places feed', async () => {
  const dims = [1, 3, 2, 2];
  const given = model({
    inputs: [value('x', 'float32', dims)],
    outputs: [value('y')],
    nodes: [node('Flatten', ['x'], ['f']), node('MatMul', ['f', 'w'], ['y'])],
    initializers: [weight('w', [12, 5], 1)],
  });
  const known = await gains(given, 'x');
  expect(known.axis).toBe(1);
  for (let c = 0; c < 3; c++) {
    let all = 0;
    for (let p = 0; p < 4; p++) all += await energy(given, dims, (x) => (x[4 * c + p] = 1));
    expect(known.varying[c]!).toBeCloseTo(all / 4, 5);
  }
});
