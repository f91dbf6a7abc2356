// Cut models answer as masked ones do: on small graphs for everything channels meet on their way; and what cannot be cut says why.
import { describe, expect, test } from 'vitest';
import { elementCount, type Model, type Node, type Tensor } from '../../../../src/engine/graph/graph';
import { int64Tensor } from '../../../../src/engine/graph/tensor';
import { feedsOf } from '../../methods/bench';
import { model, node, type PlainAttribute, randomWeights, value } from '../../models';
import { compare, groupsOf } from './cutting';

/** A graph in a few lines: weights are named with their dimensions, `w:8x3x3x3`; x goes in, y comes out. */
function built(
  x: readonly (number | string)[],
  steps: readonly string[],
  more: Record<string, readonly number[]> = {},
): Model {
  const initializers = new Map<string, Tensor>();
  const nodes: Node[] = steps.map((step) => {
    const [outputs, call] = step.split(' = ');
    const [, op, inputs, attributes] = /^(\S+) ([^{]*)(?:\{(.*)\})?$/.exec(call!)!;
    const names = inputs!
      .trim()
      .split(' ')
      .map((name) => {
        const dims = /^\w+:([\dx]+)$/.exec(name)?.[1]?.split('x').map(Number);
        if (dims && !initializers.has(name)) {
          const values = randomWeights(elementCount(dims), 0.5, initializers.size + 1);
          // Variances are not negative.
          if (name.startsWith('var')) for (const [i, one] of values.entries()) values[i] = Math.abs(one) + 0.5;
          initializers.set(name, {
            name,
            dtype: 'float32',
            dims,
            data: { kind: 'bytes', bytes: new Uint8Array(values.buffer) },
          });
        }
        return name === '_' ? '' : name;
      });
    const own = attributes ? (JSON.parse(`{${attributes}}`) as Record<string, PlainAttribute>) : {};
    const [domain, kind] = op!.includes('.') ? ['com.microsoft', op!.split('.')[1]!] : ['', op!];
    return node(kind, names, outputs!.split(' '), own, { domain });
  });
  for (const [name, values] of Object.entries(more)) initializers.set(name, int64Tensor(name, [values.length], values));
  return model({
    name: 'built',
    inputs: [value('x', 'float32', x)],
    outputs: [value('y', 'float32', null)],
    opsets: { 'com.microsoft': 1 },
    nodes,
    initializers: [...initializers.values()],
  });
}

const image = [1, 3, 8, 8];
const same3 = '{"kernel_shape":[3,3],"pads":[1,1,1,1]}';
const head = 'g = GlobalAveragePool c';

const graphs: Record<string, { model: () => Model; groups: number }> = {
  'a residual join with batch norms': {
    groups: 2,
    model: () =>
      built(image, [
        `a = Conv x w1:16x3x3x3 b1:16 ${same3}`,
        'an = BatchNormalization a s1:16 h1:16 m1:16 var1:16',
        `i = Conv an w2:12x16x3x3 b2:12 ${same3}`,
        'in = BatchNormalization i s2:12 h2:12 m2:12 var2:12',
        'ir = Relu in',
        `o = Conv ir w3:16x12x3x3 b3:16 ${same3}`,
        'c = Add an o',
        head,
        'f = Flatten g',
        'y = Gemm f w4:10x16 b4:10 {"transB":1}',
      ]),
  },
  'a concatenation': {
    groups: 3,
    model: () =>
      built(image, [
        `a = Conv x w1:8x3x3x3 b1:8 ${same3}`,
        `b = Conv x w2:6x3x3x3 b2:6 ${same3}`,
        'c = Concat a b a {"axis":1}',
        'n = BatchNormalization c s1:22 h1:22 m1:22 var1:22',
        'd = Conv n w3:5x22x1x1 b3:5',
        'f = Flatten d',
        'y = MatMul f w4:320x4',
      ]),
  },
  'a split into parts of unlike use': {
    groups: 2,
    model: () =>
      built(image, [
        `a = Conv x w1:20x3x3x3 b1:20 ${same3}`,
        'p q = Split a {"axis":1,"num_outputs":2}',
        'pc = Conv p w2:3x10x1x1',
        'qc = Conv q w3:3x10x1x1',
        'y = Add pc qc',
      ]),
  },
  'a depthwise convolution': {
    groups: 1,
    model: () =>
      built(image, [
        `a = Conv x w1:12x3x3x3 b1:12 ${same3}`,
        'r = Clip a',
        `d = Conv r w2:12x1x3x3 b2:12 {"kernel_shape":[3,3],"pads":[1,1,1,1],"group":12}`,
        'dn = BatchNormalization d s1:12 h1:12 m1:12 var1:12',
        'y = Conv dn w3:5x12x1x1 b3:5',
      ]),
  },
  'a convolution with groups and a transposed one': {
    groups: 2,
    model: () =>
      built(image, [
        `a = Conv x w1:12x3x3x3 b1:12 ${same3}`,
        `d = Conv a w2:24x3x3x3 b2:24 {"kernel_shape":[3,3],"pads":[1,1,1,1],"group":4}`,
        'u = ConvTranspose d w3:24x6x2x2 b3:6 {"strides":[2,2]}',
        'v = ConvTranspose u w4:6x1x2x2 b4:6 {"strides":[2,2],"group":6}',
        'y = Conv v w5:2x6x1x1',
      ]),
  },
  'squeeze and excite': {
    groups: 2,
    model: () =>
      built(image, [
        `a = Conv x w1:16x3x3x3 b1:16 ${same3}`,
        'g = GlobalAveragePool a',
        'q = Conv g w2:6x16x1x1 b2:6',
        'r = Relu q',
        'e = Conv r w3:16x6x1x1 b3:16',
        's = Sigmoid e',
        'm = Mul a s',
        'y = Conv m w4:4x16x1x1 b4:4',
      ]),
  },
  'grouped-query attention in plain nodes': { groups: 1, model: () => groupedQueries() },
  'fused grouped-query attention': { groups: 3, model: () => fusedAttention() },
  'a gated network of two halves in one weight': {
    groups: 1,
    model: () =>
      built(
        [2, 5, 16],
        [
          'u = MatMul x w1:16x24',
          'g v = Split u {"axis":2,"num_outputs":2}',
          's = Sigmoid g',
          't = Mul g s',
          'm = Mul t v',
          'y = MatMul m w2:12x16',
        ],
      ),
  },
  'features made of channels, channels last': {
    groups: 2,
    model: () =>
      built(
        image,
        [
          `a = Conv x w1:10x3x3x3 b1:10 ${same3}`,
          'p = MaxPool a {"kernel_shape":[2,2],"strides":[2,2]}',
          't = Transpose p {"perm":[0,2,3,1]}',
          'f = Reshape t to',
          'h = MatMul f w2:160x18',
          'hb = Add h b2:18',
          'r = Tanh hb',
          'y = Gemm r w3:18x4 b3:4',
        ],
        { to: [-1, 160] },
      ),
  },
  'a weight shared by two layers and a computed shape': {
    groups: 1,
    model: () =>
      built(
        ['batch', 6, 16],
        [
          'a = MatMul x w1:16x16',
          'r = Relu a',
          'b = MatMul r w2:16x12',
          'br = Relu b',
          'wt = Transpose w2:16x12 {"perm":[1,0]}',
          'd = MatMul br wt',
          's = Shape b',
          'n = Gather s zero',
          'k = Gather s two',
          'to = Concat n six k {"axis":0}',
          'e = Expand v1:1x1x12 to',
          'be = Add b e',
          'f = MatMul be w3:12x16',
          'y = Add d f',
        ],
        { zero: [0], two: [2], six: [6] },
      ),
  },
  'channels picked, sliced and shuffled': {
    groups: 3,
    model: () =>
      built(
        image,
        [
          `a = Conv x w1:16x3x3x3 b1:16 ${same3}`,
          'l = Slice a zero eight one',
          'h = Slice a minus end one',
          'p = Gather h pick {"axis":1}',
          'lp = Conv l w2:6x8x1x1',
          'hp = Conv p w3:6x4x1x1',
          'y = Sub lp hp',
        ],
        { zero: [0], eight: [8], one: [1], minus: [-6], end: [2 ** 31 - 1], pick: [5, 0, 3, 1] },
      ),
  },
};

/** Four query heads of width 4, two for each of two key heads; keys and values are repeated as exporters write it. */
function groupedQueries(): Model {
  return built(
    ['batch', 'seq', 16],
    [
      'q = MatMul x w1:16x16',
      'k = MatMul x w2:16x8',
      'v = MatMul x w3:16x8',
      'q4 = Reshape q toQ',
      'k4 = Reshape k toK',
      'v4 = Reshape v toK',
      'qt = Transpose q4 {"perm":[0,2,1,3]}',
      'kt = Transpose k4 {"perm":[0,2,1,3]}',
      'vt = Transpose v4 {"perm":[0,2,1,3]}',
      'ku = Unsqueeze kt two',
      'vu = Unsqueeze vt two',
      'kr = Concat ku ku {"axis":2}',
      'vr = Concat vu vu {"axis":2}',
      'ks = Reshape kr toR',
      'vs = Reshape vr toR',
      'kx = Transpose ks {"perm":[0,1,3,2]}',
      's = MatMul qt kx',
      'p = Softmax s {"axis":-1}',
      'o = MatMul p vs',
      'ot = Transpose o {"perm":[0,2,1,3]}',
      'of = Reshape ot toO',
      'y = MatMul of w4:16x16',
    ],
    { toQ: [0, 0, 4, 4], toK: [0, 0, 2, 4], toR: [0, 4, -1, 4], toO: [0, 0, 16], two: [2] },
  );
}

/** Four query heads of width 8 on two key heads, then attention of four heads without sharing. */
function fusedAttention(): Model {
  const made = built(
    [1, 3, 16],
    [
      'q = MatMul x w1:16x32',
      'k = MatMul x w2:16x16',
      'v = MatMul x w3:16x16',
      'o = ms.GroupQueryAttention q k v _ _ seen total {"num_heads":4,"kv_num_heads":2}',
      'h = MatMul o w4:32x16',
      'q2 = MatMul h w5:16x16',
      'k2 = MatMul h w6:16x16',
      'v2 = MatMul h w7:16x16',
      'o2 = ms.MultiHeadAttention q2 k2 v2 {"num_heads":4}',
      'y = MatMul o2 w8:16x16',
    ],
  );
  const whole = (name: string, dims: number[], one: number): [string, Tensor] => [
    name,
    { name, dtype: 'int32', dims, data: { kind: 'bytes', bytes: new Uint8Array(Int32Array.of(one).buffer) } },
  ];
  const more = [whole('seen', [1], 2), whole('total', [], 3)];
  return { ...made, graph: { ...made.graph, initializers: new Map([...made.graph.initializers, ...more]) } };
}

describe('a sliced model answers as the masked one', () => {
  test.each(Object.entries(graphs))('%s', async (_, { model: make, groups }) => {
    const whole = make();
    for (const seed of [1, 2, 3]) {
      const compared = await compare(whole, feedsOf(whole), seed);
      expect(compared.groups.list.filter(({ reason }) => reason === null)).toHaveLength(groups);
      expect(compared.moved).toBeGreaterThan(1e-3);
      expect(compared.apart).toBeLessThan(1e-5);
    }
  });
});

test('what cannot be cut says why', async () => {
  const reasonsOf = async (x: readonly number[], ...steps: string[]) =>
    Object.fromEntries((await groupsOf(built(x, steps))).reasons);
  expect(
    await reasonsOf(
      [2, 16],
      'a = Gemm x w1:16x12',
      'n = LayerNormalization a s1:12 b1:12 {"axis":-1}',
      'b = MatMul n w2:12x8',
      'm = ReduceMean b {"keepdims":1}',
      'c = Sub b m',
      'd = MatMul c w3:8x6',
      'p = Softmax d',
      'e = MatMul p w4:6x9',
      't k = TopK e three',
      'y = MatMul t w5:3x3',
    ),
  ).toMatchInlineSnapshot(`
    {
      "Gemm_a": "LayerNormalization LayerNormalization_n normalises over all of them",
      "MatMul_b": "ReduceMean ReduceMean_m averages over all of them",
      "MatMul_d": "Softmax Softmax_p goes over all of them",
      "MatMul_e": "TopK TopK_t needs all of them",
      "MatMul_y": "they leave the model at y",
    }
  `);
});
