// Shapes by inference: symbols are kept, sizes are computed through the operators exporters compute them with.
import { describe, expect, test } from 'vitest';
import type { Dim, Model } from '../../../src/engine/graph/graph';
import { inferShapes } from '../../../src/engine/graph/shapes';
import { broadcast, quotient } from '../../../src/engine/graph/shapes/known';
import { floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { graph, model, node, value } from '../models';

const shapeOf = async (of: Model, name = 'y'): Promise<readonly Dim[] | null | undefined> =>
  (await inferShapes(of, { declared: false })).get(name)?.shape;
const ints = (name: string, ...values: number[]) => int64Tensor(name, [values.length], values);
const chain = (
  shape: readonly Dim[],
  nodes: Model['graph']['nodes'],
  initializers: Parameters<typeof model>[0]['initializers'] = [],
) => model({ inputs: [value('x', 'float32', shape)], outputs: [value('y')], nodes, initializers });

describe('arithmetic on sizes', () => {
  test('broadcasting keeps symbols', () => {
    expect(
      broadcast([
        ['n', 1, 4],
        [3, 1],
      ]),
    ).toEqual(['n', 3, 4]);
    expect(broadcast([['n'], ['m']])).toEqual([null]);
    expect(broadcast([['n'], [5]])).toEqual([5]);
    expect(broadcast([null, [5]])).toBeNull();
  });
  test('what is left over cancels symbols', () => {
    expect(quotient(['n', 4, 6], ['n', 8])).toBe(3);
    expect(quotient(['n', 4, 6], [24])).toBe('n');
    expect(quotient(['n', 4], [8])).toBeNull();
    expect(quotient(['n', 'n'], [1])).toBeNull();
  });
});

describe('computed shapes', () => {
  test('Shape → Gather → Unsqueeze → Concat → Reshape', async () => {
    const nodes = [
      node('Shape', ['x'], ['s']),
      node('Gather', ['s', 'zero'], ['b']),
      node('Unsqueeze', ['b', 'axis'], ['b1']),
      node('Concat', ['b1', 'rest'], ['target'], { axis: 0 }),
      node('Reshape', ['x', 'target'], ['y']),
    ];
    const constants = [int64Tensor('zero', [], [0]), ints('axis', 0), ints('rest', -1)];
    expect(await shapeOf(chain(['n', 3, 4], nodes, constants))).toEqual(['n', 12]);
  });

  test('arithmetic on sizes that are known', async () => {
    const nodes = [
      node('Shape', ['x'], ['s']),
      node('Slice', ['s', 'two', 'end'], ['hw']),
      node('Cast', ['hw'], ['f'], { to: 1 }),
      node('Mul', ['f', 'scale'], ['g']),
      node('Floor', ['g'], ['h']),
      node('Cast', ['h'], ['i'], { to: 7 }),
      node('Slice', ['s', 'zero', 'two'], ['nc']),
      node('Concat', ['nc', 'i'], ['sizes'], { axis: 0 }),
      node('Resize', ['x', '', '', 'sizes'], ['y']),
    ];
    const constants = [ints('two', 2), ints('end', 2 ** 40), ints('zero', 0), floatTensor('scale', [2], [2, 1.5])];
    expect(await shapeOf(chain(['n', 3, 5, 7], nodes, constants))).toEqual(['n', 3, 10, 10]);
  });

  test('ConstantOfShape, Range, Where, Equal', async () => {
    const nodes = [
      node('Shape', ['x'], ['s']),
      node('Equal', ['wanted', 'minus'], ['open']),
      node('Where', ['open', 'one', 'wanted'], ['safe']),
      node('Expand', ['x', 'safe'], ['y']),
      node('ConstantOfShape', ['s'], ['z']),
    ];
    const constants = [ints('wanted', 2, -1, 4), ints('minus', -1), ints('one', 1)];
    const expanded = chain([1, 3, 1], nodes, constants);
    expect(await shapeOf(expanded)).toEqual([2, 3, 4]);
    expect(await shapeOf(expanded, 'z')).toEqual([1, 3, 1]);
  });
});

describe('windows', () => {
  const conv = (attributes = {}) =>
    chain(
      ['n', 3, 11, 'w'],
      [node('Conv', ['x', 'k'], ['y'], attributes)],
      [floatTensor('k', [8, 3, 3, 3], new Float32Array(216))],
    );
  test('a convolution that keeps its size keeps the symbol', async () => {
    expect(await shapeOf(conv({ pads: [1, 1, 1, 1] }))).toEqual(['n', 8, 11, 'w']);
    expect(await shapeOf(conv({ strides: [2, 2] }))).toEqual(['n', 8, 5, null]);
    expect(await shapeOf(conv({ auto_pad: 'SAME_UPPER' }))).toEqual(['n', 8, 11, 'w']);
  });
  test('pooling rounds up without a window that starts in the padding', async () => {
    const pool = chain(
      [1, 1, 6, 7],
      [node('MaxPool', ['x'], ['y'], { kernel_shape: [2, 2], strides: [3, 3], ceil_mode: 1 })],
    );
    expect(await shapeOf(pool)).toEqual([1, 1, 3, 3].map((dim, i) => (i === 2 ? 2 : dim)));
  });
});

describe('subgraphs', () => {
  const branch = (rows: number) =>
    graph({ outputs: [value('o')], nodes: [node('Slice', ['x', 'from', `to${rows}`], ['o'])] });
  test('branches keep what they agree on', async () => {
    const conditional = model({
      inputs: [value('x', 'float32', [4, 5]), value('c', 'bool', [])],
      outputs: [value('y')],
      nodes: [node('If', ['c'], ['y'], { then_branch: branch(2), else_branch: branch(3) })],
      initializers: [ints('from', 0), ints('to2', 2), ints('to3', 3)],
    });
    expect(await shapeOf(conditional)).toEqual([null, 5]);
  });

  test('a loop stacks what each iteration gives', async () => {
    const body = graph({
      inputs: [value('i', 'int64', []), value('go', 'bool', []), value('state')],
      outputs: [value('go'), value('next'), value('seen')],
      nodes: [node('Add', ['state', 'x'], ['next']), node('Identity', ['next'], ['seen'])],
    });
    const loop = model({
      inputs: [value('x', 'float32', [2, 3])],
      outputs: [value('last'), value('all')],
      nodes: [node('Loop', ['count', '', 'x'], ['last', 'all'], { body })],
      initializers: [int64Tensor('count', [], [3])],
    });
    expect(await shapeOf(loop, 'last')).toEqual([2, 3]);
    expect(await shapeOf(loop, 'all')).toEqual([null, 2, 3]);
  });
});

test('an unknown operator has no shape, and what the file declares is kept', async () => {
  const strange = model({
    inputs: [value('x', 'float32', [1, 2])],
    outputs: [value('y', 'float32', [1, 7])],
    nodes: [node('Mystery', ['x'], ['y'], {}, { domain: 'example.org' })],
  });
  expect(await shapeOf(strange)).toBeNull();
  expect((await inferShapes(strange)).get('y')).toEqual({ dtype: 'float32', shape: [1, 7] });
});

test('absurd ranks and malformed nodes give nothing, quickly', async () => {
  const nodes = [
    node('Reshape', ['x', 'huge'], ['a']),
    node('Transpose', ['x'], ['b'], { perm: [9, 9] }),
    node('Concat', [], ['y']),
  ];
  const hostile = { ...chain([2, 3], nodes) };
  const inputs = [...hostile.graph.inputs, value('huge', 'int64', [2 ** 31])];
  const found = await inferShapes({ ...hostile, graph: { ...hostile.graph, inputs } }, { declared: false });
  expect(found.get('a')?.shape).toBeNull();
  expect(found.get('y')?.shape).toBeNull();
});
