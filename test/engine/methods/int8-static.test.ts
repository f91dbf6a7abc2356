// Static int8 on tiny models: what the runtime fuses of each pattern, and what the numbers are then.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { write } from '../../../src/engine/formats/onnx';
import type { Model, Tensor } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { readOptimised } from '../../../src/engine/runtime/optimise';
import { openSession } from '../../../src/engine/runtime/session';
import { resnet18 } from '../../residual-net';
import { graph, type ModelParts, model, node, randomWeights, tinyIf, tinyLm, tinyMlp, value } from '../models';
import { feedsOf, foretell, tinyLstm, withCut } from './bench';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const weight = (name: string, dims: number[], seed: number, deviation = 0.2): Tensor =>
  floatTensor(
    name,
    dims,
    randomWeights(
      dims.reduce((a, b) => a * b, 1),
      deviation,
      seed,
    ),
  );

/** x[1, 8, 12, 12] → … → y: some nodes around convolutions `a` and `b` of 8 channels. */
const convs = (nodes: ModelParts['nodes'], more: Partial<ModelParts> = {}): Model =>
  model({
    inputs: [value('x', 'float32', [1, 8, 12, 12])],
    outputs: [value('y')],
    nodes,
    initializers: [
      weight('a.w', [8, 8, 3, 3], 1),
      weight('a.b', [8], 2),
      weight('b.w', [8, 8, 3, 3], 3),
      weight('d.w', [8, 1, 3, 3], 4),
      ...(more.initializers ?? []),
    ],
  });
const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
const conv = (from: string, to: string, parameters: string[], attributes = {}) =>
  node('Conv', [from, ...parameters], [to], { ...same, ...attributes }, { name: to });

interface Read {
  readonly fused: Record<string, number>;
  readonly floats: readonly string[];
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Signal to noise against the float model, dB. */
  readonly decibels: number;
}

async function cut(
  given: Model,
  params: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Promise<Read> {
  return withCut(kernels, given, [{ method: 'int8-static', params, ...more }], async ({ taken, cuts }) => {
    const folder = await mkdtemp(join(tmpdir(), 'lathe-static-'));
    try {
      const run = async (one: Model, file: string): Promise<Float32Array> => {
        await write(one, { folder, file });
        const session = await openSession(join(folder, file), { threads: 1 });
        const answer = Object.values(await session.run(feedsOf(given, 9)))[0]!.data as Float32Array;
        await session.close();
        return answer;
      };
      const [should, is] = [await run(given, 'float.onnx'), await run(taken.subject.model, 'integer.onnx')];
      const noise = should.reduce((sum, one, i) => sum + (one - is[i]!) ** 2, 0);
      const signal = should.reduce((sum, one) => sum + one * one, 0);
      const { fused, floats } = await readOptimised(join(folder, 'integer.onnx'), folder);
      const short = Object.entries(fused).map(([operator, count]) => [operator.replace('com.microsoft:', ''), count]);
      return {
        fused: Object.fromEntries(short),
        floats,
        notes: cuts.flatMap(({ notes }) => notes),
        warnings: [...taken.records.values()].flatMap(({ warnings }) => warnings),
        decibels: 10 * Math.log10(signal / noise),
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

const relu = (from: string, to: string) => node('Relu', [from], [to]);
/** `branches`: a value is used twice, and int8 activations are not fused there on x64. */
const patterns: Record<string, { given: () => Model; fused: Record<string, number>; branches?: true }> = {
  'Conv → Relu → Conv': {
    given: () => convs([conv('x', 'a', ['a.w', 'a.b']), relu('a', 'r'), conv('r', 'y', ['b.w'])]),
    fused: { QLinearConv: 2 },
  },
  'Conv → Clip(0, 6) → depthwise Conv': {
    given: () =>
      convs(
        [
          conv('x', 'a', ['a.w', 'a.b']),
          node('Clip', ['a', 'low', 'high'], ['c']),
          conv('c', 'y', ['d.w'], { group: 8 }),
        ],
        { initializers: [floatTensor('low', [], [0]), floatTensor('high', [], [6])] },
      ),
    fused: { QLinearConv: 2 },
  },
  'a sum of two convolutions': {
    given: () =>
      convs([
        conv('x', 'a', ['a.w', 'a.b']),
        conv('x', 'b', ['b.w']),
        node('Add', ['a', 'b'], ['s']),
        relu('s', 'r'),
        conv('r', 'y', ['d.w'], { group: 8 }),
      ]),
    fused: { QLinearAdd: 1, QLinearConv: 3 },
    branches: true,
  },
  'a product, LeakyRelu, Sigmoid': {
    given: () =>
      convs([
        conv('x', 'a', ['a.w', 'a.b']),
        node('Sigmoid', ['a'], ['g']),
        node('Mul', ['a', 'g'], ['m']),
        node('LeakyRelu', ['m'], ['l'], { alpha: { float: 0.1 } }),
        conv('l', 'y', ['b.w']),
      ]),
    fused: { QLinearConv: 2, QLinearLeakyRelu: 1, QLinearMul: 1, QLinearSigmoid: 1 },
    branches: true,
  },
  'pooling and Concat': {
    given: () =>
      convs(
        [
          conv('x', 'a', ['a.w', 'a.b']),
          node('MaxPool', ['a'], ['m'], { kernel_shape: [2, 2], strides: [2, 2] }),
          node('AveragePool', ['a'], ['v'], { kernel_shape: [2, 2], strides: [2, 2] }),
          node('Concat', ['m', 'v'], ['k'], { axis: 1 }),
          node('Conv', ['k', 'k.w'], ['y'], { kernel_shape: [1, 1] }, { name: 'y' }),
        ],
        { initializers: [weight('k.w', [8, 16, 1, 1], 9)] },
      ),
    fused: { QLinearAveragePool: 1, QLinearConcat: 1, QLinearConv: 2 },
    branches: true,
  },
  'global pooling, Flatten, Gemm → Relu → Gemm': {
    given: () =>
      convs(
        [
          conv('x', 'a', ['a.w', 'a.b']),
          node('GlobalAveragePool', ['a'], ['p']),
          node('Flatten', ['p'], ['f']),
          node('Gemm', ['f', 'g.w', 'g.b'], ['g'], { transB: 1 }, { name: 'g' }),
          relu('g', 'h'),
          node('Gemm', ['h', 'h.w', 'h.b'], ['y'], {}, { name: 'y' }),
        ],
        {
          initializers: [
            weight('g.w', [16, 8], 5),
            weight('g.b', [16], 6),
            weight('h.w', [16, 10], 7),
            weight('h.b', [10], 8),
          ],
        },
      ),
    fused: { QGemm: 2, QLinearConv: 1, QLinearGlobalAveragePool: 1 },
  },
  'a bias added behind': {
    given: () =>
      convs([conv('x', 'a', ['a.w']), node('Add', ['a', 'bias'], ['s']), relu('s', 'r'), conv('r', 'y', ['b.w'])], {
        initializers: [weight('bias', [8, 1, 1], 5)],
      }),
    fused: { QLinearConv: 2 },
  },
  'one weight, two convolutions': {
    given: () => convs([conv('x', 'a', ['a.w', 'a.b']), relu('a', 'r'), conv('r', 'y', ['a.w'])]),
    fused: { QLinearConv: 2 },
  },
  'MatMul → Add → Relu → MatMul of rank 2': { given: () => tinyMlp(), fused: { QGemm: 2 } },
  'products of rank 3': { given: () => tinyLm(), fused: { MatMulIntegerToFloat: 2 } },
};

describe.each([
  ['uint8', {}],
  ['int8', { activations: 'int8' }],
  ['int8 symmetric', { activations: 'int8', symmetric: true }],
  ['uint8, one scale for the tensor', { perChannel: false }],
] as const)('%s', (_, params) => {
  test.each(Object.entries(patterns))('%s', async (_, { given, fused, branches }) => {
    const read = await cut(given(), params);
    if (branches && 'activations' in params && process.arch === 'x64') {
      expect(read.warnings).toContainEqual(expect.stringMatching(/used twice.*Choose uint8/));
      return;
    }
    if (!('activations' in params)) expect(read.warnings.filter((warning) => warning.includes('uint8'))).toEqual([]);
    expect(read.fused).toEqual(fused);
    expect(read.floats).toEqual([]);
    expect(read.decibels).toBeGreaterThan(28);
  });
});

test('BatchNormalization is folded, the residual net is integers throughout', async () => {
  const read = await cut(resnet18({ size: 32, width: 8, norms: true }));
  expect(read.fused).toEqual({ QGemm: 1, QLinearAdd: 8, QLinearConv: 20, QLinearGlobalAveragePool: 1 });
  expect(read.floats).toEqual([]);
  expect(read.notes.filter((note) => note === 'BatchNormalization is folded into it.')).toHaveLength(20);
});

test('channels of zeros, and biases far beyond what their weights add up to', async () => {
  const given = convs([conv('x', 'a', ['a.w', 'a.b']), conv('a', 'y', ['b.w'])]);
  const bytesOf = (name: string): Float32Array => {
    const { data } = given.graph.initializers.get(name)!;
    if (data.kind !== 'bytes') throw new Error(`${name} is in a file`);
    return new Float32Array(data.bytes.buffer, data.bytes.byteOffset, data.bytes.byteLength / 4);
  };
  bytesOf('a.w').fill(0, 0, 72);
  bytesOf('a.w').fill(1e-12, 72, 144);
  bytesOf('a.b').set([2, -3]);
  const read = await cut(given);
  expect(read.fused).toEqual({ QLinearConv: 2 });
  expect(read.decibels).toBeGreaterThan(28);
});

test('a layer that is left out keeps its neighbours on integers', async () => {
  const given = patterns['Conv → Relu → Conv']!.given();
  const read = await cut(given, {}, { layers: { exclude: ['y'] } });
  expect(read.fused).toEqual({ QLinearConv: 1 });
  expect(read.floats).toHaveLength(1);
  expect(read.decibels).toBeGreaterThan(28);
});

test('a value that is an answer too keeps its name and place', async () => {
  const given = convs([conv('x', 'a', ['a.w', 'a.b']), relu('a', 'y'), conv('y', 'z', ['b.w'])]);
  const both = { ...given, graph: { ...given.graph, outputs: [value('y'), value('z')] } };
  const read = await cut(both);
  expect(read.fused).toEqual({ QLinearConv: 2 });
});

test('what cannot be taken says why and what to do', async () => {
  const reasons = async (given: Model): Promise<string[]> => {
    const { taken } = await foretell(given, [{ method: 'int8-static' }]);
    return [...taken.records.values()].flatMap(({ refusal }) =>
      refusal ? [`${refusal.sentence} ${refusal.mend}`] : [],
    );
  };
  for (const sentence of await reasons(tinyIf())) expect(sentence).toMatch(/inside a branch.*Use weight-only/);
  const computed = convs(
    [relu('x', 'q'), node('ReduceMean', ['q', 'axes'], ['bias'], { keepdims: 0 }), conv('x', 'y', ['a.w', 'bias'])],
    {
      initializers: [],
    },
  );
  const axes = {
    name: 'axes',
    dtype: 'int64',
    dims: [3],
    data: { kind: 'bytes', bytes: new Uint8Array(BigInt64Array.of(0n, 2n, 3n).buffer) },
  } as const;
  const withAxes = {
    ...computed,
    graph: graph({ ...computed.graph, initializers: [...computed.graph.initializers.values(), axes], values: [] }),
  };
  expect(await reasons(withAxes)).toEqual([expect.stringMatching(/bias is computed.*Use weight-only/)]);
});

test('an LSTM is computed on integers, with its activations on the fly; GRU and ConvTranspose stay, each with its reason', async () => {
  const read = await cut(tinyLstm());
  expect(read.fused).toEqual({ DynamicQuantizeLSTM: 2 });
  expect(read.warnings).toContainEqual(expect.stringMatching(/^Its activations are quantized on the fly/));
  expect(read.decibels).toBeGreaterThan(28);
  const said = async (given: Model): Promise<(string | undefined)[]> => {
    const { taken } = await foretell(given, [{ method: 'int8-static' }]);
    return [...taken.records.values()].map(({ refusal }) => refusal?.sentence);
  };
  const gru = model({
    inputs: [value('x', 'float32', [3, 2, 20])],
    outputs: [value('y')],
    nodes: [node('GRU', ['x', 'w', 'r'], ['y'], { hidden_size: 16 }, { name: 'gru' })],
    initializers: [weight('w', [1, 48, 20], 1), weight('r', [1, 48, 16], 2)],
  });
  const sentence = 'The runtime has no integer GRU, and unpacking its weights on every run makes it slower than float.';
  expect(await said(gru)).toEqual([`gru: ${sentence}`, `gru/R: ${sentence}`]);
  const up = convs([node('ConvTranspose', ['x', 'a.w'], ['y'], { kernel_shape: [3, 3] }, { name: 'up' })]);
  expect(await said(up)).toEqual(['up: The runtime has no integer ConvTranspose.']);
});

test('only the scales of weights may differ between layers', async () => {
  const given = patterns['Conv → Relu → Conv']!.given();
  const step = (params: Record<string, unknown>) => [{ method: 'int8-static', overrides: { y: params } }];
  await expect(foretell(given, step({ samples: 3 }))).rejects.toThrow('samples of int8-static is one for all layers');
  await expect(foretell(given, step({ perChannel: false }))).resolves.toBeTruthy();
});
