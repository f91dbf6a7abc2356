// Convolutions, pools, normalisations, recurrent networks and attention: outputs and gradients against those PyTorch computed in float64.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { elementCount, type Model, type Node, type Tensor } from '../../../src/engine/graph/graph';
import { floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { decompose } from '../../../src/engine/train/decompose';
import { withBatchStatistics } from '../../../src/engine/train/decompose/batch-statistics';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { numbersTensor } from '../../../src/engine/train/tape';
import { model, node, type PlainAttribute, value } from '../models';
import { distance } from './gradient-check';

interface Drawn {
  readonly dims: readonly number[];
  readonly seed: number;
  readonly scale: number;
  readonly mean: number;
}

/** As gradients-conv.py writes them. */
interface Recorded {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly opset?: number;
  readonly attributes: Readonly<Record<string, PlainAttribute>>;
  readonly inputs: Readonly<Record<string, Drawn>>;
  /** Which input of the node each is, where they do not simply follow each other. */
  readonly slots?: readonly number[];
  /** Sizes of a Resize. */
  readonly sizes?: readonly number[];
  /** Attention with a cache: empty, the sequences full. */
  readonly full?: boolean;
  /** BatchNormalization by the batch. */
  readonly train: boolean;
  readonly outputs: readonly { readonly dims: readonly number[]; readonly values: string }[];
  readonly gradients: Readonly<Record<string, string>>;
}

const cases = JSON.parse(
  readFileSync(new URL('../../oracles/gradients-conv.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/** Uniform in mean ± scale: the generator of gradients-conv.py. */
function drawn({ dims, seed, scale, mean }: Drawn): Float32Array {
  let state = seed;
  return Float32Array.from({ length: elementCount(dims) }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return mean + scale * (state / 2 ** 31 - 1);
  });
}

const unpacked = (text: string): Float32Array => new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);

function nodeOf(one: Recorded): { node: Node; constants: Tensor[] } {
  const names = Object.keys(one.inputs);
  const constants: Tensor[] = [];
  const inputs: string[] = [];
  for (const [i, name] of names.entries()) inputs[one.slots?.[i] ?? i] = name;
  if (one.sizes) {
    inputs[3] = 'sizes';
    constants.push(int64Tensor('sizes', [one.sizes.length], one.sizes));
  }
  if (one.full) {
    const { dims } = one.inputs.q!;
    const last = Array.from({ length: dims[0]! }, () => dims[1]! - 1);
    constants.push(
      numbersTensor('last', 'int32', [last.length], last),
      numbersTensor('total', 'int32', [], [dims[1]!]),
    );
    inputs[5] = 'last';
    inputs[6] = 'total';
  }
  const outputs = one.outputs.map((_, i) => `y${i}`);
  const dense = Array.from(inputs, (name) => name ?? '');
  return { node: node(one.op, dense, outputs, one.attributes, { name: 'it', domain: one.domain }), constants };
}

/** The node with the loss Σ y·r behind it; r is drawn as in the script. */
function modelOf(one: Recorded, index: number): Model {
  const { node: it, constants } = nodeOf(one);
  const pulled = one.outputs.flatMap(({ dims }, i) => {
    constants.push(floatTensor(`r${i}`, dims, drawn({ dims, seed: 1000 * index + 500 + i, scale: 1, mean: 0 })));
    return [
      node('Mul', [`y${i}`, `r${i}`], [`pulled${i}`]),
      node('ReduceSum', [`pulled${i}`], [`part${i}`], { keepdims: 0 }),
    ];
  });
  const isOrdinary = one.op !== 'BatchNormalization';
  const stays = Object.entries(one.inputs).filter(([name]) => isOrdinary || name === 'x');
  for (const [name, spec] of Object.entries(one.inputs))
    if (!stays.some(([other]) => other === name)) constants.push(floatTensor(name, spec.dims, drawn(spec)));
  return model({
    opset: one.opset ?? 21,
    irVersion: (one.opset ?? 21) > 21 ? 11 : 10,
    ...(one.domain ? { opsets: { [one.domain]: 1 } } : {}),
    inputs: stays.map(([name, { dims }]) => value(name, 'float32', dims)),
    outputs: [value('loss', 'float32', []), ...one.outputs.map(({ dims }, i) => value(`y${i}`, 'float32', dims))],
    nodes: [
      it,
      ...pulled,
      node(
        'Sum',
        one.outputs.map((_, i) => `part${i}`),
        ['loss'],
      ),
    ],
    initializers: constants,
  });
}

describe('operators', () => {
  it.each(cases.map((one, index) => [one.name, one, index] as const))('%s', async (_, one, index) => {
    const dims = new Map(Object.entries(one.inputs).map(([name, input]) => [name, input.dims]));
    const fixed = await withFixedInputs(modelOf(one, index), dims);
    const trained = one.train ? withBatchStatistics(fixed.model, fixed.known) : fixed;
    const written = await decompose(trained.model, trained.known);
    const wrt = Object.keys(one.gradients);
    const keep = one.outputs.map((__, i) => `y${i}`);
    const made = await differentiate(written.model, { loss: 'loss', wrt, keep, known: written.known });
    const session = await openSession(await encode(made.model), { threads: 1 });
    const feeds = Object.fromEntries(
      session.inputs.map(({ name }) => {
        const spec = one.inputs[name]!;
        return [name, { dtype: 'float32' as const, dims: spec.dims, data: drawn(spec) }];
      }),
    );
    const answer = await session.run(feeds);
    await session.close();
    for (const [i, { dims: size, values }] of one.outputs.entries()) {
      expect(answer[`y${i}`]!.dims).toEqual(size);
      expect(distance(answer[`y${i}`]!.data as Float32Array, unpacked(values)), `output ${i}`).toBeLessThan(1e-5);
    }
    for (const [name, values] of Object.entries(one.gradients)) {
      const gradient = answer[made.gradients.get(name)!]!;
      expect(gradient.dims).toEqual(one.inputs[name]!.dims);
      expect(distance(gradient.data as Float32Array, unpacked(values)), `gradient of ${name}`).toBeLessThan(1e-5);
    }
  });
});
