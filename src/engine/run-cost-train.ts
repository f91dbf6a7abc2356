// What training will take: its graph written for one batch, counted, and weighed with what this machine does in a second.
import type { Recipe, Step, Suggestion } from '../contract/words/recipe';
import { refuse } from '../contract/words/refusal';
import type { Batch } from './data/dataset';
import { type DataType, dataTypes, elementCount, type Model } from './graph/graph';
import { answerOf, portsOf } from './methods/cutting/training';
import type { Subject, Target } from './methods/method';
import { methodOf } from './recipe';
import { learningOf, trainingDataFor } from './recipe-needs';
import { chooseLayers } from './recipe-steps';
import { freeMemoryBytes } from './runtime/machine';
import type { Feed, Feeds } from './runtime/session';
import type { RuntimeSpeed } from './runtime/speed';
import type { DatasetReference } from './tasks';
import { programOf } from './train/equipment';
import { objectiveOf } from './train/objective';
import { type Pace, paceOf } from './train/pace';
import { parametersOf, withStoredWeights } from './train/parameters';
import { writeProgram } from './train/program';
import { mostInMemory } from './train/samples';
import { suggestedFor } from './train/suggest';
import type { TrainingData } from './train/training-data';
import { tooFewToTrust } from './train/trust';

export interface TrainCost {
  /** Until every sample is read and prepared. */
  readonly readSeconds: number;
  readonly seconds: number;
  readonly peakBytes: number;
  readonly diskBytes: number;
  /** What to know before the start. */
  readonly sentences: readonly string[];
  readonly suggestions: readonly Suggestion[];
}

export interface TrainQuestion {
  readonly subject: Subject;
  readonly recipe: Recipe;
  readonly dataset: DatasetReference | undefined;
  readonly runtime: RuntimeSpeed;
  readonly folder: string;
}

/** Read to learn how long reading takes; the first also opens files. */
const readForSpeed = 64;
/** A step of AdamW for one parameter (measured: 1.1 to 1.5 ns). */
const optimizerSeconds = 1.5e-9;
/** What is held as a multiple of the forward values that the way back reads: those, gradients on their way, columns of convolutions, and the programs that judge. */
const heldPerValue = 4;
/** Samples on their way into the store, until they are swept up. */
const readingBytes = 128 * 2 ** 20;
/** Weights, gradients and two moments, and the best weights so far. */
const copies = 5;
/** Two checkpoints of weights, two moments and the best. */
const checkpointCopies = 8;

/** Null where no step trains. Refuses what cannot be differentiated. */
export async function trainingCost(question: TrainQuestion): Promise<TrainCost | null> {
  const { subject, recipe, runtime, folder } = question;
  if (recipe.steps.every((step) => learningOf(step) === null)) return null;
  const data = await trainingDataFor(recipe, question.dataset);
  if (!data) return null;
  const reading = await readSome(data, subject.model);
  const costs: Omit<TrainCost, 'sentences' | 'suggestions'>[] = [];
  const suggestions: Suggestion[] = [];
  for (const [i, step] of recipe.steps.entries()) {
    const learning = learningOf(step);
    if (!learning) continue;
    const { targets } = chooseLayers(subject, step, `steps[${i}]`);
    if (targets.length === 0) continue;
    const { model, parameters } = traineeOf(subject, step, targets);
    const pace = paceOf(learning.settings, portsOf(model.graph), data.train.samples, reading.isBatchless);
    const sample = batchOf(reading.feeds, pace.rows, reading.isBatchless);
    const ask = {
      model,
      folder,
      parameters,
      settings: learning.settings,
      objective: objectiveOf(data.task === 'none' ? 'regression' : data.task, answerOf(model.graph)),
    };
    const written = await writeProgram(programOf(ask, pace), 'train', sample);
    const values = valuesOf(written.model, written.known);
    const tokens = data.task === 'language-modelling' ? (Object.values(sample)[0]?.dims[1] ?? 1) : 1;
    const macs = subject.sites.reduce((sum, site) => sum + (site.macs ?? site.parameters * tokens), 0) * pace.rows;
    const count = parameters.reduce((sum, one) => sum + one.count, 0);
    const nodes = written.model.graph.nodes.length;
    const forward = macs / runtime.macsPerSecond + values.count / runtime.valuesPerSecond;
    const back = (learning.passes - 1) * forward;
    const overhead = runtime.runSeconds + nodes * runtime.nodeSeconds;
    const mostRows = (freeMemoryBytes() * memoryForValues * pace.rows) / (heldPerValue * values.keptBytes);
    for (const setting of suggestedFor(data.train.samples, pace, mostRows)) suggestions.push({ step: i, ...setting });
    costs.push({
      seconds:
        pace.steps * (pace.accumulate * (forward + back + overhead) + count * optimizerSeconds) +
        judgingSeconds(data, pace, forward + overhead / learning.passes),
      readSeconds: (data.train.samples + (data.tune?.samples ?? 0)) * reading.seconds,
      peakBytes:
        heldPerValue * values.keptBytes +
        copies * 4 * count +
        Math.min(reading.bytes, memoryForSamples()) +
        readingBytes,
      diskBytes: checkpointCopies * 4 * count + (reading.bytes > memoryForSamples() ? reading.bytes : 0),
    });
  }
  return {
    readSeconds: costs.reduce((sum, { readSeconds }) => sum + readSeconds, 0),
    seconds: costs.reduce((sum, { seconds }) => sum + seconds, 0),
    peakBytes: Math.max(0, ...costs.map(({ peakBytes }) => peakBytes)),
    diskBytes: costs.reduce((sum, { diskBytes }) => sum + diskBytes, 0),
    sentences: tooFewToTrust(data),
    suggestions,
  };
}

function traineeOf(subject: Subject, step: Step, targets: readonly Target[]) {
  const asked = methodOf(step).trains?.(subject, targets);
  if (asked) return asked;
  const model = withStoredWeights(subject.model);
  const chosen = targets.map(({ site }) => site);
  return { model, parameters: parametersOf(model, chosen, subject.sites) };
}

/** Of the free memory, what a suggested batch may hold of values. */
const memoryForValues = 0.25;

const memoryForSamples = (): number => Math.min(mostInMemory, freeMemoryBytes() / 4);

function judgingSeconds({ tune }: TrainingData, { rows, steps, judgeEvery }: Pace, forward: number): number {
  if (!tune) return 0;
  return (Math.floor(steps / judgeEvery) + 1) * Math.ceil(tune.samples / rows) * forward;
}

interface Reading {
  readonly feeds: Feeds;
  readonly isBatchless: boolean;
  /** Of one sample. */
  readonly seconds: number;
  /** Of all that are prepared. */
  readonly bytes: number;
}

async function readSome({ dataset, train, tune }: TrainingData, { graph }: Model): Promise<Reading> {
  let first: Batch | null = null;
  let last = performance.now();
  let seconds = 0;
  for await (const batch of dataset.batches(train.split, portsOf(graph), { batch: 8, limit: readForSpeed })) {
    seconds = (performance.now() - last) / 1000 / batch.samples;
    last = performance.now();
    // Windows of text are filled up to the longest when they are trained on.
    if (!first || (batch.tokens?.length ?? 0) > (first.tokens?.length ?? 0)) first = batch;
  }
  if (!first) return refuse('bad-dataset', `${dataset.summary.name} has no sample to learn from.`);
  const isBatchless = !first.tokens && first.samples === 1 && train.samples > 1;
  const size = Object.values(first.feeds).reduce((sum, feed) => sum + bytesOf(feed), 0) / first.samples;
  return { feeds: first.feeds, isBatchless, seconds, bytes: size * (train.samples + (tune?.samples ?? 0)) };
}

const bytesOf = ({ dtype, dims }: Feed): number => (elementCount(dims) * dataTypes[dtype as DataType].bits) / 8;

/** Feeds of so many rows: zeros, since only their sizes are looked at where shapes can be inferred. */
function batchOf(feeds: Feeds, rows: number, isBatchless: boolean): Feeds {
  if (isBatchless) return feeds;
  return Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => {
      const dims = [rows, ...feed.dims.slice(1)];
      if (Array.isArray(feed.data)) return [name, feed];
      const make = feed.data.constructor as new (length: number) => typeof feed.data;
      return [name, { dtype: feed.dtype, dims, data: new make(elementCount(dims)) }];
    }),
  );
}

/** Elements of what the forward nodes make, and bytes of what the way back reads of it: the rest is let go on the way. */
function valuesOf({ graph }: Model, known: ReadonlyMap<string, { dtype: DataType; dims: readonly number[] }>) {
  const forward = graph.nodes.filter(({ outputs }) => outputs.some((name) => known.has(name)));
  const isForward = new Set(forward);
  const read = new Set(graph.nodes.filter((node) => !isForward.has(node)).flatMap(({ inputs }) => inputs));
  let count = 0;
  let keptBytes = 0;
  for (const name of forward.flatMap(({ outputs }) => outputs)) {
    const value = known.get(name);
    if (!value) continue;
    const elements = elementCount(value.dims);
    count += elements;
    if (read.has(name)) keptBytes += (elements * dataTypes[value.dtype].bits) / 8;
  }
  return { count, keptBytes };
}
