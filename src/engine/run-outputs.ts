// How far the output of each layer moved: child against parent over a few samples, the noise of everything before the layer included.
import type { SplitName } from '../contract/words/dataset';
import { fixedBatchOf, type InputPort, openDataset } from './data';
import { elementCount, type Graph, type Model } from './graph/graph';
import type { LayerSite } from './graph/layers';
import { inferShapes } from './graph/shapes';
import { consumers, producers } from './graph/walk';
import { floatsOf } from './methods/cutting/floats';
import type { Subject } from './methods/method';
import type { Feeds } from './runtime/session';
import { openTaps, type Taps } from './runtime/taps';
import type { DatasetReference, Work } from './tasks';

/** 10·log₁₀(‖Y‖² / ‖Y − Ŷ‖²) by layer; null where nothing moved. Layers that cannot be compared are missing. */
export interface OutputErrors {
  readonly decibels: ReadonlyMap<string, number | null>;
  readonly note: string;
}

export interface OutputRequest {
  readonly parent: Subject;
  readonly child: Model;
  /** Layers whose outputs now come in other units. */
  readonly rescaled: ReadonlySet<string>;
  readonly inputs: readonly InputPort[];
  readonly dataset: DatasetReference;
  /** For temporary copies of both models. */
  readonly folder: string;
  readonly work: Work;
}

const mostSamples = 8;
/** After this no further sample is begun. */
const mostSeconds = 10;
/** Values held at once of each of the two models. */
const mostValues = 2 ** 23;
/** An Add of a bias, a norm, a ReLU, a Clip: what a method may draw into the layer. */
const mostSteps = 4;

export async function compareOutputs(request: OutputRequest): Promise<OutputErrors | null> {
  const { parent, child, rescaled, inputs, folder, work } = request;
  const sites = parent.sites.filter(({ name, graph }) => graph === parent.model.graph && !rescaled.has(name));
  const values = sharedValues(parent.model.graph, child.graph, sites);
  if (values.size === 0) return null;
  const { batches, split } = await firstSamples(request.dataset, inputs);
  const turns = partsOf([...new Set(values.values())], await sizesOf(parent.model));
  const sums = new Map<string, Sum>();
  const since = performance.now();
  let samples = 0;
  for (const turn of turns) {
    const both: Taps[] = [];
    try {
      for (const model of [parent.model, child]) both.push(await openTaps(model, turn, folder));
      let seen = 0;
      for await (const { feeds } of batches()) {
        work.signal.throwIfAborted();
        // Every part of the model sees as many samples as the first did.
        const isLate = performance.now() - since > 1000 * mostSeconds;
        if (samples > 0 && turn !== turns[0] ? seen === samples : seen > 0 && isLate) break;
        const [should, is] = [await both[0]!.run(feeds), await both[1]!.run(asDeclared(feeds, child.graph))];
        for (const value of turn) add(sums, value, floatsOf(should.get(value)!), floatsOf(is.get(value)!));
        seen++;
      }
      samples = seen;
    } finally {
      for (const taps of both) await taps.close();
    }
  }
  const decibels = new Map<string, number | null>();
  for (const [layer, value] of values) {
    const sum = sums.get(value);
    if (!sum || sum.signal === 0 || !Number.isFinite(sum.noise)) continue;
    decibels.set(layer, sum.noise > 0 ? 10 * Math.log10(sum.signal / sum.noise) : null);
  }
  const of = samples === 1 ? 'the first sample' : `the first ${samples} samples`;
  return { decibels, note: `Outputs of layers were compared with the parent's on ${of} of ${split}.` };
}

/** An empty cache in the child's own type: its codes, where it keeps keys and values in fewer bits. */
function asDeclared(feeds: Feeds, { inputs }: Graph): Feeds {
  const changed = { ...feeds };
  for (const { name, type } of inputs) {
    const feed = feeds[name];
    if (feed?.data.length !== 0 || type?.kind !== 'tensor' || type.dtype === feed.dtype) continue;
    const dims = feed.dims.map((dim, i) => (i === feed.dims.length - 1 ? ((type.shape?.[i] as number) ?? dim) : dim));
    const data = type.dtype === 'int8' ? new Int8Array(0) : new Uint8Array(0);
    changed[name] = { dtype: type.dtype === 'int8' ? 'int8' : 'uint8', dims, data };
  }
  return changed;
}

interface Sum {
  signal: number;
  noise: number;
}

function add(sums: Map<string, Sum>, value: string, should: Float32Array | null, is: Float32Array | null): void {
  let sum = sums.get(value);
  if (!sum) sums.set(value, (sum = { signal: 0, noise: 0 }));
  if (!should || should.length !== is?.length) {
    // Another shape is no error that could be measured.
    sum.noise = Number.POSITIVE_INFINITY;
    return;
  }
  for (let i = 0; i < should.length; i++) {
    const one = should[i]!;
    const apart = one - is[i]!;
    sum.signal += one * one;
    sum.noise += apart * apart;
  }
}

/** Layer → the first value behind it that both graphs make: what methods draw into a layer counts as the layer's. */
function sharedValues(parent: Graph, child: Graph, sites: readonly LayerSite[]): Map<string, string> {
  const made = producers(child);
  const users = consumers(parent);
  const leaving = new Set(parent.outputs.map(({ name }) => name));
  const found = new Map<string, string>();
  for (const { name, node } of sites) {
    let value = node.outputs.find((one) => one !== '');
    for (let step = 0; value !== undefined && step <= mostSteps; step++) {
      if (made.has(value)) {
        found.set(name, value);
        break;
      }
      const next = leaving.has(value) ? [] : (users.get(value) ?? []);
      value = next.length === 1 ? next[0]!.outputs[0] : undefined;
    }
  }
  return found;
}

async function sizesOf(model: Model): Promise<(value: string) => number> {
  const shapes = await inferShapes(model);
  return (value) => {
    const shape = shapes.get(value)?.shape;
    // What is not known beforehand counts as one.
    return shape ? elementCount(shape.map((dim) => (typeof dim === 'number' ? dim : 1))) : 1;
  };
}

/** Values in turns of at most `mostValues` elements, at least one in each. */
function partsOf(values: readonly string[], sizeOf: (value: string) => number): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const value of values) {
    room -= sizeOf(value);
    if (room < 0) {
      parts.push([]);
      room = mostValues - sizeOf(value);
    }
    parts.at(-1)!.push(value);
  }
  return parts;
}

/** The first samples that quality is measured on, one at a time or as many as the model insists on. */
async function firstSamples(reference: DatasetReference, ports: readonly InputPort[]) {
  const dataset = await openDataset(reference);
  const order: SplitName[] = ['test', 'validation', 'train'];
  const split = order.find((one) => dataset.samples(one) > 0) ?? 'test';
  const batch = fixedBatchOf(ports) ?? 1;
  return { split, batches: () => dataset.batches(split, ports, { batch, fill: batch > 1, limit: mostSamples }) };
}
