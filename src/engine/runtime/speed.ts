// How fast the runtime loads and multiplies on this machine: one small model of our own, measured once a process.
import { encode } from '../formats/onnx';
import { makeNode } from '../graph/edit';
import type { Model, Value } from '../graph/graph';
import { floatTensor } from '../graph/tensor';
import { openSession } from './session';

export interface RuntimeSpeed {
  /** Weights loaded and made ready, bytes a second. */
  readonly loadBytesPerSecond: number;
  /** Multiply-accumulates a second in float32, all physical cores. */
  readonly macsPerSecond: number;
}

const side = 1024;
const rows = 32;

let measured: Promise<RuntimeSpeed> | null = null;

/** Takes about 50 ms the first time. */
export function runtimeSpeed(): Promise<RuntimeSpeed> {
  measured ??= measure();
  return measured;
}

async function measure(): Promise<RuntimeSpeed> {
  const value = (name: string): Value => ({ name, type: { kind: 'tensor', dtype: 'float32', shape: [rows, side] } });
  const weights = new Float32Array(side * side).fill(0.5);
  const model: Model = {
    irVersion: 10,
    opsets: new Map([['', 21]]),
    metadata: new Map(),
    functions: [],
    graph: {
      name: 'speed',
      nodes: [makeNode('MatMul', ['x', 'w'], ['y'])],
      initializers: new Map([['w', floatTensor('w', [side, side], weights)]]),
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
  const feeds = {
    x: { dtype: 'float32', dims: [rows, side], data: new Float32Array(rows * side).fill(0.25) },
  } as const;
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await session.run(feeds);
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  await session.close();
  return { loadBytesPerSecond: bytes.byteLength / loadSeconds, macsPerSecond: (rows * side * side) / best };
}
