// One ONNX backend test decomposed and differentiated: are its outputs the same, and do its gradients say how they move?
import { join } from 'node:path';
import { Refused } from '../../src/contract/words/refusal';
import { open, write } from '../../src/engine/formats/onnx';
import { type DataType, elementCount, type Model } from '../../src/engine/graph/graph';
import { normalise } from '../../src/engine/graph/normalise';
import { bytesTensor, numbersOf } from '../../src/engine/graph/tensor';
import type { Feeds as EngineFeeds } from '../../src/engine/runtime/session';
import { differentiate } from '../../src/engine/train/backward';
import { decompose } from '../../src/engine/train/decompose';
import { withFixedInputs } from '../../src/engine/train/fix';
import { declared, type Known, numbersTensor } from '../../src/engine/train/tape';
import { node, randomNumbers } from '../engine/models';
import { type Case, readFeed } from './cases';
import { compareAnswers } from './compare';
import type { Answer, Feed, Output, RuntimePool } from './runtime-pool';

export type Verdict =
  /** Not of numbers, of half precision, not convertible, random, or not computed by the runtime at all. */
  | { readonly kind: 'skipped' }
  /** A layer without a gradient rule. */
  | { readonly kind: 'refused'; readonly sentence: string }
  /** Other outputs once decomposed, or no outputs. */
  | { readonly kind: 'different'; readonly why: string }
  /** `distance`: of the gradients from what a small step does to the outputs, as a share of it; null where nothing is to differentiate. */
  | { readonly kind: 'checked'; readonly distance: number | null; readonly isDecomposed: boolean };

type Given = Readonly<Record<string, Feed>>;

export async function checkGradients(
  one: Case,
  path: string,
  place: string,
  pool: RuntimePool,
  lane: number,
): Promise<Verdict> {
  const model = await readable(path);
  const given = model && (await givenOf(model, one));
  if (!model || !given || isRandom(model)) return { kind: 'skipped' };
  const { plain, feeds } = withConstants(model, given);
  const run = async (made: Model, file: string, fed: Given): Promise<Answer> => {
    const [written] = await write(made, { folder: place, file });
    return pool.run(lane, join(place, written!), fed);
  };
  const original = await run(plain, 'plain.onnx', feeds);
  if (original.kind !== 'outputs' || original.outputs.some(({ dtype }) => dtype === 'other'))
    return { kind: 'skipped' };
  try {
    const dims = new Map(Object.entries(feeds).map(([name, feed]) => [name, feed.dims]));
    const fixed = await withFixedInputs(plain, dims, engineFeeds(feeds), place);
    const simple = await decompose(fixed.model, fixed.known);
    const isDecomposed = simple.model.graph.nodes !== fixed.model.graph.nodes;
    const again = compareAnswers(original, await run(simple.model, 'simple.onnx', feeds), false);
    if (again.verdict === 'different') return { kind: 'different', why: again.why };

    const wrt = Object.keys(feeds).filter(
      (name) => feeds[name]!.dtype === 'float32' && elementCount(feeds[name]!.dims) > 0,
    );
    const judged = original.outputs.filter(({ dtype }) => dtype === 'float32');
    if (wrt.length === 0 || judged.length === 0) return { kind: 'checked', distance: null, isDecomposed };
    const lossy = withLoss(simple.model, simple.known, judged);
    const keep = judged.map(({ name }) => name);
    const made = await differentiate(lossy.model, { loss: theLoss, wrt, keep, known: lossy.known });
    const ask = async (fed: Given): Promise<Map<string, Float32Array>> =>
      floatsOf(await run(made.model, 'backward.onnx', fed));
    const gradients = await ask(feeds);
    const [up, down] = [stepped(feeds, wrt, 1), stepped(feeds, wrt, -1)];
    const seen = difference(judged, await ask(up), await ask(down));
    let expected = 0;
    let size = 0;
    for (const [name, output] of made.gradients) {
      const [high, low] = [floats(up[name]!.bytes!), floats(down[name]!.bytes!)];
      for (const [i, g] of gradients.get(output)!.entries()) {
        const step = high[i]! - low[i]!;
        // A mask's −∞ moves nowhere.
        const part = Number.isFinite(step) ? g * step : 0;
        expected += part;
        size += part ** 2;
      }
    }
    const apart = Math.max(0, Math.abs(seen - expected) - roundingOf(judged));
    return { kind: 'checked', distance: apart / Math.max(Math.sqrt(size), 1e-6), isDecomposed };
  } catch (reason) {
    if (reason instanceof Refused) return { kind: 'refused', sentence: reason.refusal.sentence };
    return { kind: 'different', why: (reason as Error).message };
  }
}

/** The model at an opset that gradients are made of; null where there is none. */
async function readable(path: string): Promise<Model | null> {
  try {
    const { model } = await normalise((await open(path)).model);
    return (model.opsets.get('') ?? 0) < 18 ? null : model;
  } catch {
    return null;
  }
}

const isRandom = (model: Model): boolean =>
  model.graph.nodes.some(
    ({ op, inputs }) =>
      /^(Bernoulli|Multinomial|Random(Normal|Uniform)(Like)?)$/.test(op) || (op === 'Dropout' && inputs.length === 3),
  );

async function givenOf(model: Model, one: Case): Promise<Given | null> {
  const given: Record<string, Feed> = {};
  for (const [i, bytes] of one.inputs.entries()) {
    const feed = bytes ? await readFeed(bytes) : null;
    const name = model.graph.inputs[i]?.name;
    if (!feed || !name || feed.dtype === 'string' || feed.dtype === 'float16') return null;
    given[name] = feed;
  }
  return given;
}

// Float inputs that say sizes, or that nobody trains.
const settings: Readonly<Record<string, readonly number[]>> = {
  Dropout: [1],
  NegativeLogLikelihoodLoss: [2],
  OneHot: [1],
  Range: [0, 1, 2],
  Resize: [1, 2],
  SoftmaxCrossEntropyLoss: [2],
};

/** Integers and settings as constants of the model; other floats a little off, so that none sits where a function has a kink. */
function withConstants(model: Model, given: Given): { plain: Model; feeds: Given } {
  const { graph } = model;
  const set = new Set(graph.nodes.flatMap(({ op, inputs }) => (settings[op] ?? []).map((i) => inputs[i] ?? '')));
  const isFixed = (name: string): boolean => set.has(name) || !/float/.test(given[name]!.dtype);
  const initializers = new Map(graph.initializers);
  const feeds: Record<string, Feed> = {};
  const next = randomNumbers(3);
  for (const [name, feed] of Object.entries(given)) {
    if (isFixed(name)) initializers.set(name, bytesTensor(name, feed.dtype as DataType, feed.dims, feed.bytes!));
    else if (feed.dtype !== 'float32') feeds[name] = feed;
    else
      feeds[name] = withFloats(
        feed,
        floats(feed.bytes!).map((x) => 0.97 * x + 0.01 + 0.02 * next()),
      );
  }
  const inputs = graph.inputs.filter(({ name }) => !initializers.has(name));
  return { plain: { ...model, graph: { ...graph, inputs, initializers } }, feeds };
}

const floats = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);
const withFloats = (feed: Feed, values: Float32Array): Feed => ({
  ...feed,
  bytes: new Uint8Array(values.slice().buffer),
});

function engineFeeds(feeds: Given): EngineFeeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, dims, bytes }]) => {
      const width = dtype === 'float16' ? 'uint16' : (dtype as DataType);
      return [
        name,
        { dtype: dtype as DataType, dims, data: numbersOf(width, elementCount(dims), bytes!.slice(), name) },
      ];
    }),
  );
}

const theLoss = 'the-loss';

/** What each element of an output counts: nothing where it is not a number. */
function pullOf({ bytes }: Output): number[] {
  return Array.from(floats(bytes), (y, i) => (Number.isFinite(y) ? (((i * 7) % 11) - 5.5) / 4 : 0));
}

/** The model with the weighted sum of its outputs. */
function withLoss(
  model: Model,
  known: ReadonlyMap<string, Known>,
  judged: readonly Output[],
): { model: Model; known: ReadonlyMap<string, Known> } {
  const { graph } = model;
  const wider = new Map(known);
  const initializers = new Map(graph.initializers);
  const nodes = [...graph.nodes];
  const scalar: Known = { dtype: 'float32', dims: [] };
  const parts = judged.map((output, i) => {
    const value = known.get(output.name)!;
    const [pull, pulled, part] = [`the-pull-${i}`, `the-pulled-${i}`, `the-part-${i}`];
    initializers.set(pull, numbersTensor(pull, 'float32', value.dims, pullOf(output)));
    nodes.push(node('Mul', [output.name, pull], [pulled]), node('ReduceSum', [pulled], [part], { keepdims: 0 }));
    wider.set(pull, value).set(pulled, value).set(part, scalar);
    return part;
  });
  nodes.push(node('Sum', parts, [theLoss]));
  wider.set(theLoss, scalar);
  const outputs = [declared(theLoss, scalar)];
  return { model: { ...model, graph: { ...graph, nodes, initializers, outputs } }, known: wider };
}

/** Every float a small seeded step further, in a direction that no symmetry has. */
function stepped(feeds: Given, wrt: readonly string[], sign: 1 | -1): Given {
  const next = randomNumbers(5);
  const moved: Record<string, Feed> = { ...feeds };
  for (const name of wrt)
    moved[name] = withFloats(
      feeds[name]!,
      floats(feeds[name]!.bytes!).map((x) => x + sign * (next() - 0.5) * 4e-4),
    );
  return moved;
}

function floatsOf(answer: Answer): Map<string, Float32Array> {
  if (answer.kind !== 'outputs') throw new Error(answer.kind === 'abort' ? 'the runtime aborted' : answer.message);
  return new Map(
    answer.outputs.filter(({ dtype }) => dtype === 'float32').map(({ name, bytes }) => [name, floats(bytes)]),
  );
}

/** What rounding of the outputs to float32, by a few units in the last place, makes of their weighted sum. */
function roundingOf(judged: readonly Output[]): number {
  let total = 0;
  for (const output of judged) {
    const values = floats(output.bytes);
    for (const [i, pull] of pullOf(output).entries()) if (pull !== 0) total += (values[i]! * pull * 2 ** -20) ** 2;
  }
  return Math.sqrt(total);
}

/** Of the weighted sums of two answers, in float64. */
function difference(
  judged: readonly Output[],
  up: ReadonlyMap<string, Float32Array>,
  down: ReadonlyMap<string, Float32Array>,
): number {
  let total = 0;
  for (const output of judged) {
    const [high, low] = [up.get(output.name)!, down.get(output.name)!];
    for (const [i, pull] of pullOf(output).entries()) if (pull !== 0) total += (high[i]! - low[i]!) * pull;
  }
  return total;
}
