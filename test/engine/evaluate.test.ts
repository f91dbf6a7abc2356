// Evaluation of models as they are: those that lie about their batch, that insist on one, that have no labels to be held to.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate';
import { encode } from '../../src/engine/formats/onnx';
import type { Model } from '../../src/engine/graph/graph';
import { floatTensor, int64Tensor } from '../../src/engine/graph/tensor';
import type { TaskEvent, Work } from '../../src/engine/tasks';
import { folderWith, npy, refusalOf } from './data/files';
import { model, node, value } from './models';

const sample = join(import.meta.dirname, '../../resources/sample');
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const identity = floatTensor('w', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
const x = (batch: string | number) => [value('x', 'float32', [batch, 3])];
const y = [value('y', 'float32', ['n', 3])];

/** Answers with its input, through a Reshape that only ever holds one sample. */
const liar: Model = model({
  inputs: x('n'),
  outputs: y,
  nodes: [node('Reshape', ['x', 'shape'], ['r']), node('MatMul', ['r', 'w'], ['y'])],
  initializers: [int64Tensor('shape', [2], [1, -1]), identity],
});
/** Subtracts the mean over the batch: whoever stands beside a sample changes its answer. */
const gossip: Model = model({
  inputs: x('n'),
  outputs: y,
  opset: 17,
  nodes: [
    node('ReduceMean', ['x'], ['m'], { axes: [0], keepdims: 1 }),
    node('Sub', ['x', 'm'], ['d']),
    node('Mul', ['m', 'm'], ['mm']),
    node('Add', ['d', 'mm'], ['s']),
    node('MatMul', ['s', 'w'], ['y']),
  ],
  initializers: [identity],
});
const fixed = (batch: number): Model =>
  model({
    inputs: x(batch),
    outputs: [value('y', 'float32', [batch, 3])],
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [identity],
  });

const rows = [9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 9, 0, 9, 0, 0];
const right = [0, 1, 2, 1, 2];

async function evaluated(parts: { model: Model; parent?: Model; labels?: number[] }, more: object = {}, work = quiet) {
  await using folder = await folderWith({
    'x.npy': npy([5, 3], rows),
    ...(parts.labels ? { 'y.npy': npy([5], parts.labels) } : {}),
    'model.onnx': await encode(parts.model),
    ...(parts.parent ? { 'parent.onnx': await encode(parts.parent) } : {}),
  });
  const against = parts.parent ? { against: join(folder.path, 'parent.onnx') } : {};
  return await evaluate(
    { path: join(folder.path, 'model.onnx'), dataset: { path: join(folder.path, 'x.npy') }, ...against, ...more },
    work,
  );
}

describe('evaluate', () => {
  it('finds out a model that declares a free batch and runs one', async () => {
    const { evaluation } = await evaluated({ model: liar, labels: right });
    expect(evaluation.quality).toMatchObject({ metric: 'accuracy', n: 5, correct: 4 });
    expect(evaluation.notes.join(' ')).toContain('it declares a free batch and runs only one at a time');
  });

  it('finds out a model whose answers depend on their neighbours', async () => {
    const { evaluation } = await evaluated({ model: gossip, labels: right });
    expect(evaluation.notes.join(' ')).toContain(
      'its answers depend on what else is in the batch; it was evaluated one at a time',
    );
    const asked = await evaluated({ model: gossip, labels: right }, { batch: 5 });
    expect(asked.evaluation.notes.join(' ')).toContain('at batch 1 they would differ');
  });

  it.each([1, 2, 4])('takes a model with a fixed batch of %i, the last one filled', async (batch) => {
    const { evaluation } = await evaluated({ model: fixed(batch), labels: right });
    expect(evaluation.quality).toMatchObject({ n: 5, correct: 4 });
    expect(evaluation.latencyMs).toMatchObject({ batch, runs: 50, warmup: 10 });
    expect(evaluation.peakBytes).toBeGreaterThan(1e6);
  });

  it('is timed at the batch that was asked for, as far as the model takes it', async () => {
    const asked = async (model: Model, batch: number) =>
      (await evaluated({ model, labels: right }, { batch })).evaluation;
    expect((await asked(gossip, 4)).latencyMs).toMatchObject({ batch: 4 });
    expect((await asked(liar, 4)).latencyMs).toMatchObject({ batch: 1 });
    const insists = await asked(fixed(2), 4);
    expect(insists.latencyMs).toMatchObject({ batch: 2 });
    expect(insists.notes.join(' ')).toContain('it takes 2 at a time, whatever is asked.');
  });

  it('compares two models sample by sample, whatever their batches', async () => {
    const swap = floatTensor('w', [3, 3], [0, 1, 0, 1, 0, 0, 0, 0, 1]);
    const child = model({
      inputs: x('n'),
      outputs: y,
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      initializers: [swap],
    });
    const { evaluation, comparison } = await evaluated({ model: child, parent: fixed(2), labels: right });
    expect(evaluation.agreement).toMatchObject({ top1: 0.2, flips: 4, n: 5 });
    expect(comparison!.changed[0]).toEqual({ index: 0, label: 0, before: 0, after: 1 });
  });

  it('without labels quality is agreement with the parent', async () => {
    const { evaluation } = await evaluated({ model: fixed(1), parent: fixed(1) });
    expect(evaluation.quality).toMatchObject({ metric: 'agreement', value: 1, n: 5 });
    const alone = await evaluated({ model: fixed(1) });
    expect(alone.evaluation.notes.at(-1)).toContain('a model agrees with itself');
  });

  it('refuses splits that are not there, limits of nothing, inputs that do not fit', async () => {
    expect(await refusalOf(evaluated({ model: fixed(1) }, { split: 'train' }))).toMatchObject({
      code: 'bad-dataset',
      place: 'split',
    });
    expect(await refusalOf(evaluated({ model: fixed(1) }, { limit: 0 }))).toMatchObject({ code: 'usage' });
    const wide = model({
      inputs: [value('x', 'float32', ['n', 8])],
      outputs: y,
      nodes: [node('Identity', ['x'], ['y'])],
    });
    expect((await refusalOf(evaluated({ model: wide }))).sentence).toContain('"x" takes 8 and a sample is 3');
  });

  it('tells its progress, and ends when it is asked to', async () => {
    const events: TaskEvent[] = [];
    await evaluated({ model: fixed(1), labels: right }, {}, { ...quiet, emit: (event) => events.push(event) });
    const texts = events.flatMap((event) => (event.kind === 'progress' ? [event.text] : []));
    expect(texts).toContain('Evaluate, 5 of 5 samples');
    expect(events.flatMap((event) => (event.kind === 'doing' ? [event.what.split(' ')[0]] : []))).toEqual([
      'opening',
      'loading',
      'evaluating',
      'timing',
    ]);
    const aborted = { ...quiet, signal: AbortSignal.abort() };
    expect(await refusalOf(evaluated({ model: fixed(1) }, {}, aborted))).toMatchObject({ code: 'cancelled' });
    const { evaluation } = await evaluated({ model: fixed(1), labels: right }, {}, { ...quiet, stopping: true });
    expect([evaluation.quality.n, evaluation.notes.at(-1)]).toEqual([1, 'Stopped after 1 of 5 samples.']);
  });

  it('the sample is right on at least 90 % of its test drawings', async () => {
    const { evaluation } = await evaluate(
      { path: join(sample, 'shapes.onnx'), dataset: { path: join(sample, 'shapes') } },
      quiet,
    );
    expect(evaluation.quality).toMatchObject({ n: 800, correct: 786 });
    expect(evaluation.notes).toEqual(['Measured on all 800 samples of test.']);
  });
});
