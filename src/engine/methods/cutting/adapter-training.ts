// Adapters learn: where they begin, the training of them alone, and what came of it.
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Adapter, AdapterSet } from '../../../contract/words/adapter';
import { write } from '../../formats/onnx';
import { freshName, namesIn, withInitializers, withoutUnused } from '../../graph/edit';
import { elementCount, type Model, type TensorData, type Value } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { floatTensor } from '../../graph/tensor';
import { openSession } from '../../runtime/session';
import type { TrainSettings } from '../../train/ask';
import { train } from '../../train/loop';
import { objectiveOf } from '../../train/objective';
import type { Parameter } from '../../train/optimizer';
import { randomFor } from '../../train/random';
import { type AdapterData, scalingOf, withAdapters, withoutBias } from './adapters';
import type { Gathering } from './gathering';
import { answerOf, labelled, portsOf, recordOf, taskOf } from './training';

/** A of [inputs][rank] and B of [rank][outputs]. */
export interface Factors {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

export interface LearntAdapter extends Factors {
  /** DoRA's, with the lengths of the channels as they have become. */
  readonly magnitude?: Float32Array;
  readonly norm?: Float32Array;
}

/** A as a linear layer begins (uniform in ±1/√inputs), B zero: the answers do not change. */
export function emptyFactors({ inputs, outputs }: Adapter, rank: number, random: () => number): Factors {
  const bound = 1 / Math.sqrt(inputs);
  return {
    a: Float32Array.from({ length: inputs * rank }, () => (2 * random() - 1) * bound),
    b: new Float32Array(rank * outputs),
  };
}

/** The sequence of one adapter's random numbers. */
export const adapterRandom = (seed: number, index: number): (() => number) => randomFor(seed, 'adapter', index);

/** The graph that trains: adapters with their numbers as initializers, and those as parameters. `squares`: ‖W‖² of each output, for DoRA. */
export function trainee(
  base: Model,
  sites: readonly LayerSite[],
  set: AdapterSet,
  dataOf: (adapter: Adapter) => AdapterData,
): { model: Model; parameters: Parameter[] } {
  const model = withAdapters(base, sites, set, dataOf);
  const parameters = set.adapters.flatMap(({ a, b, magnitude }) =>
    [a, b, ...(magnitude ? [magnitude] : [])].map((name) => {
      const { dims } = model.graph.initializers.get(name)!;
      return { name, dims, count: elementCount(dims), decays: dims.length > 1 };
    }),
  );
  return { model, parameters };
}

export interface AdapterTraining {
  readonly base: Model;
  readonly sites: readonly LayerSite[];
  readonly set: AdapterSet;
  readonly starts: readonly Factors[];
  readonly settings: TrainSettings;
  readonly title: string;
  readonly gathering: Gathering;
}

/** Trains every adapter of the set; the answer goes with `set.adapters`. */
export async function trainAdapters(asked: AdapterTraining): Promise<LearntAdapter[]> {
  const { base, sites, set, starts, settings, title, gathering } = asked;
  const data = labelled(gathering.training, title);
  const hasMagnitude = set.adapters.some(({ magnitude }) => magnitude !== undefined);
  const squares = hasMagnitude ? await channelSquares(base, sites, set, null, gathering.folder) : [];
  const begun = hasMagnitude ? await channelSquares(base, sites, set, starts, gathering.folder) : [];
  const { model, parameters } = trainee(base, sites, set, (one) => {
    const i = set.adapters.indexOf(one);
    return {
      a: bytesOf(starts[i]!.a),
      b: bytesOf(starts[i]!.b),
      ...(one.magnitude
        ? {
            magnitude: bytesOf(Float32Array.from(begun[i]!, Math.sqrt)),
            squares: bytesOf(Float32Array.from(squares[i]!)),
          }
        : {}),
    };
  });
  const trained = await train({
    model,
    ports: portsOf(model.graph),
    parameters,
    objective: objectiveOf(taskOf(data), answerOf(model.graph)),
    data,
    settings,
    seed: gathering.seed,
    folder: gathering.folder,
    signal: gathering.signal,
    stopping: gathering.stopping,
    tell: gathering.tellTraining,
    tellReading: gathering.tell,
    curve: gathering.curve,
  });
  gathering.learnt(recordOf(trained, title));
  const factors = set.adapters.map(({ a, b }) => ({ a: trained.weights.get(a)!, b: trained.weights.get(b)! }));
  const ended = hasMagnitude ? await channelSquares(base, sites, set, factors, gathering.folder) : [];
  return set.adapters.map(({ magnitude }, i) => ({
    ...factors[i]!,
    ...(magnitude ? { magnitude: trained.weights.get(magnitude)!, norm: Float32Array.from(ended[i]!, Math.sqrt) } : {}),
  }));
}

/**
 * ‖W + s·A·B‖² of each output of each layer (‖W‖² without factors), in float64. The weights are read off the layers themselves, as they answer
 * to the identity: codes and their scales need no reading of their own.
 */
async function channelSquares(
  base: Model,
  sites: readonly LayerSite[],
  set: AdapterSet,
  factors: readonly Factors[] | null,
  folder: string,
): Promise<Float64Array[]> {
  const { graph } = base;
  const taken = namesIn(graph);
  const sizes = new Set(set.adapters.map(({ inputs }) => inputs));
  const identities = new Map(
    [...sizes].map((size) => [size, identityTensor(freshName(taken, `identity_${size}`), size)]),
  );
  const outputs: Value[] = [];
  const products = sites.map(({ node }, i) => {
    const { inputs, outputs: width } = set.adapters[i]!;
    const name = freshName(taken, `weights_${i}`);
    outputs.push({ name, type: { kind: 'tensor', dtype: 'float32', shape: [inputs, width] } });
    return { ...withoutBias(node, identities.get(inputs)!.name), outputs: [name] };
  });
  const nodes = [...graph.nodes, ...products];
  const asked = withoutUnused({
    ...withInitializers(graph, identities.values()),
    ...{ nodes, inputs: [], outputs, values: new Map() },
  });
  const place = join(folder, `weights-${randomBytes(4).toString('hex')}`);
  await mkdir(place, { recursive: true });
  try {
    const [file] = await write({ ...base, graph: asked }, { folder: place, file: 'weights.onnx' });
    const session = await openSession(join(place, file!), {
      level: 'disabled',
      doing: 'reading the weights of layers',
    });
    try {
      const found: Float64Array[] = [];
      for (const [i, one] of set.adapters.entries()) {
        const { name } = outputs[i]!;
        const weights = (await session.run({}, [name]))[name]!.data as Float32Array;
        found.push(squaresOf(weights, one, set, factors?.[i] ?? null));
      }
      return found;
    } finally {
      await session.close();
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function squaresOf(weights: Float32Array, one: Adapter, set: AdapterSet, factors: Factors | null): Float64Array {
  const { inputs, outputs } = one;
  const s = scalingOf(set);
  const squares = new Float64Array(outputs);
  for (let i = 0; i < inputs; i++) {
    for (let o = 0; o < outputs; o++) {
      let added = 0;
      if (factors)
        for (let k = 0; k < set.rank; k++) added += factors.a[i * set.rank + k]! * factors.b[k * outputs + o]!;
      squares[o]! += (weights[i * outputs + o]! + s * added) ** 2;
    }
  }
  return squares;
}

function identityTensor(name: string, size: number) {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values[i * (size + 1)] = 1;
  return floatTensor(name, [size, size], values);
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): TensorData => ({
  kind: 'bytes',
  bytes: new Uint8Array(buffer, byteOffset, byteLength),
});
