// A few nodes made into a model with a loss; its gradients by the rules, and by finite differences.
import { encode } from '../../../src/engine/formats/onnx';
import { type DataType, elementCount, type Model, type Node, type Tensor } from '../../../src/engine/graph/graph';
import { bytesTensor, readDoubles } from '../../../src/engine/graph/tensor';
import { type Feeds, openSession, type Session } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { numbersTensor } from '../../../src/engine/train/tape';
import { forward } from '../../oracles/forward';
import { model, node, value } from '../models';

export type Precision = 'float32' | 'float64';

export interface Input {
  readonly dims: readonly number[];
  readonly values: readonly number[];
  /** Floats where it is not said. */
  readonly dtype?: 'int64' | 'bool';
}

export interface Checked {
  readonly nodes: readonly Node[];
  readonly constants: readonly Tensor[];
  readonly inputs: Readonly<Record<string, Input>>;
  readonly outputs: readonly string[];
  /** Dims of each output. */
  readonly outputDims: readonly (readonly number[])[];
}

/** What output elements count in the loss: no zeros, no repeats side by side, exact in float32. As in gradients.py. */
export const pull = (count: number): number[] => Array.from({ length: count }, (_, i) => (((i * 7) % 11) - 5.5) / 4);

const vector = ({ dtype, values }: Input, precision: Precision): Feeds[string]['data'] => {
  if (dtype === 'int64') return BigInt64Array.from(values, BigInt);
  if (dtype === 'bool') return Uint8Array.from(values);
  return precision === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
};

export function feedsOf(inputs: Readonly<Record<string, Input>>, precision: Precision): Feeds {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      { dtype: input.dtype ?? precision, dims: input.dims, data: vector(input, precision) },
    ]),
  );
}

/** The nodes with `loss` = Σ over outputs of Σ y·pull behind them. */
export async function withLoss(checked: Checked, precision: Precision): Promise<Model> {
  const constants = await Promise.all(checked.constants.map((tensor) => inPrecision(tensor, precision)));
  const nodes = checked.nodes.map((each) => (precision === 'float64' ? widened(each) : each));
  const parts: string[] = [];
  for (const [i, output] of checked.outputs.entries()) {
    const dims = checked.outputDims[i]!;
    constants.push(numbersTensor(`pull${i}`, precision, dims, pull(elementCount(dims))));
    nodes.push(node('Mul', [output, `pull${i}`], [`pulled${i}`]));
    nodes.push(node('ReduceSum', [`pulled${i}`], [`part${i}`], { keepdims: 0 }));
    parts.push(`part${i}`);
  }
  nodes.push(parts.length === 1 ? node('Identity', parts, ['loss']) : node('Sum', parts, ['loss']));
  const wide = checked.nodes.some(({ op }) => op === 'Swish');
  return model({
    // Swish came with opset 24, IR 11.
    ...(wide ? { opset: 24, irVersion: 11 } : {}),
    inputs: Object.entries(checked.inputs).map(([name, { dims, dtype }]) => value(name, dtype ?? precision, dims)),
    outputs: [value('loss', precision, [])],
    nodes,
    initializers: constants,
  });
}

async function inPrecision(tensor: Tensor, precision: Precision): Promise<Tensor> {
  if (tensor.dtype !== 'float32' || precision === 'float32') return tensor;
  const values = await readDoubles(tensor);
  return bytesTensor(tensor.name, 'float64', tensor.dims, new Uint8Array(values.buffer as ArrayBuffer));
}

const code: Partial<Record<DataType, bigint>> = { float64: 11n };

/** Casts between float types stay where the numbers are wide. */
function widened(each: Node): Node {
  return each.op === 'Cast' ? { ...each, attributes: new Map([['to', { type: 'int', value: code.float64! }]]) } : each;
}

export interface Gradients {
  readonly outputs: readonly Float64Array[];
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

/** Outputs and gradients as the runtime computes them from the rules. */
export async function byRules(checked: Checked, precision: Precision, wrt: readonly string[]): Promise<Gradients> {
  const plain = await withLoss(checked, precision);
  const feeds = feedsOf(checked.inputs, precision);
  const { model: fixed, known } = await withFixedInputs(plain, new Map(), feeds);
  const made = await differentiate(fixed, { loss: 'loss', wrt, keep: checked.outputs, known });
  const session = await openSession(await encode(made.model), { threads: 1 });
  try {
    const inputs = new Set(session.inputs.map(({ name }) => name));
    const answer = await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))));
    const doubles = (name: string): Float64Array => Float64Array.from(answer[name]!.data as Float64Array);
    return {
      outputs: checked.outputs.map(doubles),
      gradients: new Map([...made.gradients].map(([name, output]) => [name, doubles(output)])),
    };
  } finally {
    await session.close();
  }
}

const step = 1e-5;

/** Central differences of the loss in float64, by the runtime, or by the plain forward where it has no such kernel. */
export async function byDifferences(checked: Checked, wrt: readonly string[]): Promise<Map<string, Float64Array>> {
  const loss = await lossFunction(checked);
  try {
    const found = new Map<string, Float64Array>();
    for (const name of wrt) {
      const input = checked.inputs[name]!;
      const slopes = new Float64Array(input.values.length);
      for (const [i, at] of input.values.entries()) {
        const moved = async (to: number): Promise<number> =>
          loss.of({ ...checked.inputs, [name]: { ...input, values: input.values.with(i, to) } });
        slopes[i] = ((await moved(at + step)) - (await moved(at - step))) / (2 * step);
      }
      found.set(name, slopes);
    }
    return found;
  } finally {
    await loss.close();
  }
}

interface LossFunction {
  of(inputs: Readonly<Record<string, Input>>): Promise<number>;
  close(): Promise<void>;
}

async function lossFunction(checked: Checked): Promise<LossFunction> {
  const plain = plainLoss(checked);
  if (plain) return { of: async (inputs) => plain(inputs), close: async () => {} };
  const session: Session = await openSession(await encode(await withLoss(checked, 'float64')), { threads: 1 });
  return {
    of: async (inputs) => (await session.run(feedsOf(inputs, 'float64'))).loss!.data[0] as number,
    close: () => session.close(),
  };
}

/** The loss of a single node that the runtime cannot compute in float64; null for all others. */
export function plainLoss({ nodes }: Checked): ((inputs: Readonly<Record<string, Input>>) => number) | null {
  const [only] = nodes;
  if (nodes.length !== 1 || !only) return null;
  if (
    !forward(
      only,
      only.inputs.map(() => ({ dims: [], data: new Float64Array(1) })),
    )
  )
    return null;
  return (inputs) => {
    const { data } = forward(
      only,
      only.inputs.map((name) => ({ dims: inputs[name]!.dims, data: Float64Array.from(inputs[name]!.values) })),
    )!;
    const weights = pull(data.length);
    return data.reduce((total, y, i) => total + y * weights[i]!, 0);
  };
}

/** Largest difference against the largest expected value. */
export function distance(found: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  if (found?.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 1e-3;
  let off = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    const difference = Math.abs(found[i]! - expected[i]!);
    off = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(off, difference);
  }
  return off / largest;
}
