// Small models for tests, built in memory, and a generator of models of many gigabytes.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { allInside, encodeModel, type Placement } from '../../src/engine/formats/onnx/encode-model';
import type {
  Attribute,
  DataType,
  Dim,
  Graph,
  LocalFunction,
  Model,
  Node,
  Tensor,
  Value,
} from '../../src/engine/graph/graph';
import { floatTensor } from '../../src/engine/graph/tensor';

/** Plain values for attributes: whole numbers are ints, others floats; number arrays are ints, Float32Arrays floats. */
export type PlainAttribute =
  | number
  | bigint
  | string
  | readonly number[]
  | readonly string[]
  | Float32Array
  | Tensor
  | Graph
  | { readonly float: number };

const utf8 = new TextEncoder();

export function attribute(value: PlainAttribute): Attribute {
  if (typeof value === 'bigint') return { type: 'int', value };
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? { type: 'int', value: BigInt(value) }
      : { type: 'float', value: Math.fround(value) };
  }
  if (typeof value === 'string') return { type: 'string', value: utf8.encode(value) };
  if (value instanceof Float32Array) return { type: 'floats', value: [...value] };
  if (Array.isArray(value)) {
    return value.length > 0 && typeof value[0] === 'string'
      ? { type: 'strings', value: value.map((text) => utf8.encode(String(text))) }
      : { type: 'ints', value: value.map((item) => BigInt(item)) };
  }
  if ('float' in value) return { type: 'float', value: Math.fround(value.float) };
  if ('nodes' in value) return { type: 'graph', value };
  return { type: 'tensor', value: value as Tensor };
}

export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, PlainAttribute>> = {},
  more: { readonly name?: string; readonly domain?: string } = {},
): Node {
  return {
    name: more.name ?? `${op}_${outputs[0] ?? ''}`,
    op,
    domain: more.domain ?? '',
    inputs,
    outputs,
    attributes: new Map(Object.entries(attributes).map(([key, value]) => [key, attribute(value)])),
  };
}

export function value(name: string, dtype: DataType = 'float32', shape: readonly Dim[] | null = null): Value {
  return { name, type: { kind: 'tensor', dtype, shape } };
}

export interface GraphParts {
  readonly name?: string;
  readonly inputs?: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers?: readonly Tensor[];
  readonly values?: readonly Value[];
}

export function graph(parts: GraphParts): Graph {
  return {
    name: parts.name ?? 'test',
    nodes: parts.nodes,
    initializers: new Map((parts.initializers ?? []).map((tensor) => [tensor.name, tensor])),
    sparse: new Map(),
    inputs: parts.inputs ?? [],
    outputs: parts.outputs,
    values: new Map((parts.values ?? []).map((item) => [item.name, item])),
  };
}

export interface ModelParts extends GraphParts {
  readonly opset?: number;
  /** Operator sets besides the standard one, e.g. `{ 'com.microsoft': 1 }`. */
  readonly opsets?: Readonly<Record<string, number>>;
  readonly irVersion?: number;
  readonly functions?: readonly LocalFunction[];
}

export function model(parts: ModelParts): Model {
  return {
    irVersion: parts.irVersion ?? 10,
    producerName: 'lathe-test',
    opsets: new Map([['', parts.opset ?? 21], ...Object.entries(parts.opsets ?? {})]),
    metadata: new Map(),
    functions: parts.functions ?? [],
    graph: graph(parts),
  };
}

/** A seeded generator of numbers in [0, 1): the same on every machine (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Roughly normal weights (the sum of four uniforms) with the given deviation. */
export function randomWeights(count: number, deviation = 0.1, seed = 1): Float32Array {
  const next = randomNumbers(seed);
  const scale = deviation * Math.sqrt(3);
  return Float32Array.from({ length: count }, () => (next() + next() + next() + next() - 2) * scale);
}

function weight(name: string, dims: readonly number[], seed: number): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const fanIn = dims.length === 4 ? dims[1]! * dims[2]! * dims[3]! : dims[0]!;
  return floatTensor(name, dims, randomWeights(count, 1 / Math.sqrt(fanIn), seed));
}

/** x[batch, 64] → MatMul 64×96 → Add → Relu → Gemm 96×10 (transB) → y[batch, 10]. */
export function tinyMlp(options: { readonly batch?: Dim; readonly seed?: number } = {}): Model {
  const { batch = 'batch', seed = 1 } = options;
  return model({
    name: 'tiny-mlp',
    inputs: [value('x', 'float32', [batch, 64])],
    outputs: [value('y', 'float32', [batch, 10])],
    nodes: [
      node('MatMul', ['x', 'fc1.weight'], ['h1'], {}, { name: '/fc1/MatMul' }),
      node('Add', ['h1', 'fc1.bias'], ['h2'], {}, { name: '/fc1/Add' }),
      node('Relu', ['h2'], ['h3'], {}, { name: '/Relu' }),
      node('Gemm', ['h3', 'fc2.weight', 'fc2.bias'], ['y'], { transB: 1 }, { name: '/fc2/Gemm' }),
    ],
    initializers: [
      weight('fc1.weight', [64, 96], seed),
      weight('fc1.bias', [96], seed + 1),
      weight('fc2.weight', [10, 96], seed + 2),
      weight('fc2.bias', [10], seed + 3),
    ],
  });
}

/** x[batch, 3, 16, 16] → Conv 8@3×3 → Relu → depthwise Conv → Conv 16@1×1 → GlobalAveragePool → Flatten → Gemm → y[batch, 10]. */
export function tinyConv(options: { readonly batch?: Dim; readonly seed?: number } = {}): Model {
  const { batch = 'batch', seed = 1 } = options;
  const pads = [1, 1, 1, 1];
  return model({
    name: 'tiny-conv',
    inputs: [value('x', 'float32', [batch, 3, 16, 16])],
    outputs: [value('y', 'float32', [batch, 10])],
    nodes: [
      node(
        'Conv',
        ['x', 'conv1.weight', 'conv1.bias'],
        ['c1'],
        { kernel_shape: [3, 3], pads },
        { name: '/conv1/Conv' },
      ),
      node('Relu', ['c1'], ['r1'], {}, { name: '/Relu' }),
      node('Conv', ['r1', 'dw.weight'], ['c2'], { kernel_shape: [3, 3], pads, group: 8 }, { name: '/dw/Conv' }),
      node('Conv', ['c2', 'conv2.weight', 'conv2.bias'], ['c3'], { kernel_shape: [1, 1] }, { name: '/conv2/Conv' }),
      node('Relu', ['c3'], ['r3'], {}, { name: '/Relu_1' }),
      node('GlobalAveragePool', ['r3'], ['p'], {}, { name: '/pool/GlobalAveragePool' }),
      node('Flatten', ['p'], ['f'], { axis: 1 }, { name: '/Flatten' }),
      node('Gemm', ['f', 'fc.weight', 'fc.bias'], ['y'], { transB: 1 }, { name: '/fc/Gemm' }),
    ],
    initializers: [
      weight('conv1.weight', [8, 3, 3, 3], seed),
      weight('conv1.bias', [8], seed + 1),
      weight('dw.weight', [8, 1, 3, 3], seed + 2),
      weight('conv2.weight', [16, 8, 1, 1], seed + 3),
      weight('conv2.bias', [16], seed + 4),
      weight('fc.weight', [10, 16], seed + 5),
      weight('fc.bias', [10], seed + 6),
    ],
  });
}

/** ids[batch, seq] → Gather 50×32 → MatMul 32×32 → Add (residual) → MatMul with the table, transposed (tied) → y[batch, seq, 50]. */
export function tinyLm(options: { readonly seed?: number } = {}): Model {
  const { seed = 1 } = options;
  return model({
    name: 'tiny-lm',
    inputs: [value('ids', 'int64', ['batch', 'seq'])],
    outputs: [value('y', 'float32', ['batch', 'seq', 50])],
    nodes: [
      node('Gather', ['embed.weight', 'ids'], ['e'], { axis: 0 }, { name: '/embed/Gather' }),
      node('MatMul', ['e', 'proj.weight'], ['p'], {}, { name: '/proj/MatMul' }),
      node('Add', ['e', 'p'], ['h'], {}, { name: '/Add' }),
      node('Transpose', ['embed.weight'], ['head'], { perm: [1, 0] }, { name: '/head/Transpose' }),
      node('MatMul', ['h', 'head'], ['y'], {}, { name: '/head/MatMul' }),
    ],
    initializers: [weight('embed.weight', [50, 32], seed), weight('proj.weight', [32, 32], seed + 1)],
  });
}

/** An If whose branches hold their weights as Constants and read `x` from outside: as in Silero VAD. */
export function tinyIf(): Model {
  const branch = (name: string, seed: number): Graph =>
    graph({
      name,
      outputs: [value(`${name}_y`, 'float32', ['batch', 4])],
      nodes: [
        node('Constant', [], [`${name}_w`], { value: weight('', [8, 4], seed) }, { name: `${name}/Constant` }),
        node('MatMul', ['x', `${name}_w`], [`${name}_y`], {}, { name: `${name}/MatMul` }),
      ],
    });
  return model({
    name: 'tiny-if',
    inputs: [value('x', 'float32', ['batch', 8]), value('which', 'bool', [])],
    outputs: [value('y', 'float32', ['batch', 4])],
    nodes: [
      node('If', ['which'], ['y'], { then_branch: branch('then', 1), else_branch: branch('else', 2) }, { name: '/If' }),
    ],
  });
}

export interface LargeModelOptions {
  readonly folder: string;
  /** Of all weights together; rounded down to whole layers, at least one. */
  readonly bytes: number;
  /** Each layer is `width` × `width` float32: 64 MiB at 4,096. */
  readonly width?: number;
  /** `random`: every layer different and not zero. `holes`: nothing is written, the file is sparse. */
  readonly fill?: 'random' | 'holes';
  /** `outside`: model.onnx.data. `inside`: raw_data, past the 2 GiB that other readers manage. */
  readonly where?: 'outside' | 'inside';
}

/** x[batch, width] → (MatMul → Relu)* → y. Returns the model file's path and the names of the weights. */
export async function writeLargeModel(options: LargeModelOptions): Promise<{ path: string; weights: string[] }> {
  const { folder, width = 4096, fill = 'random', where = 'outside' } = options;
  const layerBytes = width * width * 4;
  const layers = Math.max(1, Math.floor(options.bytes / layerBytes));
  const weights = Array.from({ length: layers }, (_, index) => `layers.${index}.weight`);
  const nodes = weights.flatMap((name, index) => {
    const last = index === layers - 1;
    const into = index === 0 ? 'x' : `h${index}`;
    const matmul = node('MatMul', [into, name], [last ? 'y' : `m${index}`], {}, { name: `/layers.${index}/MatMul` });
    return last
      ? [matmul]
      : [matmul, node('Relu', [`m${index}`], [`h${index + 1}`], {}, { name: `/layers.${index}/Relu` })];
  });
  // The tensors point at nothing; only their sizes are used while the message is laid out.
  const tensors = weights.map(
    (name): Tensor => ({
      name,
      dtype: 'float32',
      dims: [width, width],
      data: { kind: 'file', file: '', offset: 0, length: layerBytes },
    }),
  );
  const large = model({
    name: 'large',
    inputs: [value('x', 'float32', ['batch', width])],
    outputs: [value('y', 'float32', ['batch', width])],
    nodes,
    initializers: tensors,
  });
  const outside: Placement = (tensor) => {
    const offset = tensors.indexOf(tensor) * layerBytes;
    return { location: 'model.onnx.data', offset, length: layerBytes };
  };
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'model.onnx');
  const handle = await open(path, 'wx');
  const data = where === 'outside' ? await open(join(folder, 'model.onnx.data'), 'wx') : null;
  const filler = fill === 'random' ? new Filler(layerBytes, width) : null;
  try {
    let at = 0;
    for (const piece of encodeModel(large, data ? outside : allInside).pieces()) {
      if (piece instanceof Uint8Array) {
        await handle.write(piece, 0, piece.length, at);
        at += piece.length;
      } else {
        await filler?.put(handle, at, tensors.indexOf(piece));
        at += layerBytes;
      }
    }
    await handle.truncate(at);
    if (data) {
      for (let index = 0; index < layers; index++) await filler?.put(data, index * layerBytes, index);
      await data.truncate(layers * layerBytes);
    }
  } finally {
    await handle.close();
    await data?.close();
  }
  return { path, weights };
}

/** One layer of pseudo-random weights; every further layer is the same values, begun at another place. */
class Filler {
  private readonly bytes: Uint8Array;

  constructor(layerBytes: number, width: number) {
    const values = new Float32Array(layerBytes / 4);
    // Uniform with the deviation sqrt(2 / width), which a Relu keeps stable over any number of layers.
    const scale = 2 * Math.sqrt(6 / width);
    const next = randomNumbers(7);
    for (let i = 0; i < values.length; i++) values[i] = (next() - 0.5) * scale;
    this.bytes = new Uint8Array(values.buffer);
  }

  async put(handle: FileHandle, offset: number, index: number): Promise<void> {
    const turn = ((index * 40_961) % (this.bytes.length / 4)) * 4;
    const parts = [this.bytes.subarray(turn), this.bytes.subarray(0, turn)];
    let at = offset;
    for (const part of parts) {
      for (let from = 0; from < part.length; ) {
        const { bytesWritten } = await handle.write(part, from, part.length - from, at);
        from += bytesWritten;
        at += bytesWritten;
      }
    }
  }
}
