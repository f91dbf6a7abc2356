// What the tests of methods share: models beyond the tiny ones, cutting one, and the float model a cut one must equal.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from '../../../src/engine/formats/onnx';
import { replaceGraph, withInitializers } from '../../../src/engine/graph/edit';
import { elementCount, type Model, type Node, type Tensor } from '../../../src/engine/graph/graph';
import { type LayerSite, listLayers } from '../../../src/engine/graph/layers';
import {
  floatTensor,
  int64Tensor,
  numbersOf,
  readBytes,
  readFloats,
  unpackCodes,
} from '../../../src/engine/graph/tensor';
import { everyGraph } from '../../../src/engine/graph/walk';
import type { Kernels } from '../../../src/engine/kernels';
import type { Calibration } from '../../../src/engine/measure/calibration';
import type { Gathering } from '../../../src/engine/methods/cutting/gathering';
import { Scratch } from '../../../src/engine/methods/cutting/scratch';
import { hollowWorkshop, kernelWorkshop, type Workshop } from '../../../src/engine/methods/cutting/workshop';
import type { LayerCut } from '../../../src/engine/methods/method';
import { readRecipe } from '../../../src/engine/recipe';
import { subjectOf, type Taken, takeSteps } from '../../../src/engine/recipe-steps';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { partsOf, type TrainingData } from '../../../src/engine/train/training-data';
import { graph, model, node, randomWeights, tinyConv, tinyIf, tinyLm, tinyMlp, value } from '../models';

/** The part of a gathering that only steps which train look at. */
export const withoutTraining = {
  training: null,
  seed: 7,
  parent: '',
  stopping: () => false,
  tellTraining: () => {},
  curve: () => {},
  learnt: () => {},
} as const satisfies Partial<Gathering>;

const weight = (name: string, dims: number[], seed: number): Tensor =>
  floatTensor(name, dims, randomWeights(elementCount(dims), 0.2, seed));

/** Every form of Gemm: alpha, beta, transposed left side, a bias as a full matrix; and odd sizes. */
export function oddGemms(): Model {
  return model({
    name: 'odd-gemms',
    inputs: [value('x', 'float32', [7, 5])],
    outputs: [value('y', 'float32', [5, 9])],
    nodes: [
      node('Gemm', ['x', 'a.weight', 'a.bias'], ['a'], { transA: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
      node('Gemm', ['a', 'b.weight', 'b.bias'], ['b'], { transB: 1 }),
      node('MatMul', ['b', 'c.weight'], ['c']),
      node('Gemm', ['c', 'd.weight'], ['y'], { alpha: { float: -1.25 } }),
    ],
    initializers: [
      weight('a.weight', [7, 300], 1),
      weight('a.bias', [5, 300], 2),
      weight('b.weight', [45, 300], 3),
      weight('b.bias', [1, 45], 4),
      weight('c.weight', [45, 33], 5),
      weight('d.weight', [33, 9], 6),
    ],
  });
}

/** A transposed convolution, a batched product, a weight on the left, and a convolution with more than a group of weights. */
export function oddProducts(): Model {
  return model({
    name: 'odd-products',
    inputs: [value('x', 'float32', [1, 4, 8, 8])],
    outputs: [value('y', 'float32', [1, 6, 20, 15])],
    nodes: [
      node('Conv', ['x', 'conv.weight'], ['c'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
      node('ConvTranspose', ['c', 'up.weight'], ['u'], { kernel_shape: [2, 2], strides: [2, 2] }),
      node('MatMul', ['u', 'batched.weight'], ['m']),
      node('MatMul', ['left.weight', 'm'], ['y']),
    ],
    initializers: [
      weight('conv.weight', [40, 4, 3, 3], 1),
      weight('up.weight', [40, 6, 2, 2], 2),
      weight('batched.weight', [6, 16, 15], 3),
      weight('left.weight', [20, 16], 4),
    ],
  });
}

/** x[3, 2, 20] → LSTM of 24, both directions → LSTM of 16. */
export function tinyLstm(): Model {
  return model({
    name: 'tiny-lstm',
    inputs: [value('x', 'float32', [3, 2, 20])],
    outputs: [value('y', 'float32', [3, 1, 2, 16])],
    nodes: [
      node('LSTM', ['x', 'a.w', 'a.r', 'a.b'], ['h'], { hidden_size: 24, direction: 'bidirectional' }, { name: 'a' }),
      node('Squeeze', ['h0', 'axes'], ['s']),
      node('LSTM', ['s', 'b.w', 'b.r'], ['y'], { hidden_size: 16 }, { name: 'b' }),
      node('ReduceSum', ['h', 'axes'], ['h0'], { keepdims: 1 }),
    ].sort(
      (one, two) =>
        ['a', 'ReduceSum_h0', 'Squeeze_s', 'b'].indexOf(one.name) -
        ['a', 'ReduceSum_h0', 'Squeeze_s', 'b'].indexOf(two.name),
    ),
    initializers: [
      weight('a.w', [2, 96, 20], 1),
      weight('a.r', [2, 96, 24], 2),
      weight('a.b', [2, 192], 3),
      weight('b.w', [1, 64, 24], 4),
      weight('b.r', [1, 64, 16], 5),
      {
        name: 'axes',
        dtype: 'int64',
        dims: [1],
        data: { kind: 'bytes', bytes: new Uint8Array(BigInt64Array.of(1n).buffer) },
      },
    ],
  });
}

/** An LSTM inside an If, its gates put in another order on the way: as PyTorch exports cells (Silero VAD). */
export function reorderedLstm(): Model {
  const ints = (name: string, ...values: number[]): Tensor => int64Tensor(name, [values.length], values);
  const reordered = (name: string) => [
    node('Slice', [name, 'zero', 'eight', 'axis'], [`${name}.i`]),
    node('Slice', [name, 'eight', 'end', 'axis'], [`${name}.o`]),
    node('Concat', [`${name}.o`, `${name}.i`], [`${name}.turned`], { axis: 0 }),
    node('Unsqueeze', [`${name}.turned`, 'zero'], [`${name}.lead`]),
  ];
  const branch = (name: string) =>
    graph({
      name,
      outputs: [value(`${name}.y`, 'float32', [3, 1, 2, 16])],
      nodes: [
        ...reordered('w').map((one) => renamed(one, name)),
        ...reordered('r').map((one) => renamed(one, name)),
        node('LSTM', ['x', `${name}.w.lead`, `${name}.r.lead`], [`${name}.y`], { hidden_size: 16 }, { name: 'LSTM' }),
      ],
    });
  return model({
    name: 'reordered-lstm',
    inputs: [value('x', 'float32', [3, 2, 20]), value('which', 'bool', [])],
    outputs: [value('y', 'float32', [3, 1, 2, 16])],
    nodes: [node('If', ['which'], ['y'], { then_branch: branch('a'), else_branch: branch('b') }, { name: 'If' })],
    initializers: [
      weight('w', [64, 20], 1),
      weight('r', [64, 16], 2),
      ints('zero', 0),
      ints('eight', 8),
      ints('end', 64),
      ints('axis', 0),
    ],
  });
}

function renamed(one: Node, branch: string): Node {
  const inside = (name: string): string => (name.includes('.') ? `${branch}.${name}` : name);
  return { ...one, name: '', inputs: one.inputs.map(inside), outputs: one.outputs.map(inside) };
}

export const subjects: Record<string, () => Model> = {
  'tiny-mlp': () => tinyMlp(),
  'tiny-conv': () => tinyConv(),
  'tiny-lm': () => tinyLm(),
  'tiny-if': () => tinyIf(),
  'odd-gemms': oddGemms,
  'odd-products': oddProducts,
  'tiny-lstm': tinyLstm,
  'reordered-lstm': reorderedLstm,
};

/** Feeds for every input of a tiny model; ids below 50, one flag per If. */
export function feedsOf({ graph }: Model, seed = 9): Feeds {
  const feeds: Feeds = {};
  for (const { name, type } of graph.inputs) {
    if (type?.kind !== 'tensor') continue;
    const dims = (type.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 3));
    const count = elementCount(dims);
    if (type.dtype === 'bool') feeds[name] = { dtype: 'bool', dims, data: Uint8Array.of(seed % 2) };
    else if (type.dtype === 'int64')
      feeds[name] = {
        dtype: 'int64',
        dims,
        data: BigInt64Array.from({ length: count }, (_, i) => BigInt((i * 13) % 50)),
      };
    else feeds[name] = { dtype: 'float32', dims, data: randomWeights(count, 1, seed) };
  }
  return feeds;
}

export interface CutModel {
  readonly taken: Taken;
  readonly cuts: readonly LayerCut[];
}

export async function take(given: Model, steps: readonly unknown[], workshop: Workshop): Promise<CutModel> {
  const turning = takeSteps(await subjectOf(given), readRecipe({ lathe: 1, steps }), workshop);
  const cuts: LayerCut[] = [];
  for (;;) {
    const next = await turning.next();
    if (next.done) return { taken: next.value, cuts };
    cuts.push(next.value.cut);
  }
}

/** What `feedsOf` gives for some seeds, as a dataset would. */
function calibrationOf(given: Model): Calibration {
  const seeds = [8, 9, 10, 11];
  return {
    samples: seeds.length,
    notes: [],
    async *batches(limit = seeds.length) {
      for (const seed of seeds.slice(0, limit)) yield feedsOf(given, seed);
    },
  };
}

/** A dozen of what `feedsOf` gives, each to be answered with other numbers than the model answers now; null where it answers with none. */
async function trainingOf(given: Model): Promise<TrainingData | null> {
  const output = given.graph.outputs[0]!.name;
  const samples = 12;
  const session = await openSession(await encode(given), { threads: 1 });
  const answers: Float64Array[] = [];
  try {
    for (let seed = 0; seed < samples; seed++) {
      const { data } = (await session.run(feedsOf(given, seed), [output]))[output]!;
      if (!(data instanceof Float32Array)) return null;
      answers.push(Float64Array.from(data, (value, i) => value + Math.sin(i + seed)));
    }
  } finally {
    await session.close();
  }
  const splits = [{ name: 'train', samples, labelled: true }] as const;
  return partsOf({
    summary: {
      path: '/bench',
      name: 'bench',
      task: 'regression',
      kind: 'npy',
      splits: [...splits],
      classes: null,
      notes: [],
      spec: { lathe: 1, task: 'regression', splits: {} },
    },
    files: [],
    samples: (split) => (split === 'train' ? samples : 0),
    notes: () => [],
    adaptations: () => [],
    async *batches(_split, _ports, { from = 0, limit = samples }) {
      for (let seed = from; seed < Math.min(samples, from + limit); seed++) {
        const data = answers[seed]!;
        yield {
          feeds: feedsOf(given, seed),
          labels: null,
          targets: { data, width: data.length },
          index: seed,
          samples: 1,
        };
      }
    },
  });
}

/** Cuts with real kernels; `use` may read the new tensors while it runs. */
export async function withCut<T>(
  kernels: Kernels,
  given: Model,
  steps: readonly unknown[],
  use: (cut: CutModel, folder: string, workshop: Workshop) => Promise<T>,
  seed: number = withoutTraining.seed,
  change: (gathering: Gathering) => Gathering = (gathering) => gathering,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lathe-methods-'));
  const scratch = await Scratch.open(join(folder, `scratch-${randomBytes(4).toString('hex')}.bin`));
  try {
    const { signal } = new AbortController();
    const parent = join(folder, 'parent.onnx');
    await writeFile(parent, await encode(given));
    const gathering: Gathering = {
      declared: new Map(),
      calibration: calibrationOf(given),
      folder,
      kernels,
      signal,
      tell: () => {},
      ...withoutTraining,
      seed,
      training: await trainingOf(given),
      parent,
    };
    const workshop = kernelWorkshop(kernels, scratch, signal, change(gathering));
    return await use(await take(given, steps, workshop), folder, workshop);
  } finally {
    await scratch.remove();
    await rm(folder, { recursive: true });
  }
}

export const foretell = (given: Model, steps: readonly unknown[]): Promise<CutModel> =>
  take(given, steps, hollowWorkshop());

/** The original model with every cut weight replaced by what its codes stand for: what the cut model must compute. */
export async function reconstructed(original: Model, after: readonly LayerSite[]): Promise<Model> {
  const now = new Map(after.map((site) => [site.name, site]));
  let next = original;
  const done = new Set<Tensor>();
  for (const site of listLayers(original)) {
    const then = now.get(site.name);
    if (!then?.scales || done.has(site.tensor)) continue;
    done.add(site.tensor);
    const values = await dequantized(site, then);
    const replaced = floatTensor(site.weight, site.tensor.dims, values);
    for (const { graph } of everyGraph(next)) {
      if (graph.initializers.has(site.weight)) next = replaceGraph(next, graph, withInitializers(graph, [replaced]));
      const constant = graph.nodes.find(({ outputs }) => outputs[0] === site.weight);
      if (!constant) continue;
      const attributes = new Map(constant.attributes).set('value', { type: 'tensor' as const, value: replaced });
      const nodes = graph.nodes.map((one) => (one === constant ? { ...one, attributes } : one));
      next = replaceGraph(next, graph, { ...graph, nodes });
    }
  }
  return next;
}

/** (code − zero point) · scale in the order the original tensor is stored in. Written apart from the code under test. */
async function dequantized(before: LayerSite, after: LayerSite): Promise<Float32Array> {
  const { tensor, bits } = after;
  const scales = await readFloats(after.scales!);
  const count = elementCount(before.tensor.dims);
  const out = new Float32Array(count);
  const bytes = await readBytes(tensor);
  if (after.op === 'MatMulNBits' || after.op === 'GatherBlockQuantized') {
    const transposed = before.op !== 'Gather' && before.channelAxis === 1;
    const [n, k] = (transposed ? before.tensor.dims.toReversed() : before.tensor.dims) as [number, number];
    const groups = after.scales!.dims[1]!;
    const rowCodes = bytes.length / n;
    const block = tensor.dims.length === 3 ? (tensor.dims[2]! * 8) / bits : Number(attributeInt(after, 'block_size'));
    // Between the levels they are floats, one a group; else codes, packed.
    const between = after.zeroPoints && after.zeroPoints.dtype !== 'uint8' ? await readFloats(after.zeroPoints) : null;
    const zero = after.zeroPoints && !between ? await readBytes(after.zeroPoints) : null;
    for (let row = 0; row < n; row++) {
      const codes = unpack(bytes.subarray(row * rowCodes, (row + 1) * rowCodes), bits);
      const zeros = between
        ? between.subarray(row * groups, (row + 1) * groups)
        : zero
          ? unpack(zero.subarray((row * zero.length) / n, ((row + 1) * zero.length) / n), bits)
          : null;
      for (let column = 0; column < k; column++) {
        const group = Math.floor(column / block);
        const value = (codes[column]! - (zeros ? zeros[group]! : 2 ** (bits - 1))) * scales[row * groups + group]!;
        out[transposed ? column * n + row : row * k + column] = value;
      }
    }
    return out;
  }
  // DequantizeLinear: codes in the stored order, or as [N, K] before a Reshape, which is the same order.
  const codes = numbersOf(tensor.dtype, count, bytes, tensor.name) as Int8Array;
  const zeros = after.zeroPoints
    ? (numbersOf(
        after.zeroPoints.dtype,
        elementCount(after.zeroPoints.dims),
        await readBytes(after.zeroPoints),
        '',
      ) as Int8Array)
    : null;
  const dequantize = after.via.find(({ op }) => op === 'DequantizeLinear')!;
  const axis = Number((dequantize.attributes.get('axis') as { value: bigint }).value);
  const blockSize = dequantize.attributes.get('block_size') as { value: bigint } | undefined;
  const inner = elementCount(tensor.dims.slice(axis + 1));
  const along = tensor.dims[axis]!;
  for (let i = 0; i < count; i++) {
    const at = Math.floor(i / inner) % along;
    const outer = Math.floor(i / inner / along);
    const groups = blockSize ? Math.ceil(along / Number(blockSize.value)) : along;
    const group = blockSize ? Math.floor(at / Number(blockSize.value)) : at;
    const index = blockSize ? (outer * groups + group) * inner + (i % inner) : group;
    out[i] = (codes[i]! - (zeros ? zeros[index]! : 0)) * scales[index]!;
  }
  return out;
}

function unpack(bytes: Uint8Array, bits: number): Uint8Array {
  return bits === 8 ? bytes : unpackCodes(bytes, bits as 2 | 4, (bytes.length * 8) / bits);
}

function attributeInt(site: LayerSite, name: string): bigint | undefined {
  const found = site.node.attributes.get(name);
  return found?.type === 'int' ? found.value : undefined;
}
