// Normalise: opsets, functions, inputs, names and the batch, without a runtime; test/conformance runs the results.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import type { Attribute, LocalFunction, Model } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { normalise } from '../../../src/engine/graph/normalise';
import { adapters } from '../../../src/engine/graph/normalise/adapters';
import { versions } from '../../../src/engine/graph/normalise/versions';
import { floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { verify } from '../../../src/engine/graph/verify';
import { graph, model, node, tinyConv, tinyIf, tinyLm, tinyMlp, value } from '../models';

const ops = ({ graph: { nodes } }: Model): string[] => nodes.map(({ op }) => op);
const w = floatTensor('w', [8, 8], new Float32Array(64));
const x = value('x', 'float32', [1, 8]);

describe('opsets', () => {
  test('every change that is marked has its adapter, and no adapter is left over', () => {
    const marked = Object.entries(versions).flatMap(([op, changes]) =>
      changes
        .split(' ')
        .filter((word) => word.endsWith('!'))
        .map((word) => `${op}-${Number.parseInt(word, 10)}`),
    );
    const there = Object.entries(adapters).flatMap(([op, list]) =>
      Object.keys(list).map((version) => `${op}-${version}`),
    );
    expect(there.sort()).toEqual(marked.sort());
  });

  test('a model at 21 or above keeps its nodes', async () => {
    for (const opset of [21, 23, 26]) {
      const given = { ...tinyConv(), opsets: new Map([['', opset]]) };
      const { model: same } = await normalise(given);
      expect(same.opsets.get('')).toBe(opset);
      expect(same.graph.nodes).toEqual(given.graph.nodes);
    }
  });

  test('what cannot be converted stays, with the reason', async () => {
    const ancient = model({ opset: 6, inputs: [x], outputs: [value('y')], nodes: [node('Relu', ['x'], ['y'])] });
    expect((await normalise(ancient)).notes[0]).toBe(
      'The model stays at opset 6: operators older than opset 7 are not converted.',
    );
    const training = model({
      opset: 9,
      inputs: [value('x', 'float32', [1, 2, 4])],
      outputs: [value('y'), value('m')],
      nodes: [node('BatchNormalization', ['x', 's', 's', 's', 's'], ['y', 'm'])],
      initializers: [floatTensor('s', [2], [1, 1])],
    });
    const { model: kept, notes } = await normalise(training);
    expect(kept.opsets.get('')).toBe(9);
    expect(notes).toEqual([
      'The model stays at opset 9: a BatchNormalization gives its running statistics, as in training.',
    ]);
  });

  test('imports nobody uses go', async () => {
    const many = model({
      opsets: { 'com.microsoft': 1, 'ai.onnx.ml': 2 },
      inputs: [x],
      outputs: [value('y')],
      nodes: [node('FastGelu', ['x'], ['y'], {}, { domain: 'com.microsoft' })],
    });
    expect([...(await normalise(many)).model.opsets.keys()]).toEqual(['', 'com.microsoft']);
  });
});

test('initializers are no inputs', async () => {
  const old = model({
    irVersion: 3,
    opset: 8,
    inputs: [x, value('w', 'float32', [8, 8])],
    outputs: [value('y')],
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [w],
  });
  const { model: next, notes } = await normalise(old);
  expect(next.graph.inputs.map(({ name }) => name)).toEqual(['x']);
  expect(next.irVersion).toBe(10);
  expect(notes[0]).toBe('One weight was also listed as inputs; weights are constants here.');
});

describe('local functions', () => {
  const reference = (name: string): Attribute => ({ type: 'reference', value: name, as: 1 });
  const scaled: LocalFunction = {
    name: 'Scaled',
    domain: 'local',
    inputs: ['a', 'bias'],
    outputs: ['b'],
    attributes: [],
    defaults: new Map([['slope', { type: 'float', value: 0.5 }]]),
    nodes: [
      { ...node('LeakyRelu', ['a'], ['t']), attributes: new Map([['alpha', reference('slope')]]) },
      node('Sum', ['t', 'a'], ['b']),
    ],
    opsets: new Map([['', 21]]),
    values: new Map(),
  };
  const twice: LocalFunction = {
    ...scaled,
    name: 'Twice',
    inputs: ['a'],
    defaults: new Map(),
    attributes: ['steep'],
    nodes: [
      {
        ...node('Scaled', ['a'], ['t'], {}, { domain: 'local' }),
        attributes: new Map([['slope', reference('steep')]]),
      },
      node('Scaled', ['t'], ['b'], {}, { domain: 'local' }),
    ],
  };
  const calling = (...nodes: Model['graph']['nodes']): Model =>
    model({ opsets: { local: 1 }, functions: [scaled, twice], inputs: [x], outputs: [value('y')], nodes });

  test('nested calls, references, defaults and clashing names', async () => {
    const call = node('Twice', ['t'], ['y'], { steep: { float: 0.25 } }, { domain: 'local', name: 'call' });
    const { model: flat, notes } = await normalise(calling(node('Neg', ['x'], ['t']), call));
    expect(flat.functions).toEqual([]);
    expect(ops(flat)).toEqual(['Neg', 'LeakyRelu', 'Sum', 'LeakyRelu', 'Sum']);
    expect(
      flat.graph.nodes.flatMap(({ attributes }) => [...attributes.values()].map(({ value: slope }) => slope)),
    ).toEqual([0.25, 0.5]);
    expect(flat.graph.nodes.at(-1)!.outputs).toEqual(['y']);
    expect(verify(flat)).toEqual([]);
    expect(notes).toContain('3 calls of local functions became plain nodes.');
    expect([...flat.opsets.keys()]).toEqual(['']);
  });

  test('a function of an older opset is brought over first', async () => {
    const body: LocalFunction = {
      ...scaled,
      name: 'Drop',
      inputs: ['a'],
      nodes: [{ ...node('Squeeze', ['a'], ['b']), attributes: new Map([['axes', { type: 'ints', value: [0n] }]]) }],
      opsets: new Map([['', 11]]),
    };
    const old = model({
      opset: 17,
      opsets: { local: 1 },
      functions: [body],
      inputs: [x],
      outputs: [value('y')],
      nodes: [node('Drop', ['x'], ['y'], {}, { domain: 'local' })],
    });
    const { model: flat } = await normalise(old);
    expect(ops(flat)).toEqual(['Constant', 'Squeeze']);
    expect(flat.opsets.get('')).toBe(21);
    expect(verify(flat)).toEqual([]);
  });

  test('a function that calls itself stays, with a note', async () => {
    const endless: LocalFunction = {
      ...scaled,
      name: 'Endless',
      inputs: ['a'],
      nodes: [node('Endless', ['a'], ['b'], {}, { domain: 'local' })],
    };
    const given = model({
      opsets: { local: 1 },
      functions: [endless],
      inputs: [x],
      outputs: [value('y')],
      nodes: [node('Endless', ['x'], ['y'], {}, { domain: 'local' })],
    });
    expect((await normalise(given)).notes[0]).toMatch(
      /^Local functions stay as they are: local functions call each other/,
    );
  });
});

describe('the batch', () => {
  const flattening = (target: number[], batch: number | string = 1): Model =>
    model({
      inputs: [value('x', 'float32', [batch, 2, 4])],
      outputs: [value('y', 'float32', [1, 8])],
      nodes: [node('Reshape', ['x', 'target'], ['f']), node('MatMul', ['f', 'w'], ['y'])],
      initializers: [int64Tensor('target', [target.length], target), w],
    });
  const shapes = ({ graph: { inputs, outputs } }: Model) =>
    [...inputs, ...outputs].map(({ type }) => (type?.kind === 'tensor' ? type.shape?.[0] : null));

  test.each([[[1, 8]], [[1, -1]], [[-1, 8]], [[0, 8]]])('Reshape to %j follows it', async (target) => {
    expect(shapes((await normalise(flattening(target))).model)).toEqual(['batch', 'batch']);
  });

  test('a declared batch that a Reshape fixes is freed', async () => {
    const { model: free, notes } = await normalise(flattening([1, 8], 'N'));
    expect(shapes(free)).toEqual(['N', 'N']);
    expect(notes).toEqual(['The declared batch (N) is really free now: one Reshape had fixed it.']);
  });

  test.each([
    ['samples are summed', [node('ReduceSum', ['x'], ['y'], { keepdims: 1 })]],
    ['a softmax over samples', [node('Softmax', ['x'], ['y'], { axis: 0 })]],
    ['features are taken for samples', [node('Reshape', ['x', 'target'], ['t']), node('Relu', ['t'], ['y'])]],
    [
      'the range of all samples',
      [node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']), node('DequantizeLinear', ['q', 's', 'z'], ['y'])],
    ],
    ['the first sample is picked', [node('Gather', ['x', 'index'], ['y'])]],
  ])('it stays 1 where %s', async (_, nodes) => {
    const held = model({
      inputs: [value('x', 'float32', [1, 2, 4])],
      outputs: [value('y')],
      nodes,
      initializers: [int64Tensor('target', [2], [2, 4]), int64Tensor('index', [1], [0])],
    });
    const { model: same, notes } = await normalise(held);
    expect(shapes(same)[0]).toBe(1);
    expect(notes[0]).toMatch(/^The batch stays 1: /);
  });
});

describe('names', () => {
  test('layers keep theirs whatever is added before them', async () => {
    const unnamed = model({
      opset: 11,
      inputs: [value('x', 'float32', [2, 8])],
      outputs: [value('y')],
      nodes: [
        node('Softmax', ['x'], ['a'], { axis: 0 }, { name: '' }),
        node('MatMul', ['a', 'w'], ['b'], {}, { name: '' }),
        node('MatMul', ['b', 'w'], ['y'], {}, { name: '' }),
      ],
      initializers: [w],
    });
    const before = listLayers(unnamed).map(({ name }) => name);
    const { model: next } = await normalise(unnamed);
    expect(before).toEqual(['w', 'MatMul_2']);
    expect(listLayers(next).map(({ name }) => name)).toEqual(before);
    expect(next.graph.nodes.length).toBeGreaterThan(3);
  });
});

describe('properties', () => {
  const anyModel = fc.oneof(
    fc.record({ batch: fc.constantFrom<number | string>(1, 'batch', 3), seed: fc.nat(9) }).map(tinyMlp),
    fc.record({ batch: fc.constantFrom<number | string>(1, 'batch', 3), seed: fc.nat(9) }).map(tinyConv),
    fc.constant(tinyLm()),
    fc.constant(tinyIf()),
    fc
      .tuple(
        fc.integer({ min: 7, max: 20 }),
        fc.array(fc.constantFrom('Relu', 'Softmax', 'Clip', 'Dropout', 'Identity', 'Neg', 'LogSoftmax', 'ReduceSum'), {
          maxLength: 8,
        }),
      )
      .map(([opset, list]) =>
        model({
          opset,
          inputs: [value('v0', 'float32', [1, 3, 4])],
          outputs: [value(`v${list.length}`)],
          nodes: list.map((op, i) => node(op, [`v${i}`], [`v${i + 1}`])),
        }),
      ),
  );

  test('normalising twice changes nothing more, and what comes out is sound', async () => {
    await fc.assert(
      fc.asyncProperty(anyModel, async (given) => {
        const { model: once } = await normalise(given);
        const { model: again } = await normalise(once);
        expect(Buffer.compare(await encode(once), await encode(again))).toBe(0);
        expect(verify(once)).toEqual([]);
        expect(listLayers(once).map(({ name }) => name)).toEqual(listLayers(given).map(({ name }) => name));
      }),
      { numRuns: 60 },
    );
  });

  test('the model that came in is not touched', async () => {
    await fc.assert(
      fc.asyncProperty(anyModel, async (given) => {
        const before = await encode(given);
        await normalise(given);
        expect(Buffer.compare(before, await encode(given))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });
});

test('subgraphs are brought over too, with their constants beside them', async () => {
  const branch = graph({
    outputs: [value('o')],
    nodes: [node('Squeeze', ['x'], ['s'], { axes: [0] }), node('Unsqueeze', ['s'], ['o'], { axes: [0] })],
  });
  const conditional = model({
    opset: 11,
    inputs: [x, value('c', 'bool', [])],
    outputs: [value('y')],
    nodes: [node('If', ['c'], ['y'], { then_branch: branch, else_branch: branch })],
  });
  const { model: next } = await normalise(conditional);
  expect(verify(next)).toEqual([]);
  expect(next.opsets.get('')).toBe(21);
});

describe('weights behind a Reshape', () => {
  const reshaped = (target: number[], more: Partial<Parameters<typeof model>[0]> = {}) =>
    model({
      opset: 21,
      inputs: [value('x', 'float32', ['n', 8])],
      outputs: [value('y', 'float32', ['n', 4])],
      nodes: [node('Reshape', ['k', 'to'], ['k2']), node('MatMul', ['x', 'k2'], ['y'])],
      initializers: [floatTensor('k', [2, 2, 2, 4], new Float32Array(32)), int64Tensor('to', [target.length], target)],
      ...more,
    });

  test.each([[[8, 4]], [[8, -1]], [[-1, 4]]])('take the shape %j themselves, under their name', async (target) => {
    const given = reshaped(target);
    const { model: flat, notes } = await normalise(given);
    expect(ops(flat)).toEqual(['MatMul']);
    expect([...flat.graph.initializers.keys()]).toEqual(['k']);
    expect(flat.graph.initializers.get('k')?.dims).toEqual([8, 4]);
    expect(listLayers(flat).map(({ name }) => name)).toEqual(listLayers(given).map(({ name }) => name));
    expect(verify(flat)).toEqual([]);
    expect(notes).toEqual([]);
  });

  test('stay where they are used twice, given out, or the target does not come out', async () => {
    const twice = [
      node('Reshape', ['k', 'to'], ['k2']),
      node('MatMul', ['x', 'k2'], ['y']),
      node('Relu', ['k'], ['other']),
    ];
    expect(ops((await normalise(reshaped([8, 4], { nodes: twice }))).model)).toContain('Reshape');
    const given = { outputs: [value('y', 'float32', ['n', 4]), value('k2', 'float32', [8, 4])] };
    expect(ops((await normalise(reshaped([8, 4], given))).model)).toContain('Reshape');
    expect(ops((await normalise(reshaped([8, -1, -1]))).model)).toContain('Reshape');
    expect(ops((await normalise(reshaped([7, -1]))).model)).toContain('Reshape');
  });
});
