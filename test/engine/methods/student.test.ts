// Students that are copies: what is left out of them is what the weights say, sizes come out as told, and what cannot be copied smaller is refused.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withInitializers } from '../../../src/engine/graph/edit';
import type { Model } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { floatTensor, readFloats } from '../../../src/engine/graph/tensor';
import { verify } from '../../../src/engine/graph/verify';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { studentOf, whyNoStudent } from '../../../src/engine/methods/cutting/student';
import { hollowWorkshop, kernelWorkshop } from '../../../src/engine/methods/cutting/workshop';
import { subjectOf } from '../../../src/engine/recipe-steps';
import { model, node, randomWeights, tinyConv, tinyIf, value } from '../models';
import { mobileNet, residualNet, smallCnn, tinyLlama, transformerBlock } from '../train/networks';
import { feedsOf, tinyLstm } from './bench';
import { answers } from './fake';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const inMemory = {
  async once(_: string, make: () => Promise<{ parts: readonly (Uint8Array | null)[]; loss: null }>) {
    const { parts } = await make();
    return { parts: parts.map((bytes) => bytes && { kind: 'bytes' as const, bytes }), loss: null };
  },
};
const thinner = (width = 0.5) => ({ student: 'thinner', width, depth: 0.5 });
const shallower = (depth = 0.5) => ({ student: 'shallower', width: 0.5, depth });

/** The student with its weights; its sizes are those that were told without computing anything. */
async function made(given: Model, params: ReturnType<typeof thinner>): Promise<Model> {
  const subject = await subjectOf(given);
  expect(whyNoStudent(subject, params)).toBeNull();
  const told: number[] = [];
  const hollow = await studentOf(
    subject,
    params,
    hollowWorkshop(undefined, (length) => told.push(length)),
  );
  const workshop = kernelWorkshop(kernels, inMemory as never, new AbortController().signal);
  const student = await studentOf(subject, params, workshop);
  expect(verify(student.subject.model)).toEqual([]);
  const sizes = ({ subject: { sites } }: typeof student) => sites.map(({ name, shape, bytes }) => [name, shape, bytes]);
  expect(sizes(student)).toEqual(sizes(hollow));
  return student.subject.model;
}

/** All but the first half of the channels of these layers say nothing: weights and biases of the others are zero. */
async function halfSilent(given: Model, layers: readonly string[], axis = 0): Promise<Model> {
  const tensors = [];
  for (const layer of layers) {
    for (const part of ['weight', 'bias', 'norm.weight', 'norm.bias']) {
      const tensor = given.graph.initializers.get(`${layer}.${part}`);
      if (!tensor) continue;
      const values = (await readFloats(tensor)).slice();
      const own = tensor.dims.length === 1 ? 0 : axis;
      const inner = tensor.dims.slice(own + 1).reduce((a, b) => a * b, 1);
      const channels = tensor.dims[own]!;
      for (let i = 0; i < values.length; i++) if (Math.floor(i / inner) % channels >= channels / 2) values[i] = 0;
      tensors.push(floatTensor(tensor.name, tensor.dims, values));
    }
  }
  return { ...given, graph: withInitializers(given.graph, tensors) };
}

const silent = (given: Model, names: readonly string[]): Model => ({
  ...given,
  graph: withInitializers(
    given.graph,
    names.map((name) => {
      const { dims } = given.graph.initializers.get(name)!;
      return floatTensor(name, dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));
    }),
  ),
});

async function expectSame(one: Model, other: Model): Promise<void> {
  const feeds = feedsOf(one, 8);
  const [a, b] = [await answers(one, feeds), await answers(other, feeds)];
  for (const [name, values] of Object.entries(a))
    for (let i = 0; i < values.length; i++) expect(b[name]![i]).toBeCloseTo(values[i]!, 4);
}
const count = (given: Model): number => listLayers(given).reduce((sum, { parameters }) => sum + parameters, 0);

describe('a thinner copy', () => {
  it('answers the same where the channels it leaves out say nothing: a chain with a Flatten', async () => {
    const given = await halfSilent(smallCnn({ size: 8 }), ['conv1', 'conv2']);
    const student = await made(given, thinner());
    expect(student.graph.initializers.get('conv2.weight')!.dims).toEqual([32, 16, 3, 3]);
    expect(student.graph.initializers.get('fc.weight')!.dims).toEqual([10, 32 * 4]);
    await expectSame(given, student);
  });

  it('takes depthwise filters and batch norms along', async () => {
    const stages = [1, 2, 3, 4, 5].flatMap((at) => [`block${at}.depthwise`, `block${at}.pointwise`]);
    const given = await halfSilent(mobileNet({ width: 0.25, size: 8 }), ['stem', ...stages]);
    const student = await made(given, thinner());
    expect(student.graph.initializers.get('block1.depthwise.weight')!.dims).toEqual([4, 1, 3, 3]);
    expect(count(student)).toBeLessThan(0.31 * count(given));
    await expectSame(given, student);
  });

  it('keeps the channels where branches meet, and narrows what lies between', async () => {
    const given = await halfSilent(residualNet({ width: 8, size: 8 }), ['layer1.0.conv1', 'layer1.1.conv1']);
    const student = await made(given, thinner());
    expect(student.graph.initializers.get('layer1.0.conv1.weight')!.dims).toEqual([4, 8, 3, 3]);
    expect(student.graph.initializers.get('layer1.0.conv2.weight')!.dims).toEqual([8, 4, 3, 3]);
    const mlp = await halfSilent(transformerBlock({ width: 16, steps: 6 }), ['up'], 1);
    const narrowed = await made(mlp, thinner());
    expect(narrowed.graph.initializers.get('up.weight')!.dims).toEqual([16, 32]);
    await expectSame(mlp, narrowed);
  });

  it('keeps the largest channels, in their order', async () => {
    const given = model({
      name: 'chain',
      inputs: [value('x', 'float32', ['n', 2])],
      outputs: [value('y', 'float32', ['n', 1])],
      nodes: [node('MatMul', ['x', 'a'], ['h']), node('Relu', ['h'], ['r']), node('MatMul', ['r', 'b'], ['y'])],
      initializers: [floatTensor('a', [2, 4], [1, -5, 0, 4, 0, 2, 1, -4]), floatTensor('b', [4, 1], [1, 2, 3, 4])],
    });
    const { initializers } = (await made(given, thinner())).graph;
    expect([...(await readFloats(initializers.get('a')!))]).toEqual([-5, 4, 2, -4]);
    expect([...(await readFloats(initializers.get('b')!))]).toEqual([2, 4]);
  });

  it('follows a Flatten over pictures whose channels were turned to the end', async () => {
    const given = await halfSilent(turnedChain(), ['conv']);
    const student = await made(given, thinner());
    expect(student.graph.initializers.get('fc')!.dims).toEqual([4 * 4 * 3, 5]);
    await expectSame(given, student);
  });

  it('is refused where no layer stands by itself', async () => {
    for (const given of [tinyLstm(), tinyIf()])
      expect(whyNoStudent(await subjectOf(given), thinner())?.sentence).toMatch(/^No layer can be narrowed/);
  });
});

/** Conv → channels to the end → Reshape → MatMul, as Keras exports them. */
function turnedChain(): Model {
  return model({
    name: 'turned',
    inputs: [value('x', 'float32', ['n', 2, 4, 4])],
    outputs: [value('y', 'float32', ['n', 5])],
    nodes: [
      node('Conv', ['x', 'conv.weight', 'conv.bias'], ['c'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
      node('Transpose', ['c'], ['t'], { perm: [0, 2, 3, 1] }),
      node('Reshape', ['t', 'sizes'], ['f']),
      node('MatMul', ['f', 'fc'], ['y']),
    ],
    initializers: [
      floatTensor('conv.weight', [6, 2, 3, 3], randomWeights(108, 0.3, 1)),
      floatTensor('conv.bias', [6], randomWeights(6, 0.3, 2)),
      floatTensor('fc', [96, 5], randomWeights(480, 0.3, 3)),
      {
        name: 'sizes',
        dtype: 'int64',
        dims: [2],
        data: { kind: 'bytes', bytes: new Uint8Array(BigInt64Array.of(-1n, 96n).buffer) },
      },
    ],
  });
}

describe('a shallower copy', () => {
  it('answers the same where the blocks it leaves out add nothing: a language model', async () => {
    const blocks = [1, 3].flatMap((layer) => [`layers.${layer}.o.weight`, `layers.${layer}.down.weight`]);
    const given = silent(tinyLlama({ layers: 4, width: 16, hidden: 24, heads: 2, steps: 8 }), blocks);
    const student = await made(given, shallower());
    const layers = listLayers(student).map(({ weight }) => weight);
    expect(layers.filter((name) => name.endsWith('.q.weight'))).toEqual(['layers.0.q.weight', 'layers.2.q.weight']);
    expect(student.graph.initializers.has('layers.1.input_norm.weight')).toBe(false);
    await expectSame(given, student);
  });

  it('of a residual network: only blocks that keep their shape go', async () => {
    const silenced = ['layer2.1', 'layer4.1'].flatMap((at) => [`${at}.conv2.norm.weight`, `${at}.conv2.norm.bias`]);
    const given = silent(residualNet({ width: 8, size: 8 }), silenced);
    const student = await made(given, shallower());
    const layers = new Set(listLayers(student).map(({ weight }) => weight));
    const gone = listLayers(given).filter(({ weight }) => !layers.has(weight));
    expect(gone.map(({ weight }) => weight)).toEqual([
      'layer2.1.conv1.weight',
      'layer2.1.conv2.weight',
      'layer4.1.conv1.weight',
      'layer4.1.conv2.weight',
    ]);
    await expectSame(given, student);
  });

  it('is refused where no two blocks are, where caches leave a block, and where branches are', async () => {
    const why = async (given: Model) => whyNoStudent(await subjectOf(given), shallower())?.sentence;
    expect(await why(tinyConv())).toMatch(/^It has no two blocks/);
    expect(await why(tinyIf())).toMatch(/branches or loops/);
    const llama = tinyLlama({ layers: 2, width: 16, hidden: 24, heads: 2, steps: 8 });
    const outputs = [...llama.graph.outputs, value('layers.1.v_y', 'float32', null)];
    expect(await why({ ...llama, graph: { ...llama.graph, outputs } })).toMatch(/^layers.1.v_y leaves the model/);
  });
});
