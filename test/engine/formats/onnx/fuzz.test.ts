// Thousands of damaged models from a fixed seed. Whatever the damage, the answer is a model or a refusal, soon and in little memory.
import { expect, test } from 'vitest';
import { Refused } from '../../../../src/contract/words/refusal';
import { decode, encode } from '../../../../src/engine/formats/onnx';
import { verify } from '../../../../src/engine/graph/verify';
import { model, node, randomNumbers, tinyConv, tinyIf, tinyLm, tinyMlp, value } from '../../models';

type Random = () => number;
const below = (random: Random, limit: number) => Math.floor(random() * limit);

/** Ways to damage bytes; each returns new ones. `other` is a second valid model to splice from. */
const damages: readonly ((bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array)[] = [
  function flipBits(bytes, random) {
    const out = bytes.slice();
    for (let i = 1 + below(random, 3); i > 0; i--) out[below(random, out.length)]! ^= 1 << below(random, 8);
    return out;
  },
  function setBytes(bytes, random) {
    const out = bytes.slice();
    const telling = [0x00, 0x01, 0x7f, 0x80, 0xff];
    for (let i = 1 + below(random, 2); i > 0; i--) out[below(random, out.length)] = telling[below(random, 5)]!;
    return out;
  },
  function truncate(bytes, random) {
    return bytes.slice(0, below(random, bytes.length));
  },
  function cutOut(bytes, random) {
    const from = below(random, bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + below(random, 20))]);
  },
  function repeat(bytes, random) {
    const from = below(random, bytes.length);
    const to = from + below(random, 200);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  function splice(bytes, random, other) {
    return Buffer.concat([bytes.subarray(0, below(random, bytes.length)), other.subarray(below(random, other.length))]);
  },
  function hugeLength(bytes, random) {
    const at = below(random, bytes.length);
    const lengths = [
      [0xff, 0xff, 0xff, 0xff, 0x07],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    ];
    return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(lengths[below(random, 3)]!), bytes.subarray(at + 1)]);
  },
];

const allKinds = model({
  inputs: [value('x', 'float32', ['n', 4])],
  outputs: [value('y')],
  nodes: [
    node('Op', ['x'], ['y'], { i: 3, f: 0.5, s: 'text', is: [1, -2], ss: ['a', 'b'], fs: Float32Array.of(1, 2) }),
  ],
});

/** Damage clusters where structure is: weights are cut down so that most bytes are graph. */
const seeds = [tinyMlp(), tinyConv(), tinyLm(), tinyIf(), allKinds].map((whole) => ({
  ...whole,
  graph: {
    ...whole.graph,
    initializers: new Map(
      [...whole.graph.initializers].map(([name, tensor]) => [
        name,
        { ...tensor, dims: [3], data: { kind: 'bytes' as const, bytes: new Uint8Array(12).fill(63) } },
      ]),
    ),
  },
}));

test('20,000 damaged models', async () => {
  const valid = await Promise.all(seeds.map(encode));
  const random = randomNumbers(20_260_801);
  const outcomes = { model: 0, refused: 0 };
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 20_000; i++) {
    const start = valid[below(random, valid.length)]!;
    const other = valid[below(random, valid.length)]!;
    let bytes = start;
    for (let rounds = random() < 0.7 ? 1 : 3; rounds > 0 && bytes.length > 0; rounds--) {
      bytes = damages[below(random, damages.length)]!(bytes, random, other);
    }
    const began = performance.now();
    try {
      const read = decode(bytes);
      outcomes.model++;
      expect(verify(read)).toEqual([]);
      // What was accepted can be written and read again.
      if (i % 10 === 0) decode(await encode(read));
    } catch (cause) {
      if (!(cause instanceof Refused))
        throw new Error(`input ${i}: ${Buffer.from(bytes).toString('base64')}`, { cause });
      outcomes.refused++;
    }
    expect(performance.now() - began).toBeLessThan(2000);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(500e6);
  // Both answers must be common, or the damage is too harsh or too mild to find anything.
  expect(outcomes.model).toBeGreaterThan(1000);
  expect(outcomes.refused).toBeGreaterThan(5000);
}, 60_000);

test('every truncation of a model is refused or is a model', async () => {
  for (const bytes of await Promise.all(seeds.map(encode))) {
    for (let length = 0; length < bytes.length; length++) {
      try {
        decode(bytes.subarray(0, length));
      } catch (cause) {
        expect(cause).toBeInstanceOf(Refused);
      }
    }
  }
}, 30_000);
