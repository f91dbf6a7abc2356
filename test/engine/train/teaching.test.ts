// Distillation's loss against its formulas in plain numbers, and the identities that hold for any network.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Model, Node } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import type { Feed } from '../../../src/engine/runtime/session';
import type { Task } from '../../../src/engine/train/objective';
import { openProgram, scalarFeed } from '../../../src/engine/train/program';
import type { Drawn } from '../../../src/engine/train/samples';
import { type Answering, type Hidden, teachingObjective } from '../../../src/engine/train/teaching';
import { model, node, randomWeights, value } from '../models';

const part = { split: 'train', from: 0, samples: 4 } as const;
const says = (...answers: Float32Array[]): Answering => ({
  key: 'told',
  answers: async () => answers,
  keep: async () => {},
});

/** x + z, z trained: gradients of z are those of the scores. `ends`: what stands behind. */
function scores(dims: readonly number[], z: Float32Array, ends: readonly Node[] = []): Model {
  return model({
    name: 'scores',
    inputs: [value('x', 'float32', dims)],
    outputs: [value(ends.at(-1)?.outputs[0] ?? 'y', 'float32', dims)],
    nodes: [node('Add', ['x', 'z'], ['y']), ...ends],
    initializers: [floatTensor('z', dims, z)],
  });
}

interface Case {
  readonly dims: readonly number[];
  readonly student: Float32Array;
  readonly teacher: Float32Array;
  readonly temperature?: number;
  readonly alpha?: number;
  readonly task?: Task;
  readonly ends?: readonly Node[];
  readonly labels?: Int32Array;
  readonly tokens?: Drawn['tokens'];
  readonly hidden?: readonly Hidden[];
  readonly inside?: Float32Array;
}

async function lossOf(given: Case): Promise<{ loss: number; gradient: Float32Array }> {
  const { dims, student, teacher, temperature = 4, alpha = 1, task = 'classification', ends, hidden = [] } = given;
  const made = scores(dims, student, ends);
  const folder = await mkdtemp(join(tmpdir(), 'lathe-teaching-'));
  const objective = teachingObjective({
    task,
    output: made.graph.outputs[0]!.name,
    isLabelled: given.labels !== undefined || given.tokens != null,
    temperature,
    alpha,
    teacher: says(teacher, ...(given.inside ? [given.inside] : [])),
    hidden,
    hiddenWeight: 1,
  });
  const x: Feed = { dtype: 'float32', dims, data: new Float32Array(student.length) };
  const drawn: Drawn = {
    part,
    feeds: { x },
    labels: given.labels ?? null,
    targets: null,
    tokens: given.tokens ?? null,
    indices: Array.from({ length: dims[0]! }, (_, i) => i),
  };
  const parameters = ['z', ...hidden.flatMap(({ adapter }) => adapter?.name ?? [])];
  const program = await openProgram({ model: made, objective, parameters, folder, threads: 1 }, 'train', { x });
  try {
    const loss = scalarFeed();
    const data = new Float32Array(student.length);
    const fed = Object.fromEntries(
      hidden.flatMap(({ adapter }) =>
        adapter ? [[adapter.name, feedOf(adapter.dims, adapterOnes(adapter.dims))]] : [],
      ),
    );
    await program.run(
      { x, z: { dtype: 'float32', dims, data: student }, ...fed, ...(await objective.feeds(drawn)) },
      { [program.loss]: loss, [program.gradients.get('z')!]: { dtype: 'float32', dims, data } },
    );
    return { loss: loss.data[0]!, gradient: data };
  } finally {
    await program.close();
  }
}

const feedOf = (dims: readonly number[], data: Float32Array): Feed => ({ dtype: 'float32', dims, data });
const adapterOnes = ([from, to]: readonly number[]): Float32Array =>
  Float32Array.from({ length: from! * to! }, (_, i) => (i % to! === Math.floor(i / to!) ? 1 : 0));

const softmax = (row: readonly number[], temperature: number): number[] => {
  const most = Math.max(...row);
  const powers = row.map((x) => Math.exp((x - most) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
};
const rowsOf = (values: Float32Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);

/** T²·KL of each row, and its gradient T·(q − p). */
function divergence(student: Float32Array, teacher: Float32Array, width: number, temperature: number) {
  const theirs = rowsOf(teacher, width);
  return rowsOf(student, width).map((row, i) => {
    const [p, q] = [softmax(theirs[i]!, temperature), softmax(row, temperature)];
    const value = p.reduce((sum, one, c) => sum + one * Math.log(one / q[c]!), 0) * temperature ** 2;
    return { value, gradient: q.map((one, c) => temperature * (one - p[c]!)) };
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
function expectClose(is: Float32Array, should: readonly number[], within: number): void {
  const size = Math.max(...should.map(Math.abs));
  for (const [i, one] of should.entries()) expect(Math.abs(is[i]! - one)).toBeLessThanOrEqual(within * size);
}
const noise = (count: number, seed: number, size = 2): Float32Array => randomWeights(count, size, seed);

describe('a student of a classifier', () => {
  const dims = [4, 5];
  const [student, teacher] = [noise(20, 1), noise(20, 2)];

  it.each([1, 2, 4, 20])('T = %d: the loss and its gradient are those of the formula', async (temperature) => {
    const should = divergence(student, teacher, 5, temperature);
    const { loss, gradient } = await lossOf({ dims, student, teacher, temperature });
    expect(loss).toBeCloseTo(mean(should.map((row) => row.value)), 4);
    expectClose(
      gradient,
      should.flatMap((row) => row.gradient.map((one) => one / 4)),
      2e-5,
    );
  });

  it('has nothing to learn from itself', async () => {
    const { loss, gradient } = await lossOf({ dims, student, teacher: student });
    expect(Math.abs(loss)).toBeLessThan(1e-6);
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
  });

  it('at a high temperature its gradient is the difference of centred scores, a class each', async () => {
    const centred = (values: Float32Array) =>
      Float32Array.from(rowsOf(values, 5).flatMap((row) => row.map((one) => one - mean(row))));
    const [own, theirs] = [centred(student), centred(teacher)];
    const { gradient } = await lossOf({ dims, student: own, teacher: theirs, temperature: 200 });
    expectClose(
      gradient,
      [...own].map((one, i) => (one - theirs[i]!) / 5 / 4),
      0.05,
    );
  });

  it('T² keeps the gradient as large as it was', async () => {
    const size = async (temperature: number) =>
      Math.hypot(...(await lossOf({ dims, student, teacher, temperature })).gradient);
    const [cold, hot, hotter] = [await size(1), await size(20), await size(40)];
    expect(hot / cold).toBeGreaterThan(0.5);
    expect(hotter / hot).toBeGreaterThan(0.95);
    expect(hotter / hot).toBeLessThan(1.05);
  });

  it('weighs teacher and labels', async () => {
    const labels = Int32Array.of(0, 4, 2, 2);
    const kl = mean(divergence(student, teacher, 5, 4).map((row) => row.value));
    const hard = mean(rowsOf(student, 5).map((row, i) => -Math.log(softmax(row, 1)[labels[i]!]!)));
    const { loss } = await lossOf({ dims, student, teacher, labels, alpha: 0.7 });
    expect(loss).toBeCloseTo(0.7 * kl + 0.3 * hard, 4);
    // Without labels there is the teacher alone.
    expect((await lossOf({ dims, student, teacher, alpha: 0.2 })).loss).toBeCloseTo(kl, 4);
  });

  it('is compared before a final Softmax', async () => {
    const ends = [node('Softmax', ['y'], ['p'], { axis: 1 })];
    const plain = await lossOf({ dims, student, teacher });
    expect((await lossOf({ dims, student, teacher, ends })).loss).toBeCloseTo(plain.loss, 5);
  });

  it('behind a Sigmoid each score is a coin', async () => {
    const ends = [node('Sigmoid', ['y'], ['p'])];
    const coin = (x: number): number => 1 / (1 + Math.exp(-x / 4));
    const each = [...student].map((s, i) => {
      const [q, p] = [coin(s), coin(teacher[i]!)];
      return 16 * (p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q)));
    });
    expect((await lossOf({ dims, student, teacher, ends })).loss).toBeCloseTo(mean(each), 4);
  });
});

it('a student of numbers is as far as the squared difference', async () => {
  const [student, teacher] = [noise(12, 3), noise(12, 4)];
  const { loss } = await lossOf({ dims: [4, 3], student, teacher, task: 'regression' });
  expect(loss).toBeCloseTo(mean([...student].map((one, i) => (one - teacher[i]!) ** 2)), 4);
});

it('a language model learns the teacher’s words where its own are scored', async () => {
  const [rows, length, vocabulary] = [2, 3, 6];
  const [student, teacher] = [noise(36, 5), noise(36, 6)];
  const tokens = { length, ids: Int32Array.of(1, 2, 3, 4, 5, 0), scored: Float32Array.of(0, 1, 1, 0, 1, 0) };
  const each = divergence(student, teacher, vocabulary, 2).map((row) => row.value);
  const { loss } = await lossOf({
    ...{ dims: [rows, length, vocabulary], student, teacher, tokens },
    ...{ temperature: 2, task: 'language-modelling' },
  });
  // Positions 0 and 1 of the first row, 0 of the second: those whose next token counts.
  expect(loss).toBeCloseTo(mean([each[0]!, each[1]!, each[3]!]), 4);
});

describe('hidden values', () => {
  const dims = [4, 3];
  const [student, teacher] = [noise(12, 7), noise(12, 8)];
  const kl = mean(divergence(student, teacher, 3, 4).map((row) => row.value));
  const square = (values: readonly number[]) => mean(values.map((one) => one * one));

  it('of one width are compared as they are', async () => {
    const inside = noise(12, 9);
    const { loss } = await lossOf({ dims, student, teacher, inside, hidden: [{ value: 'y', axis: 1, adapter: null }] });
    const off = square([...student].map((one, i) => one - inside[i]!)) / square([...inside]);
    expect(loss).toBeCloseTo(kl + off, 4);
  });

  it('of several widths through a map that is trained along', async () => {
    const inside = noise(20, 10);
    const adapter = floatTensor('adapter', [3, 5], new Float32Array(15));
    const { loss } = await lossOf({ dims, student, teacher, inside, hidden: [{ value: 'y', axis: 1, adapter }] });
    // The map is fed as the identity, which fills two channels with nothing.
    const off = square([...inside].map((one, i) => (i % 5 < 3 ? student[Math.floor(i / 5) * 3 + (i % 5)]! : 0) - one));
    expect(loss).toBeCloseTo(kl + off / square([...inside]), 4);
  });
});

it('refuses a student with another number of answers', async () => {
  const asked = lossOf({ dims: [4, 5], student: noise(20, 1), teacher: noise(24, 2) });
  await expect(asked).rejects.toMatchObject({ refusal: { code: 'unsupported' } });
});
