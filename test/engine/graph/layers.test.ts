// Layers: found wherever a graph keeps weights, counted once, under names a run does not change.
import { describe, expect, test } from 'vitest';
import type { Model } from '../../../src/engine/graph/graph';
import { constantBytes, type LayerSite, listLayers } from '../../../src/engine/graph/layers';
import { inferShapes } from '../../../src/engine/graph/shapes';
import { bytesTensor, floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { graph, model, node, tinyConv, tinyMlp, value } from '../models';

const zeros = (name: string, dims: readonly number[]) =>
  floatTensor(name, dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));
const bytes = (name: string, dtype: 'uint8' | 'int8', dims: readonly number[]) =>
  bytesTensor(name, dtype, dims, new Uint8Array(dims.reduce((a, b) => a * b, 1)));
const names = (of: Model): string[] => listLayers(of).map(({ name }) => name);
const only = (of: Model): LayerSite => {
  const layers = listLayers(of);
  expect(layers).toHaveLength(1);
  return layers[0]!;
};
const linear = (nodes: Model['graph']['nodes'], initializers: Parameters<typeof model>[0]['initializers'], more = {}) =>
  model({ inputs: [value('x', 'float32', ['batch', 8])], outputs: [value('y')], nodes, initializers, ...more });

describe('names', () => {
  const matMul = (weight: string, name: string, output: string) =>
    node('MatMul', ['x', weight], [output], {}, { name });
  test('the unique node name, else the weight, else operator and index', () => {
    const nodes = [
      matMul('a', 'same', 'p'),
      matMul('b', 'same', 'q'),
      matMul('c', '', 'r'),
      matMul('c', '', 's'),
      matMul('d', 'own', 'y'),
    ];
    const weights = ['a', 'b', 'c', 'd'].map((name) => zeros(name, [8, 8]));
    expect(names(linear(nodes, weights))).toEqual(['a', 'b', 'c', 'MatMul_3', 'own']);
  });

  test('subgraphs lead with their owner; a node that bears the whole name keeps it', () => {
    const branch = (name: string) =>
      graph({
        outputs: [value('o')],
        nodes: [node('MatMul', ['x', 'w'], ['o'], {}, { name })],
        initializers: [zeros('w', [8, 8])],
      });
    const owner = (name: string) =>
      model({
        inputs: [value('x', 'float32', [1, 8]), value('c', 'bool', [])],
        outputs: [value('y')],
        nodes: [
          node('If', ['c'], ['y'], { then_branch: branch('fc'), else_branch: branch(`${name}/else/fc`) }, { name }),
        ],
      });
    expect(names(owner('gate'))).toEqual(['gate/then/fc', 'gate/else/fc']);
  });

  test('a recurrent node has a second layer for its recurrence', () => {
    const lstm = node('LSTM', ['x', 'W', 'R'], ['', 'y'], { hidden_size: 4 }, { name: 'rnn' });
    const parts = { inputs: [value('x', 'float32', [5, 1, 3])], outputs: [value('y')], nodes: [lstm] };
    const layers = listLayers(model({ ...parts, initializers: [zeros('W', [1, 16, 3]), zeros('R', [1, 16, 4])] }));
    expect(layers.map(({ name, nodeName, parameters }) => [name, nodeName, parameters])).toEqual([
      ['rnn', 'rnn', 48],
      ['rnn/R', 'rnn', 64],
    ]);
  });
});

describe('weights', () => {
  test('as a Constant node, behind Transpose, Cast and Identity', () => {
    const constant = node('Constant', [], ['w'], { value: bytesTensor('w', 'float16', [4, 8], new Uint8Array(64)) });
    const nodes = [
      constant,
      node('Identity', ['w'], ['i']),
      node('Cast', ['i'], ['f'], { to: 1 }),
      node('Transpose', ['f'], ['t'], { perm: [1, 0] }),
      node('MatMul', ['x', 't'], ['y']),
    ];
    const layer = only(linear(nodes, []));
    expect(layer).toMatchObject({ weight: 'w', bits: 16, bytes: 64, parameters: 32, channelAxis: 0, shape: [4, 8] });
    expect(layer.via.map(({ op }) => op)).toEqual(['Identity', 'Cast', 'Transpose']);
  });

  test('on the left of a MatMul', () => {
    const parts = {
      inputs: [value('x', 'float32', [8, 1])],
      outputs: [value('y')],
      initializers: [zeros('w', [4, 8])],
    };
    expect(only(model({ ...parts, nodes: [node('MatMul', ['w', 'x'], ['y'])] }))).toMatchObject({
      weightInput: 0,
      channelAxis: 0,
    });
  });

  test('a tied one counts once', () => {
    const tied = model({
      inputs: [value('ids', 'int64', [1, 3])],
      outputs: [value('y')],
      nodes: [
        node('Gather', ['table', 'ids'], ['e'], {}, { name: 'embed' }),
        node('Transpose', ['table'], ['t'], { perm: [1, 0] }),
        node('MatMul', ['e', 't'], ['y'], {}, { name: 'head' }),
      ],
      initializers: [zeros('table', [32, 8])],
    });
    expect(
      listLayers(tied).map(({ name, parameters, bytes: size, tiedTo }) => [name, parameters, size, tiedTo]),
    ).toEqual([
      ['embed', 256, 1024, undefined],
      ['head', 0, 0, 'embed'],
    ]);
    expect(constantBytes(tied)).toBe(0);
  });

  test('DequantizeLinear gives its integers, bits and scales', () => {
    const nodes = [node('DequantizeLinear', ['q', 's', 'z'], ['w'], { axis: 1 }), node('MatMul', ['x', 'w'], ['y'])];
    const layer = only(linear(nodes, [bytes('q', 'uint8', [8, 4]), zeros('s', [4]), bytes('z', 'uint8', [4])]));
    expect(layer).toMatchObject({ bits: 8, parameters: 32, bytes: 32 + 16 + 4, quantAxis: 1, quantBlock: 1 });
  });

  test('packed ones count what they unpack to', () => {
    const packed = node(
      'MatMulNBits',
      ['x', 'q', 's'],
      ['y'],
      { K: 8, N: 4, bits: 4, block_size: 16 },
      { domain: 'com.microsoft' },
    );
    const layer = only(linear([packed], [bytes('q', 'uint8', [4, 1, 8]), zeros('s', [4])]));
    expect(layer).toMatchObject({
      bits: 4,
      shape: [8, 4],
      parameters: 32,
      bytes: 32 + 16,
      layout: 'blocks',
      quantBlock: 16,
    });
  });

  test('integer products find the scale behind them', () => {
    const nodes = [
      node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
      node('MatMulInteger', ['xq', 'q', 'xz', 'z'], ['i']),
      node('Cast', ['i'], ['f'], { to: 1 }),
      node('Mul', ['xs', 's'], ['scale']),
      node('Mul', ['f', 'scale'], ['y']),
    ];
    const layer = only(linear(nodes, [bytes('q', 'int8', [8, 4]), bytes('z', 'int8', [4]), zeros('s', [4])]));
    expect(layer.scales?.name).toBe('s');
    expect(layer.bytes).toBe(32 + 4 + 16);
  });

  test('an integer table that is dequantized after the lookup', () => {
    const table = model({
      inputs: [value('ids', 'int64', [1, 3])],
      outputs: [value('y')],
      nodes: [node('Gather', ['q', 'ids'], ['rows']), node('DequantizeLinear', ['rows', 's', 'z'], ['y'])],
      initializers: [bytes('q', 'uint8', [32, 8]), zeros('s', []), bytes('z', 'uint8', [])],
    });
    expect(only(table)).toMatchObject({ op: 'Gather', parameters: 256, bytes: 256 + 4 + 1 });
  });
});

describe('tables that hold no weights', () => {
  const positions = [value('x', 'float32', [1, 8]), value('at', 'int64', [1])];
  test('rotary tables', () => {
    const nodes = [
      node('Gather', ['cos', 'at'], ['c']),
      node('Gather', ['sin', 'at'], ['s']),
      node('Neg', ['x'], ['r']),
      node('Mul', ['x', 'c'], ['a']),
      node('Mul', ['r', 's'], ['b']),
      node('Add', ['a', 'b'], ['y']),
    ];
    const rotary = model({
      inputs: positions,
      outputs: [value('y')],
      nodes,
      initializers: [zeros('cos', [16, 8]), zeros('sin', [16, 8])],
    });
    expect(listLayers(rotary)).toEqual([]);
    expect(constantBytes(rotary)).toBe(2 * 16 * 8 * 4);
  });

  test('a learned table that is scaled or added stays a layer', () => {
    const nodes = [node('Gather', ['t', 'at'], ['e']), node('Mul', ['e', 'k'], ['m']), node('Add', ['m', 'x'], ['y'])];
    const learned = model({
      inputs: positions,
      outputs: [value('y')],
      nodes,
      initializers: [zeros('t', [16, 8]), zeros('k', [1])],
    });
    expect(listLayers(learned)).toHaveLength(1);
  });

  test('indices of shape computations', () => {
    const sizes = model({
      inputs: [value('i', 'int64', [])],
      outputs: [value('y')],
      nodes: [node('Gather', ['list', 'i'], ['y'])],
      initializers: [int64Tensor('list', [3], [1, 2, 3])],
    });
    expect(listLayers(sizes)).toEqual([]);
  });
});

describe('multiply-accumulates', () => {
  const macs = async (of: Model) => listLayers(of, await inferShapes(of)).map((layer) => layer.macs);
  test('a free batch counts as one', async () => {
    expect(await macs(tinyMlp())).toEqual([64 * 96, 96 * 10]);
    expect(await macs(tinyMlp({ batch: 1 }))).toEqual(await macs(tinyMlp()));
  });

  test('convolutions per output position, groups apart', async () => {
    const layers = listLayers(tinyConv(), await inferShapes(tinyConv()));
    for (const { op, macs: count, shape } of layers.filter(({ op }) => op === 'Conv')) {
      expect(op).toBe('Conv');
      expect(count! % shape.reduce((a, b) => a * b, 1)).toBe(0);
    }
    // 8 × 3 × 3 × 3 at 16 × 16 positions
    expect(layers[0]!.macs).toBe(8 * 3 * 9 * 256);
  });

  test('null where a size is not known, 0 for a lookup', async () => {
    const sequence = model({
      inputs: [value('ids', 'int64', ['batch', 'seq'])],
      outputs: [value('y')],
      nodes: [node('Gather', ['t', 'ids'], ['e']), node('MatMul', ['e', 'w'], ['y'])],
      initializers: [zeros('t', [32, 8]), zeros('w', [8, 8])],
    });
    expect(await macs(sequence)).toEqual([0, null]);
  });
});
