// The corridor behind `evaluate`: quality and speed of a model as it is, and how far its answers moved from another's.
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { SplitName } from '../contract/words/dataset';
import type { Evaluation, Latency, Quality } from '../contract/words/quality';
import { refuse } from '../contract/words/refusal';
import { type Batch, type Dataset, openDataset } from './data/index';
import { readLanguage, settleWindows } from './evaluate-language';
import { openFormat } from './formats/index';
import { AgreementScore } from './measure/agreement';
import { type Answers, answerOutput, toAnswers } from './measure/answers';
import { type SettledBatch, settleBatch } from './measure/batch';
import { measureLatency } from './measure/latency';
import { PeakMemory } from './measure/memory';
import { AccuracyScore, RegressionScore } from './measure/quality';
import { Failure } from './runtime/failure';
import { isMachines, openGiven } from './runtime/given';
import { physicalCores } from './runtime/machine';
import type { Session } from './runtime/session';
import type { Tasks, Work } from './tasks';

type Ask = Tasks['evaluate']['ask'];

/** A model on the bench: loaded, and asked how many samples it takes at once. */
interface Benched {
  readonly name: string;
  readonly session: Session;
  readonly settled: SettledBatch;
  readonly bytes: number;
}

interface Bench {
  readonly ask: Ask;
  readonly work: Work;
  readonly dataset: Dataset;
  readonly split: SplitName;
  readonly samples: number;
  readonly threads: number;
  readonly memory: PeakMemory;
  readonly notes: string[];
}

export async function evaluate(ask: Ask, work: Work): Promise<Tasks['evaluate']['answer']> {
  work.emit({ kind: 'doing', what: `opening the dataset ${basename(ask.dataset.path)}` });
  const dataset = await openDataset(ask.dataset);
  const notes: string[] = [];
  const { split, samples } = chooseSplit(dataset, ask, notes);
  const threads = ask.threads ?? physicalCores();
  const bench: Bench = { ask, work, dataset, split, samples, threads, memory: new PeakMemory(), notes };
  const open: Benched[] = [];
  try {
    const model = await benchModel(ask.path, bench);
    open.push(model);
    const parent = ask.against === undefined ? null : await benchModel(ask.against, bench);
    if (parent) open.push(parent);

    const { quality, agreement } = await measureQuality(model, parent, bench);
    const latencyMs = await measureSpeed(model, bench);
    const comparison = agreement && { agreement: agreement.finish(), changed: agreement.changed };
    const evaluation: Evaluation = {
      quality,
      latencyMs,
      bytes: model.bytes,
      ...(comparison ? { agreement: comparison.agreement } : {}),
      peakBytes: bench.memory.stop(),
      notes: [...new Set(notes)],
    };
    return { evaluation, ...(comparison ? { comparison } : {}) };
  } finally {
    bench.memory.stop();
    for (const { session } of open) await session.close();
  }
}

function chooseSplit(dataset: Dataset, ask: Ask, notes: string[]): { split: SplitName; samples: number } {
  const { name } = dataset.summary;
  const order: SplitName[] = ask.split ? [ask.split] : ['test', 'validation', 'train'];
  const split = order.find((one) => dataset.samples(one) > 0);
  if (!split) {
    const there = dataset.summary.splits.map((one) => one.name).join(', ');
    refuse('bad-dataset', `${name} has no ${order[0]} split.`, `It has ${there}.`, 'split');
  }
  const all = dataset.samples(split);
  const samples = Math.min(ask.limit ?? all, all);
  if (samples < 1) refuse('usage', `A limit of ${ask.limit} samples measures nothing.`);
  notes.push(...dataset.notes(split));
  const part = samples < all ? `the first ${count(samples)} of ${count(all)}` : `all ${count(all)}`;
  notes.push(
    `Measured on ${part} samples of ${split}${ask.split || split === 'test' ? '' : ', since there is no test split'}.`,
  );
  return { split, samples };
}

async function benchModel(path: string, bench: Bench): Promise<Benched> {
  const { work, dataset, split, ask, notes } = bench;
  const { files } = await openFormat(path);
  const file = files[0]!;
  const name = modelName(file);
  stopIfAborted(work);
  work.emit({ kind: 'doing', what: `loading the model ${name}` });
  const session = await openGiven(file, name, { threads: bench.threads });
  bench.memory.look();
  try {
    notes.push(...dataset.adaptations(split, session.inputs));
    const read = async (from: number, many: number): Promise<Batch | null> => {
      const request = { batch: many, from, limit: Math.min(many, bench.samples - from) };
      for await (const batch of dataset.batches(split, session.inputs, request)) return batch;
      return null;
    };
    const settled = isLanguage(dataset)
      ? settleWindows(session, ask.batch)
      : await settleBatch(session, ask.batch ?? (await usualBatch(read)), ask.batch !== undefined, read);
    if (settled.note) notes.push(`${name}: ${settled.note}`);
    let bytes = 0;
    for (const one of files) bytes += (await stat(one)).size;
    return { name, session, settled, bytes };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Up to 32, fewer where samples are large: four million input values keep activations small beside the weights. */
async function usualBatch(read: (from: number, many: number) => Promise<Batch | null>): Promise<number> {
  const first = await read(0, 1);
  let values = 0;
  for (const feed of Object.values(first?.feeds ?? {})) values += feed.data.length;
  return Math.max(1, Math.min(32, Math.floor(2 ** 20 / Math.max(1, values))));
}

interface Step {
  readonly batch: Batch;
  readonly answers: Answers;
}

async function* answersOf(model: Benched, bench: Bench): AsyncGenerator<Step> {
  const { dataset, split, samples } = bench;
  const { session, settled } = model;
  const output = answerOutput(session.outputs);
  const request = { batch: settled.batch, limit: samples, fill: settled.fill };
  for await (const batch of dataset.batches(split, session.inputs, request)) {
    stopIfAborted(bench.work);
    const running = session.run(batch.feeds, [output.name]);
    const given = (await running.catch((error: unknown) => refuseSamples(error, model, bench)))[output.name]!;
    const rows = settled.fill ? settled.batch : batch.samples;
    const answers = toAnswers(given, rows);
    if (!answers) {
      throw new Failure(`${model.name} gave back ${given.dims.join('×')} for ${rows} samples.`, 'running the model');
    }
    bench.memory.look();
    yield { batch, answers };
  }
}

/** A model as it was given stops on samples as they were given: a refusal. Of what we cut ourselves it is a failure. */
function refuseSamples(error: unknown, model: Benched, { ask, dataset }: Bench): never {
  if (!(error instanceof Failure) || ask.against !== undefined || isMachines(error)) throw error;
  refuse(
    'bad-dataset',
    `${model.name} does not run on the samples of ${dataset.summary.name}. ${error.sentence}`,
    'Say in dataset.json or a preset what its inputs take.',
  );
}

/** The parent's answers one sample at a time: its batches need not be the child's. */
async function* rowsOf(model: Benched, bench: Bench): AsyncGenerator<{ answers: Answers; at: number }> {
  for await (const { batch, answers } of answersOf(model, bench)) {
    for (let at = 0; at < batch.samples; at++) yield { answers, at };
  }
}

async function measureQuality(
  model: Benched,
  parent: Benched | null,
  bench: Bench,
): Promise<{ quality: Quality; agreement: AgreementScore | null }> {
  const { work, samples, notes } = bench;
  if (isLanguage(bench.dataset)) return measureLanguage(model, parent, bench);
  const accuracy = new AccuracyScore();
  const regression = new RegressionScore();
  const agreement = parent ? new AgreementScore() : null;
  const parentRows = parent ? rowsOf(parent, bench) : null;
  const tell = throttled(work, 'evaluate', 'Evaluate', samples);
  let done = 0;
  let kind: 'labels' | 'targets' | 'none' = 'none';
  work.emit({ kind: 'doing', what: `evaluating ${model.name}` });
  try {
    for await (const { batch, answers } of answersOf(model, bench)) {
      const real = batch.samples < answers.rows ? firstRows(answers, batch.samples) : answers;
      if (batch.labels) accuracy.add(real, batch.labels);
      if (batch.targets) regression.add(real, batch.targets);
      kind = batch.labels ? 'labels' : batch.targets ? 'targets' : 'none';
      for (let i = 0; agreement && parentRows && i < batch.samples; i++) {
        const step = await parentRows.next();
        if (step.done) throw new Error('the parent answered fewer samples than its child');
        agreement.add(step.value.answers, step.value.at, real, i, batch.index + i, batch.labels?.[i] ?? null);
      }
      done += batch.samples;
      tell(done);
      if (work.stopping && done < samples) {
        notes.push(`Stopped after ${count(done)} of ${count(samples)} samples.`);
        break;
      }
    }
  } finally {
    await parentRows?.return(undefined);
  }
  if (kind === 'labels') return { quality: accuracy.finish(notes), agreement };
  if (kind === 'targets') return { quality: regression.finish(notes), agreement };
  if (agreement) {
    notes.push('The samples have no labels: quality is agreement with the parent.');
    return { quality: agreement.quality(), agreement };
  }
  notes.push('The samples have no labels and no parent was named: a model agrees with itself, so 1 is no measurement.');
  return { quality: { metric: 'agreement', value: 1, n: done, ci95: [1, 1], correct: done }, agreement };
}

const isLanguage = ({ summary }: Dataset): boolean => summary.task === 'language-modelling';

function measureLanguage(model: Benched, parent: Benched | null, bench: Bench) {
  const { work } = bench;
  const tell = throttled(work, 'evaluate', 'Evaluate', bench.samples);
  work.emit({ kind: 'doing', what: `evaluating ${model.name}` });
  const seen = (done: number): boolean => {
    stopIfAborted(work);
    bench.memory.look();
    tell(done);
    return work.stopping;
  };
  return readLanguage(model, parent, { ...bench, seen });
}

function firstRows(answers: Answers, rows: number): Answers {
  return { ...answers, rows, values: answers.values.subarray(0, rows * answers.width) };
}

/** At the batch that was asked for, else at batch 1; as the model takes it, on the first samples. */
async function measureSpeed(model: Benched, bench: Bench): Promise<Latency> {
  const { dataset, split, samples, work, threads } = bench;
  const isAsked = bench.ask.batch !== undefined;
  const batch = model.settled.fill || isAsked ? model.settled.batch : 1;
  const tell = throttled(work, 'time', 'Time', 60);
  work.emit({ kind: 'doing', what: `timing ${model.name}` });
  for await (const first of dataset.batches(split, model.session.inputs, {
    batch,
    limit: Math.min(batch, samples),
    fill: true,
  })) {
    return measureLatency(model.session, first.feeds, {
      batch,
      threads,
      onRun: (done, total) => {
        stopIfAborted(work);
        tell(done, total);
      },
    });
  }
  throw new Error('a split that was measured has no first sample');
}

/** At most five times a second, and always the last. */
function throttled(work: Work, stage: string, verb: string, expected: number): (done: number, total?: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (done, total = expected) => {
    const now = performance.now();
    if (now - last < 200 && done < total) return;
    last = now;
    const noun = stage === 'time' ? 'runs' : 'samples';
    work.emit({ kind: 'progress', stage, text: `${verb}, ${count(done)} of ${count(total)} ${noun}`, done, total });
  };
}

function stopIfAborted(work: Work): void {
  if (work.signal.aborted) refuse('cancelled', 'The evaluation was cancelled.');
}

/** A file called model.onnx is known by its folder. */
function modelName(file: string): string {
  const name = basename(file);
  return name === 'model.onnx' ? basename(dirname(file)) : name;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
