// Details of the reader: typed fields, what writers leave out, and what every kind of damage is told as.
import { describe, expect, test } from 'vitest';
import { Refused } from '../../../../src/contract/words/refusal';
import { decode, encode } from '../../../../src/engine/formats/onnx';
import { Encoder } from '../../../../src/engine/formats/onnx/encoder';
import { type DataType, dataTypes, type Model } from '../../../../src/engine/graph/graph';
import { readFloats } from '../../../../src/engine/graph/tensor';
import { model, node, tinyMlp, value } from '../../models';

/** A model of one initializer `w`, its TensorProto given field by field. */
function around(tensor: Encoder): Uint8Array {
  const output = new Encoder().text(1, 'w');
  const graph = new Encoder().text(2, 'g').message(5, tensor).message(12, output);
  return whole(graph);
}

function whole(graph: Encoder, irVersion = 10): Uint8Array {
  const opset = new Encoder().text(1, '').int(2, 21);
  return joined(new Encoder().int(1, irVersion).message(7, graph).message(8, opset));
}

function joined(encoder: Encoder): Uint8Array {
  return Buffer.concat(encoder.pieces() as Uint8Array[]);
}

function tensor(dtype: DataType | number, dims: readonly number[]): Encoder {
  const out = new Encoder();
  for (const dim of dims) out.int(1, dim);
  return out.int(2, typeof dtype === 'number' ? dtype : dataTypes[dtype].onnx).text(8, 'w');
}

const weightOf = (read: Model) => read.graph.initializers.get('w')!;
const varints = (...values: (number | bigint)[]) => {
  const out = new Encoder();
  for (const item of values) out.int(1, item);
  // Without the tags of field 1, which are single bytes.
  const bytes: number[] = [];
  let start = true;
  for (const byte of joined(out)) {
    if (!start) bytes.push(byte);
    start = start ? false : byte < 0x80;
  }
  return Uint8Array.from(bytes);
};

describe('typed data becomes raw bytes', () => {
  test.each<[string, Encoder, number[]]>([
    ['packed floats', tensor('float32', [2]).bytes(4, new Uint8Array(Float32Array.of(1.5, -2).buffer)), [1.5, -2]],
    ['floats one by one', tensor('float32', [2]).float(4, 1.5).float(4, -2), [1.5, -2]],
    ['packed doubles', tensor('float64', [1]).bytes(10, new Uint8Array(Float64Array.of(3).buffer)), [3]],
    ['int32', tensor('int32', [2]).bytes(5, varints(7, -7)), [7, -7]],
    ['int8 one by one', tensor('int8', [2]).int(5, 7).int(5, -7), [7, -7]],
    ['uint8', tensor('uint8', [2]).bytes(5, varints(7, 200)), [7, 200]],
    ['bool', tensor('bool', [2]).bytes(5, varints(0, 1)), [0, 1]],
    ['float16 as bits', tensor('float16', [2]).bytes(5, varints(0x3e00, 0xc000)), [1.5, -2]],
    ['bfloat16 as bits', tensor('bfloat16', [1]).bytes(5, varints(0x3fc0)), [1.5]],
    ['int64', tensor('int64', [2]).bytes(7, varints(5, -5)), [5, -5]],
    ['uint32', tensor('uint32', [1]).bytes(11, varints(4_000_000_000)), [4e9]],
    ['uint64', tensor('uint64', [1]).bytes(11, varints(4_000_000_000)), [4e9]],
    ['int4, two to an entry', tensor('int4', [3]).bytes(5, varints(0x8f, 0x07)), [-1, -8, 7]],
    ['uint2, four to an entry', tensor('uint2', [5]).bytes(5, varints(0b11100100, 0b10)), [0, 1, 2, 3, 2]],
    ['an empty packed field beside raw data', tensor('int8', [1]).bytes(5, varints()).bytes(9, Uint8Array.of(3)), [3]],
  ])('%s', async (_, proto, expected) => {
    expect([...(await readFloats(weightOf(decode(around(proto)))))]).toEqual(expected);
  });

  test('no elements need no data', () => {
    expect(weightOf(decode(around(tensor('float32', [0, 4])))).data).toEqual({
      kind: 'bytes',
      bytes: new Uint8Array(0),
    });
  });
});

test('packed dims are read as well', () => {
  const proto = new Encoder().bytes(1, varints(2, 3)).int(2, 3).text(8, 'w').bytes(9, new Uint8Array(6));
  expect(weightOf(decode(around(proto))).dims).toEqual([2, 3]);
});

test('denotations of types and dimensions are kept', async () => {
  const dim = new Encoder().int(1, 4).text(3, 'DATA_BATCH');
  const type = new Encoder()
    .message(
      1,
      new Encoder().int(1, 1).message(2, new Encoder().message(1, dim).message(1, new Encoder().text(2, 'n'))),
    )
    .text(6, 'IMAGE');
  const input = new Encoder().text(1, 'x').message(2, type);
  const bytes = whole(new Encoder().text(2, 'g').message(11, input).message(12, input));
  const read = decode(bytes);
  expect(read.graph.inputs[0]!.type).toMatchObject({ kind: 'tensor', dtype: 'float32', shape: [4, 'n'] });
  expect(Buffer.from(await encode(read)).toString('latin1')).toContain('DATA_BATCH');
  expect(Buffer.from(await encode(read)).toString('latin1')).toContain('IMAGE');
});

test('an attribute without a type is what its field says; a zero may be left out', () => {
  const attribute = (name: string) => new Encoder().text(1, name);
  const nodeProto = new Encoder()
    .text(1, 'x')
    .text(2, 'y')
    .text(4, 'Op')
    .message(5, attribute('old').int(3, 4))
    .message(5, attribute('zero').int(20, 2))
    .message(5, attribute('none').int(20, 7));
  const graph = new Encoder().message(1, nodeProto).text(2, 'g');
  const read = decode(whole(graph.message(11, new Encoder().text(1, 'x')).message(12, new Encoder().text(1, 'y'))));
  expect(read.graph.nodes[0]!.attributes).toEqual(
    new Map([
      ['old', { type: 'int', value: 4n }],
      ['zero', { type: 'int', value: 0n }],
      ['none', { type: 'ints', value: [] }],
    ]),
  );
});

test('what runtimes forgive is put right', () => {
  const messy = model({
    inputs: [value('x')],
    outputs: [value('y')],
    nodes: [node('Neg', ['a'], ['y']), node('Gelu', ['x'], ['a'], {}, { domain: 'com.microsoft' })],
  });
  return encode(messy).then((bytes) => {
    const read = decode(bytes);
    expect(read.graph.nodes.map(({ op }) => op)).toEqual(['Gelu', 'Neg']);
    expect(read.opsets.get('com.microsoft')).toBe(1);
  });
});

test('ai.onnx is the standard domain by its long name', async () => {
  const long = { ...tinyMlp(), opsets: new Map([['ai.onnx', 21]]) };
  expect(decode(await encode(long)).opsets).toEqual(new Map([['', 21]]));
});

describe('refusals', () => {
  const graph = () => new Encoder().text(2, 'g');
  const deep = () => {
    let inner = new Encoder().text(2, 'leaf');
    for (let i = 0; i < 40; i++) {
      const attribute = new Encoder().text(1, 'body').message(6, inner).int(20, 5);
      inner = new Encoder().message(1, new Encoder().text(4, 'Loop').message(5, attribute)).text(2, 'g');
    }
    return whole(inner);
  };
  test.each<[string, Uint8Array, string, RegExp]>([
    ['no graph', joined(new Encoder().int(1, 8)), 'bad-model', /^m\.onnx holds no graph\.$/],
    ['too new', whole(graph(), 15), 'unsupported', /version 15 of the ONNX format. This build reads up to 14/],
    [
      'two graphs',
      joined(new Encoder().message(7, graph()).message(7, graph())),
      'bad-model',
      /there is a second graph/,
    ],
    ['depth', deep(), 'bad-model', /nests more than 64 levels deep/],
    ['text that is not UTF-8', whole(new Encoder().bytes(2, Uint8Array.of(0xff))), 'bad-model', /is not UTF-8 text/],
    ['a name of 40 kB', whole(new Encoder().text(2, 'n'.repeat(40_000))), 'bad-model', /a name has 40,000 bytes/],
    ['a group', Uint8Array.of(0x3b), 'bad-model', /wire type 3, which ONNX does not use/],
    ['field 0', Uint8Array.of(0x02, 0x00), 'bad-model', /a field has the number 0/],
    ['wrong wire type', joined(new Encoder().text(1, 'x')), 'bad-model', /field 1 has the wire type 2 instead of 0/],
    ['half a varint', Uint8Array.of(0x08, 0x80), 'bad-model', /a number is cut off/],
    ['element type', around(tensor(99, [1]).bytes(9, new Uint8Array(4))), 'unsupported', /element type 99/],
    ['no element type', around(tensor(0, [1])), 'bad-model', /tensor w has no element type/],
    ['no data', around(tensor('float32', [1])), 'bad-model', /tensor w, float32\[1\], has no data/],
    ['short data', around(tensor('float32', [2]).bytes(9, new Uint8Array(4))), 'bad-model', /takes 8 bytes and has 4/],
    [
      'short typed data',
      around(tensor('int64', [3]).bytes(7, varints(1, 2))),
      'bad-model',
      /takes 24 bytes and has 16/,
    ],
    ['long typed data', around(tensor('int8', [1]).bytes(5, varints(1, 2))), 'bad-model', /takes 1 bytes and has 2/],
    [
      'a claim of 2^45 int64',
      around(tensor('int64', [2 ** 45]).int(7, 1)),
      'bad-model',
      /takes 281,474,976,710,656 bytes/,
    ],
    ['a claim past 2^46', around(tensor('int8', [2 ** 30, 2 ** 30])), 'bad-model', /claims \[1073741824, 1073741824\]/],
    ['the wrong field', around(tensor('float32', [1]).int(5, 1)), 'bad-model', /in the field of another type/],
    [
      'data twice',
      around(tensor('int8', [1]).int(5, 1).bytes(9, new Uint8Array(1))),
      'bad-model',
      /has its data twice/,
    ],
    [
      'text in raw data',
      around(tensor('string', [1]).bytes(9, new Uint8Array(1))),
      'bad-model',
      /keeps text in raw_data/,
    ],
    ['65 dimensions', around(tensor('int8', Array(65).fill(1))), 'bad-model', /more than 64 dimensions/],
    [
      'external without a folder',
      around(tensor('int8', [1]).int(14, 1)),
      'bad-model',
      /keeps its data in another file/,
    ],
    [
      'two initializers of a name',
      whole(
        graph()
          .message(5, tensor('int8', [0]))
          .message(5, tensor('int8', [0])),
      ),
      'bad-model',
      /two initializers called w/,
    ],
  ])('%s', (_, bytes, code, sentence) => {
    let refusal: unknown;
    try {
      decode(bytes, 'm.onnx');
    } catch (cause) {
      refusal = cause;
    }
    expect(refusal).toBeInstanceOf(Refused);
    expect((refusal as Refused).refusal.code).toBe(code);
    expect((refusal as Refused).refusal.sentence).toMatch(sentence);
  });

  test('5 MB of the smallest nodes end at a limit, in bounded time and memory', () => {
    const one = joined(new Encoder().message(1, new Encoder().text(4, 'A')));
    const many = Buffer.concat(Array(1_000_000).fill(one));
    const bytes = whole(new Encoder().raw([many]));
    const before = process.memoryUsage().rss;
    const start = performance.now();
    expect(() => decode(bytes, 'm.onnx')).toThrow('m.onnx holds more than 250,000 nodes');
    expect(performance.now() - start).toBeLessThan(4000);
    expect(process.memoryUsage().rss - before).toBeLessThan(500e6);
  });
});
