// Losses against the same numbers worked out by hand, and the gradient of each by finite differences.
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { attachLoss, type LossAsk } from '../../../src/engine/train/loss';
import { model, node, value } from '../models';

const scores = [1, -0.5, 2, 0.25, 1.5, -1];

/** One node over x [2, 3], or x itself. */
function ending(op: string, attributes = {}, dims: readonly number[] = [2, 3]): Model {
  return model({
    inputs: [value('x', 'float32', dims)],
    outputs: [value('y', 'float32', null)],
    nodes: [node(op, ['x'], ['y'], attributes)],
  });
}

async function lossOf(plain: Model, ask: Pick<LossAsk, 'task' | 'smoothing'>, feeds: Feeds) {
  const fixed = await withFixedInputs(plain, new Map());
  const attached = await attachLoss(fixed.model, { ...ask, output: 'y', known: fixed.known });
  const made = await differentiate(attached.model, { loss: attached.loss, wrt: ['x'], known: attached.known });
  const session = await openSession(await encode(made.model), { threads: 1 });
  const answer = await session.run(feeds);
  await session.close();
  return {
    attached,
    loss: answer[attached.loss]!.data[0] as number,
    gradient: [...(answer[made.gradients.get('x')!]!.data as Float32Array)],
  };
}

const floats = (dims: readonly number[], data: readonly number[]): Feeds[string] => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(data),
});
const ids = (dims: readonly number[], data: readonly number[]): Feeds[string] => ({
  dtype: 'int64',
  dims,
  data: BigInt64Array.from(data, BigInt),
});

function logSoftmax(row: readonly number[]): number[] {
  const whole = Math.log(row.reduce((total, x) => total + Math.exp(x), 0));
  return row.map((x) => x - whole);
}

/** (softmax − target)/rows: the gradient of cross-entropy. */
function gradientOf(rows: readonly (readonly number[])[], targets: readonly (readonly number[])[]): number[] {
  return rows.flatMap((row, n) => logSoftmax(row).map((log, c) => (Math.exp(log) - targets[n]![c]!) / rows.length));
}

const close = (found: readonly number[], expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length);
  for (const [i, number] of expected.entries()) expect(found[i]).toBeCloseTo(number, 6);
};

const rows = [scores.slice(0, 3), scores.slice(3)];
const feeds = { x: floats([2, 3], scores), labels: ids([2], [2, 0]) };
const crossEntropy = -(logSoftmax(rows[0]!)[2]! + logSoftmax(rows[1]!)[0]!) / 2;
const hard = [
  [0, 0, 1],
  [1, 0, 0],
];

describe('attachLoss', () => {
  it.each([
    ['logits', ending('Identity')],
    ['a final Softmax', ending('Softmax')],
    ['a final LogSoftmax', ending('LogSoftmax', { axis: 1 })],
  ])('classification from %s', async (_, plain) => {
    const { loss, gradient, attached } = await lossOf(plain, { task: 'classification' }, feeds);
    expect(loss).toBeCloseTo(crossEntropy, 6);
    close(gradient, gradientOf(rows, hard));
    expect(attached.labels.type).toMatchObject({ dtype: 'int64', shape: [2] });
    expect(attached.weights).toBeNull();
  });

  it('classification of [N, C, 1, 1], seen through what only reshapes', async () => {
    const plain = model({
      inputs: [value('x', 'float32', [2, 3, 1, 1])],
      outputs: [value('y', 'float32', null)],
      nodes: [node('Softmax', ['x'], ['p'], { axis: 1 }), node('Flatten', ['p'], ['y'])],
    });
    const { loss, gradient } = await lossOf(
      plain,
      { task: 'classification' },
      { ...feeds, x: floats([2, 3, 1, 1], scores) },
    );
    expect(loss).toBeCloseTo(crossEntropy, 6);
    close(gradient, gradientOf(rows, hard));
  });

  it('smooths labels', async () => {
    const { loss, gradient } = await lossOf(ending('Softmax'), { task: 'classification', smoothing: 0.3 }, feeds);
    const soft = hard.map((row) => row.map((target) => 0.7 * target + 0.1));
    const expected =
      -rows.flatMap((row, n) => logSoftmax(row).map((log, c) => log * soft[n]![c]!)).reduce((a, b) => a + b) / 2;
    expect(loss).toBeCloseTo(expected, 6);
    close(gradient, gradientOf(rows, soft));
  });

  it('classification of a final Sigmoid: one logit for each answer', async () => {
    const given = { x: floats([2, 1], [0.5, -1]), labels: ids([2], [1, 0]) };
    const { loss, gradient } = await lossOf(ending('Sigmoid', {}, [2, 1]), { task: 'classification' }, given);
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    expect(loss).toBeCloseTo(-(Math.log(sigmoid(0.5)) + Math.log(1 - sigmoid(-1))) / 2, 6);
    close(gradient, [(sigmoid(0.5) - 1) / 2, sigmoid(-1) / 2]);
  });

  it('classification of a final Sigmoid: one logit for each class', async () => {
    const { loss, gradient } = await lossOf(ending('Sigmoid'), { task: 'classification' }, feeds);
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    const targets = hard.flat();
    expect(loss).toBeCloseTo(
      scores.reduce((total, x, i) => total - Math.log(targets[i] ? sigmoid(x) : 1 - sigmoid(x)), 0) / 6,
      6,
    );
    close(
      gradient,
      scores.map((x, i) => (sigmoid(x) - targets[i]!) / 6),
    );
  });

  it('regression', async () => {
    const targets = [0, 0, 1, 1, 0, 0];
    const given = { x: floats([2, 3], scores), labels: floats([2, 3], targets) };
    const { loss, gradient } = await lossOf(ending('Identity'), { task: 'regression' }, given);
    expect(loss).toBeCloseTo(scores.reduce((total, y, i) => total + (y - targets[i]!) ** 2, 0) / 6, 6);
    close(
      gradient,
      scores.map((y, i) => (y - targets[i]!) / 3),
    );
  });

  it('language: a position judges the token that follows, as much as that one counts', async () => {
    const logits = [...scores, 0.5, -0.25, 0.75];
    const given = {
      x: floats([1, 3, 3], logits),
      labels: ids([1, 3], [0, 2, 1]),
      weights: floats([1, 3], [1, 1, 0.5]),
    };
    const { loss, gradient } = await lossOf(ending('Identity', {}, [1, 3, 3]), { task: 'language' }, given);
    expect(loss).toBeCloseTo(-(logSoftmax(rows[0]!)[2]! + 0.5 * logSoftmax(rows[1]!)[1]!) / 1.5, 6);
    close(gradient.slice(6), [0, 0, 0]);
    close(
      gradient.slice(0, 3),
      logSoftmax(rows[0]!).map((log, c) => (Math.exp(log) - Number(c === 2)) / 1.5),
    );
  });

  it('language: a batch in which nothing counts has no loss and no gradient', async () => {
    const given = { x: floats([1, 2, 3], scores), labels: ids([1, 2], [0, 2]), weights: floats([1, 2], [1, 0]) };
    const { loss, gradient } = await lossOf(ending('Identity', {}, [1, 2, 3]), { task: 'language' }, given);
    expect(loss).toBe(0);
    close(gradient, [0, 0, 0, 0, 0, 0]);
  });
});
