// Random sound models for property tests: every kind of attribute, tensor, type and optional field of the format.
import fc from 'fast-check';
import { Encoder } from '../../../../src/engine/formats/onnx/encoder';
import {
  type Attribute,
  byteLength,
  type DataType,
  type Dim,
  dataTypes,
  type Graph,
  type Model,
  type Node,
  type Tensor,
  type Value,
} from '../../../../src/engine/graph/graph';
import { randomNumbers } from '../../models';

const numeric = (Object.keys(dataTypes) as DataType[]).filter((dtype) => dtype !== 'string');
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const maybe = <K extends string, T>(key: K, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((it) => (it === undefined ? {} : { [key]: it }) as { [P in K]?: T });
const metadata = fc.uniqueArray(fc.tuple(text, text), { minLength: 1, maxLength: 3, selector: ([key]) => key });

/** A field with a number that no message of ONNX has. */
const unknownField = fc
  .tuple(fc.integer({ min: 900, max: 2000 }), fc.uint8Array({ maxLength: 20 }))
  .map(([number, bytes]) => new Encoder().bytes(number, bytes).pieces()[0] as Uint8Array);
const unknown = fc.array(unknownField, { minLength: 1, maxLength: 2 });
const extras = fc
  .tuple(
    maybe('doc', text),
    maybe(
      'metadata',
      metadata.map((pairs) => new Map(pairs)),
    ),
    maybe('unknown', unknown),
  )
  .map((parts) => Object.assign({}, ...parts));
const smallExtras = fc.tuple(maybe('doc', text), maybe('unknown', unknown)).map((parts) => Object.assign({}, ...parts));

export function tensorNamed(name: fc.Arbitrary<string>): fc.Arbitrary<Tensor> {
  const dims = fc.array(fc.nat(5), { maxLength: 4 });
  const numbers = fc
    .tuple(name, fc.constantFrom(...numeric), dims, fc.nat(), extras)
    .map(([called, dtype, shape, seed, more]): Tensor => {
      const next = randomNumbers(seed);
      const bytes = Uint8Array.from({ length: byteLength(dtype, shape) }, () => next() * 256);
      return { name: called, dtype, dims: shape, data: { kind: 'bytes', bytes }, ...more };
    });
  const strings = fc.tuple(name, fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 4 }), extras).map(
    ([called, texts, more]): Tensor => ({
      name: called,
      dtype: 'string',
      dims: [texts.length],
      data: { kind: 'strings', strings: texts },
      ...more,
    }),
  );
  return fc.oneof({ weight: 5, arbitrary: numbers }, { weight: 1, arbitrary: strings });
}

const dim: fc.Arbitrary<Dim> = fc.oneof(fc.nat(1000), text, fc.constant(null));
function valueNamed(name: string): fc.Arbitrary<Value> {
  const tensorType = fc
    .tuple(
      fc.option(fc.constantFrom(...numeric), { nil: null }),
      fc.option(fc.array(dim, { maxLength: 4 }), { nil: null }),
      maybe('unknown', fc.constant([new Encoder().text(6, 'DATA_BATCH').pieces()[0] as Uint8Array])),
    )
    .map(([dtype, shape, more]) => ({ kind: 'tensor', dtype, shape, ...more }) as const);
  // A sequence of tensors, kept encoded.
  const sequence = fc.constant({
    kind: 'other',
    encoded: new Encoder().message(4, new Encoder().int(1, 1)).pieces()[0] as Uint8Array,
  } as const);
  const type = fc.oneof({ weight: 5, arbitrary: tensorType }, { weight: 1, arbitrary: sequence });
  return fc.tuple(fc.option(type, { nil: null }), extras).map(([kind, more]) => ({ name, type: kind, ...more }));
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const float32 = fc.float();
/** Subgraphs read nothing from outside, so that their place does not matter; names are made different by `depth`. */
function attributeAt(depth: number, tag: string): fc.Arbitrary<Attribute> {
  const bytes = fc.uint8Array({ maxLength: 10 });
  const plain: fc.Arbitrary<Attribute>[] = [
    float32.map((value) => ({ type: 'float', value })),
    int64.map((value) => ({ type: 'int', value })),
    bytes.map((value) => ({ type: 'string', value })),
    fc.array(float32, { maxLength: 5 }).map((value) => ({ type: 'floats', value })),
    fc.array(int64, { maxLength: 5 }).map((value) => ({ type: 'ints', value })),
    fc.array(bytes, { maxLength: 3 }).map((value) => ({ type: 'strings', value })),
    tensorNamed(text).map((value) => ({ type: 'tensor', value })),
    fc.array(tensorNamed(text), { maxLength: 2 }).map((value) => ({ type: 'tensors', value })),
    fc.tuple(tensorNamed(text), tensorNamed(text)).map(([values, indices]) => ({
      type: 'sparse',
      value: { values, indices, dims: [100, 3] },
    })),
  ];
  if (depth < 3) {
    plain.push(graphAt(depth + 1, `${tag}g`).map((value) => ({ type: 'graph', value })));
    plain.push(graphAt(depth + 1, `${tag}h`).map((value) => ({ type: 'graphs', value: [value] })));
  }
  return fc.tuple(fc.oneof(...plain), smallExtras).map(([attribute, more]) => ({ ...attribute, ...more }) as Attribute);
}

function nodeAt(depth: number, tag: string, readable: string[]): fc.Arbitrary<Node> {
  const attributes = fc
    .array(attributeAt(depth, tag), { maxLength: 3 })
    .map((list) => new Map(list.map((attribute, i) => [`a${i}`, attribute] as const)));
  const domain = fc.constantFrom('', 'com.microsoft');
  return fc
    .tuple(text, domain, fc.subarray(['', ...readable]), attributes, extras, maybe('overload', text))
    .map(([op, from, inputs, attrs, more, overload]) => ({
      name: `node ${tag}`,
      op,
      domain: from,
      inputs,
      outputs: [`v${tag}`, ''],
      attributes: attrs,
      ...overload,
      ...more,
    }));
}

function graphAt(depth: number, tag: string): fc.Arbitrary<Graph> {
  return fc.nat(3).chain((count) => {
    const inputs = [`in${tag}0`, `in${tag}1`];
    const weights = [`w${tag}0`, `w${tag}1`];
    const sparseNames = [`s${tag}0`];
    const readable = [...inputs, ...weights, ...sparseNames];
    const nodes: fc.Arbitrary<Node>[] = [];
    for (let i = 0; i < count; i++) {
      nodes.push(nodeAt(depth, `${tag}${i}`, [...readable]));
      readable.push(`v${tag}${i}`);
    }
    return fc
      .record({
        name: text,
        nodes: fc.tuple(...nodes),
        weights: fc.tuple(...weights.map((name) => tensorNamed(fc.constant(name)))),
        sparse: fc.tuple(...sparseNames.map((name) => tensorNamed(fc.constant(name)))),
        indices: tensorNamed(text),
        inputs: fc.tuple(...inputs.map(valueNamed)),
        outputs: fc.tuple(valueNamed(readable.at(-1)!)),
        values: fc.tuple(valueNamed('between')),
        more: extras,
      })
      .map(({ weights: tensors, sparse, indices, values, more, ...rest }) => ({
        ...rest,
        initializers: new Map(tensors.map((tensor) => [tensor.name, tensor])),
        sparse: new Map(sparse.map((tensor) => [tensor.name, { values: tensor, indices, dims: [50] }])),
        values: new Map(values.map((value) => [value.name, value])),
        ...more,
      }));
  });
}

export const anyModel: fc.Arbitrary<Model> = fc
  .record({
    graph: graphAt(0, ''),
    fn: fc.option(fc.tuple(text, fc.array(attributeAt(2, 'f'), { maxLength: 2 }), nodeAt(2, 'f', ['a', 'b']), extras), {
      nil: null,
    }),
    optional: fc
      .tuple(maybe('producerName', text), maybe('producerVersion', text), maybe('domain', text))
      .map((parts) => Object.assign({}, ...parts)),
    modelVersion: maybe('modelVersion', int64),
    more: smallExtras,
    metadata: fc.uniqueArray(fc.tuple(text, text), { maxLength: 3, selector: ([key]) => key }),
    irVersion: fc.integer({ min: 3, max: 14 }),
  })
  .map(({ graph, fn, optional, modelVersion, more, metadata: pairs, irVersion }) => {
    const opsets = new Map([
      ['', 21],
      ['com.microsoft', 1],
      ['mine', 3],
    ]);
    return {
      irVersion,
      ...optional,
      ...modelVersion,
      ...more,
      opsets,
      metadata: new Map(pairs),
      graph,
      functions: fn
        ? [
            {
              name: fn[0],
              domain: 'mine',
              inputs: ['a', 'b'],
              outputs: ['vf'],
              attributes: ['needed'],
              defaults: new Map(fn[1].map((attribute, i) => [`d${i}`, attribute] as const)),
              nodes: [
                {
                  ...fn[2],
                  attributes: new Map([...fn[2].attributes, ['ref', { type: 'reference', value: 'needed', as: 1 }]]),
                },
              ],
              opsets,
              values: new Map(),
              ...fn[3],
            },
          ]
        : [],
    } as Model;
  });
