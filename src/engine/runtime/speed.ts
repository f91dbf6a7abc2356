// How fast the runtime loads, multiplies and steps through a graph on this machine: small models of our own, measured once a process.
import { encode } from '../formats/onnx';
import { makeNode } from '../graph/edit';
import type { Model, Node, Tensor, Value } from '../graph/graph';
import { floatTensor } from '../graph/tensor';
import { openSession } from './session';

export interface RuntimeSpeed {
  /** Weights loaded and made ready, bytes a second. */
  readonly loadBytesPerSecond: number;
  /** Multiply-accumulates a second in float32, all physical cores. */
  readonly macsPerSecond: number;
  /** Values a second that pass through an operator which only touches each, in arrays the caches do not hold. */
  readonly valuesPerSecond: number;
  /** One run of an empty graph, seconds. */
  readonly runSeconds: number;
  /** What each further node adds, however small. */
  readonly nodeSeconds: number;
}

const side = 1024;
const rows = 32;
const chainLength = 64;
/** Columns of a value that no cache holds, and operators over it. */
const wide = 32_768;
const wideChain = 4;

let measured: Promise<RuntimeSpeed> | null = null;

/** Takes about 100 ms the first time. */
export function runtimeSpeed(): Promise<RuntimeSpeed> {
  measured ??= measure();
  return measured;
}

async function measure(): Promise<RuntimeSpeed> {
  const weights = floatTensor('w', [side, side], new Float32Array(side * side).fill(0.5));
  const one = floatTensor('w', [1], [1]);
  const add = [makeNode('Add', ['x', 'w'], ['y'])];
  // The first session of a process also wakes the runtime.
  await time(add, [one], 1);
  const short = await time(add, [one], 1);
  // Memory that is new to the process is slow by turns: the middle of three.
  const products: Awaited<ReturnType<typeof time>>[] = [];
  for (let i = 0; i < 3; i++) products.push(await time([makeNode('MatMul', ['x', 'w'], ['y'])], [weights], side));
  const product = products.toSorted((a, b) => a.loadSeconds - b.loadSeconds)[1]!;
  const long = await time(chain(chainLength), [one], 1);
  const broad = await time(chain(wideChain), [one], wide);
  return {
    loadBytesPerSecond: product.bytes / Math.max(product.loadSeconds - short.loadSeconds, product.loadSeconds / 4),
    macsPerSecond: (rows * side * side) / product.runSeconds,
    valuesPerSecond: (wideChain * rows * wide) / broad.runSeconds,
    runSeconds: short.runSeconds,
    nodeSeconds: Math.max(0, long.runSeconds - short.runSeconds) / (chainLength - 1),
  };
}

const chain = (length: number): Node[] =>
  Array.from({ length }, (_, i) =>
    makeNode('Add', [i === 0 ? 'x' : `h${i}`, 'w'], [i === length - 1 ? 'y' : `h${i + 1}`]),
  );

/** Loads x[rows, width] → nodes → y once, runs it until it is warm, and takes the fastest run. */
async function time(nodes: readonly Node[], tensors: readonly Tensor[], width: number) {
  const value = (name: string): Value => ({ name, type: { kind: 'tensor', dtype: 'float32', shape: [rows, width] } });
  const model: Model = {
    irVersion: 10,
    opsets: new Map([['', 21]]),
    metadata: new Map(),
    functions: [],
    graph: {
      name: 'speed',
      nodes,
      initializers: new Map(tensors.map((tensor) => [tensor.name, tensor])),
      sparse: new Map(),
      inputs: [value('x')],
      outputs: [value('y')],
      values: new Map(),
    },
  };
  const bytes = await encode(model);
  const loading = performance.now();
  const session = await openSession(bytes, { doing: 'measuring the runtime' });
  const loadSeconds = (performance.now() - loading) / 1000;
  const x = { dtype: 'float32', dims: [rows, width], data: new Float32Array(rows * width).fill(0.25) } as const;
  let runSeconds = Infinity;
  for (let i = 0; i < 6; i++) {
    const started = performance.now();
    await session.run({ x });
    runSeconds = Math.min(runSeconds, (performance.now() - started) / 1000);
  }
  await session.close();
  return { bytes: bytes.byteLength, loadSeconds, runSeconds };
}
