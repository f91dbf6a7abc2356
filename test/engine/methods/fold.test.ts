// BatchNormalization goes into the layers beside it, wherever it stands; what cannot be folded stays and is told.
import { describe, expect, test } from 'vitest';
import type { Model, Tensor } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { foldBatchNorms } from '../../../src/engine/methods/cutting/fold';
import { keptNorms } from '../../../src/engine/methods/cutting/fold-find';
import { hollowWorkshop, type Workshop } from '../../../src/engine/methods/cutting/workshop';
import { subjectOf } from '../../../src/engine/recipe-steps';
import { model, node, randomWeights, value } from '../models';
import { feedsOf } from './bench';
import { answers, decibels } from './fake';

const workshop: Workshop = {
  ...hollowWorkshop(),
  make: async (_, compute) => ({ kind: 'bytes', bytes: await compute() }),
};

const weight = (name: string, dims: number[], seed: number): Tensor =>
  floatTensor(
    name,
    dims,
    randomWeights(
      dims.reduce((a, b) => a * b, 1),
      0.3,
      seed,
    ),
  );
const statistics = (name: string, channels: number): Tensor[] => [
  weight(`${name}.gamma`, [channels], 11),
  weight(`${name}.beta`, [channels], 12),
  weight(`${name}.mean`, [channels], 13),
  floatTensor(
    `${name}.variance`,
    [channels],
    randomWeights(channels, 1, 14).map((one) => one * one + 0.1),
  ),
];
const norm = (from: string, to: string, name = 'n') =>
  node('BatchNormalization', [from, ...['gamma', 'beta', 'mean', 'variance'].map((one) => `${name}.${one}`)], [to]);

const picture = value('x', 'float32', [2, 8, 6, 6]);
const row = value('x', 'float32', [4, 8]);
const onRows = (nodes: Parameters<typeof model>[0]['nodes'], ...more: Tensor[]): Model =>
  model({
    inputs: [row],
    outputs: [value('y')],
    nodes,
    initializers: [...statistics('n', 8), weight('w', [8, 8], 1), weight('b', [8], 2), ...more],
  });
const onPictures = (nodes: Parameters<typeof model>[0]['nodes'], ...more: Tensor[]): Model =>
  model({
    inputs: [picture],
    outputs: [value('y')],
    nodes,
    initializers: [
      ...statistics('n', 8),
      ...statistics('m', 8),
      weight('w', [8, 8, 3, 3], 1),
      weight('d', [8, 2, 3, 3], 2),
      ...more,
    ],
  });
const window = { kernel_shape: [3, 3] };

async function fold(given: Model) {
  const subject = await subjectOf(given);
  const chosen = new Set(subject.sites.map(({ name }) => name));
  const { subject: after, folded } = await foldBatchNorms(subject, chosen, workshop);
  const norms = after.model.graph.nodes.filter(({ op }) => op === 'BatchNormalization').length;
  const [is, should] = [await answers(after.model, feedsOf(given)), await answers(given, feedsOf(given))];
  expect(after.sites.map(({ name }) => name)).toEqual(subject.sites.map(({ name }) => name));
  return {
    norms,
    folded: folded.size,
    kept: keptNorms(after, chosen).map(({ sentence }) => sentence),
    decibels: decibels(is.y!, should.y!),
  };
}

const places: Record<string, () => Model> = {
  'behind Conv': () => onPictures([node('Conv', ['x', 'w'], ['c'], window), norm('c', 'y')]),
  'before Conv': () => onPictures([norm('x', 'c'), node('Conv', ['c', 'w'], ['y'], window)]),
  'before Conv in groups': () => onPictures([norm('x', 'c'), node('Conv', ['c', 'd'], ['y'], { ...window, group: 4 })]),
  'on both sides of Conv': () =>
    onPictures([norm('x', 'a'), node('Conv', ['a', 'w'], ['c'], window), norm('c', 'y', 'm')]),
  'behind Gemm': () =>
    onRows([
      node('Gemm', ['x', 'w', 'b'], ['g'], { transB: 1, alpha: { float: 0.5 }, beta: { float: 3 } }),
      norm('g', 'y'),
    ]),
  'before Gemm': () =>
    onRows([norm('x', 'g'), node('Gemm', ['g', 'w', 'b'], ['y'], { alpha: { float: 0.5 }, beta: { float: 3 } })]),
  'behind MatMul': () => onRows([node('MatMul', ['x', 'w'], ['g']), norm('g', 'y')]),
  'behind MatMul and its bias': () =>
    onRows([node('MatMul', ['x', 'w'], ['g']), node('Add', ['b', 'g'], ['h']), norm('h', 'y')]),
  'before MatMul and its bias': () =>
    onRows([norm('x', 'n'), node('MatMul', ['n', 'w'], ['g']), node('Add', ['g', 'b'], ['y'])]),
};

describe('folded', () => {
  test.each(Object.entries(places))('%s', async (_, given) => {
    const seen = await fold(given());
    expect(seen).toMatchObject({ norms: 0, folded: 1, kept: [] });
    expect(seen.decibels).toBeGreaterThan(110);
  });

  test('between two layers it goes into the first, once', async () => {
    const seen = await fold(
      onPictures([
        node('Conv', ['x', 'w'], ['a'], window),
        norm('a', 'b'),
        node('Conv', ['b', 'd'], ['y'], { ...window, group: 4 }),
      ]),
    );
    expect(seen).toMatchObject({ norms: 0, folded: 1 });
    expect(seen.decibels).toBeGreaterThan(110);
  });
});

const stays: Record<string, readonly [() => Model, RegExp]> = {
  'before a convolution that pads': [
    () => onPictures([norm('x', 'c'), node('Conv', ['c', 'w'], ['y'], { ...window, pads: [1, 1, 1, 1] })]),
    /stays in float beside it: the zeros that the convolution pads with come after it\.$/,
  ],
  'before a ReLU': [
    () => onPictures([norm('x', 'c'), node('Relu', ['c'], ['r']), node('Conv', ['r', 'w'], ['y'], window)]),
    /Relu stands between\.$/,
  ],
  'where the value before is used twice': [
    () => onPictures([node('Conv', ['x', 'w'], ['c'], window), norm('c', 'n'), node('Add', ['n', 'c'], ['y'])]),
    /what it normalises is used elsewhere too\.$/,
  ],
  'behind a product of rank 3, where it runs along another axis': [
    () => ({ ...onRows([node('MatMul', ['x', 'w'], ['g']), norm('g', 'y')]), ...rank3() }),
    /stays in float/,
  ],
};

function rank3(): Pick<Model, 'graph'> {
  const { graph } = onRows([node('MatMul', ['x', 'w'], ['g']), norm('g', 'y')]);
  return { graph: { ...graph, inputs: [value('x', 'float32', [2, 8, 8])] } };
}

test.each(Object.entries(stays))('stays, and is told: %s', async (_, [given, sentence]) => {
  const seen = await fold(given());
  expect(seen).toMatchObject({ norms: 1, folded: 0, decibels: Infinity });
  expect(seen.kept).toEqual([expect.stringMatching(sentence)]);
});
