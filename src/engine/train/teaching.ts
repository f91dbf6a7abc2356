// What a student makes small: how far its answers are from its teacher's, beside the loss of its task.
import { refuse } from '../../contract/words/refusal';
import { makeNode, withInitializers } from '../graph/edit';
import { elementCount, type Graph, type Model, type Tensor } from '../graph/graph';
import type { Feed } from '../runtime/session';
import { constantsOf } from './constants';
import { add, cast, div, matMul, mul, plus, reshape, scaled, sub, sum, transpose, unary } from './emit';
import { meanOfAll, ofNextToken, scoresOf, weightedMean } from './loss';
import { type Objective, objectiveOf, type Task } from './objective';
import type { Drawn } from './samples';
import { declared, type Known, openTape, type Tape } from './tape';

/** A hidden value of the student that shall be like the teacher's. */
export interface Hidden {
  /** Name in the student. */
  readonly value: string;
  /** Axis of the channels, from the front. */
  readonly axis: number;
  /** [student's channels, teacher's channels], trained along; null where both have as many. */
  readonly adapter: Tensor | null;
}

/** Answers of a teacher: to its scores, then to each hidden value. */
export interface Answering {
  readonly key: string;
  answers(drawn: Drawn): Promise<readonly Float32Array[]>;
  keep: NonNullable<Objective['prepare']>;
}

export interface TeachingAsk {
  readonly task: Task;
  /** The student's answer. */
  readonly output: string;
  /** The samples carry what they should be answered with. */
  readonly isLabelled: boolean;
  /** Divides the scores of both before they are compared: the higher, the more the small ones count. */
  readonly temperature: number;
  /** Share of the teacher in the loss; the rest is the task's. */
  readonly alpha: number;
  readonly teacher: Answering;
  readonly hidden: readonly Hidden[];
  /** What the hidden values weigh beside the scores. */
  readonly hiddenWeight: number;
}

/**
 * α·T²·KL(softmax(zₜ/T) ‖ softmax(zₛ/T)) + (1−α)·the task's loss (Hinton et al., arXiv:1503.02531), mean over the answers; T² keeps the
 * gradients as large as the task's. Regression: squared difference. Hidden values: squared difference over the teacher's square.
 */
export function teachingObjective(ask: TeachingAsk): Objective {
  const { task, output, isLabelled, temperature, hidden, teacher } = ask;
  const alpha = isLabelled ? ask.alpha : 1;
  const own = isLabelled ? objectiveOf(task, output) : null;
  const names = ['teacher', ...hidden.map((_, i) => `teacher_${i}`)];
  /** Shapes of what the teacher feeds, by element count: batches differ in their rows. */
  const shapes = names.map(() => new Map<number, readonly number[]>());
  return {
    key: JSON.stringify([alpha, temperature, ask.hiddenWeight, teacher.key]),
    prepare: (ahead) => teacher.keep(ahead),
    async attach(model, known) {
      const mine = own && (await own.attach(model, known));
      const at = withAdapters(mine ?? { model, known }, hidden);
      const { graph } = at.model;
      const opset = model.opsets.get('') ?? 1;
      const constants = await constantsOf(at.model);
      const tape = openTape({ graph, known: at.known, constants, wanted: new Set(), opset });
      tape.under('distillation');
      const inputs = [...graph.inputs];
      const feed = (i: number, dims: readonly number[]): string => {
        const name = tape.name(names[i]!);
        tape.learn(name, { dtype: 'float32', dims });
        inputs.push(declared(name, tape.known(name)));
        shapes[i]!.set(elementCount(dims), dims);
        names[i] = name;
        return name;
      };
      let whole = apartness(tape, graph, ask, feed, mine?.weights ?? null);
      if (mine && alpha < 1) whole = add(tape, scaled(tape, whole, alpha), scaled(tape, mine.loss, 1 - alpha));
      for (const [i, one] of hidden.entries()) {
        const off = hiddenApartness(tape, one, (dims) => feed(i + 1, dims));
        whole = add(tape, whole, scaled(tape, off, ask.hiddenWeight / hidden.length));
      }
      const loss = tape.name('distillation_loss');
      tape.learn(loss, tape.known(whole));
      const nodes = [...graph.nodes, ...tape.nodes, makeNode('Identity', [whole], [loss], { name: loss })];
      const initializers = new Map([...graph.initializers, ...tape.constantsMade]);
      const outputs = [declared(loss, tape.known(loss)), ...graph.outputs];
      return {
        model: { ...at.model, graph: { ...graph, nodes, inputs, initializers, outputs } },
        known: tape.everything,
        loss,
      };
    },
    async feeds(drawn) {
      const feeds: Record<string, Feed> = own ? { ...(await own.feeds(drawn)) } : {};
      for (const [i, data] of (await teacher.answers(drawn)).entries()) {
        const dims = shapes[i]!.get(data.length);
        if (!dims)
          refuse(
            'unsupported',
            `The teacher gives ${data.length} numbers where the student gives ${[...shapes[i]!.keys()].join(' or ')}.`,
            'Distil into a student with as many answers.',
          );
        feeds[names[i]!] = { dtype: 'float32', dims, data };
      }
      return feeds;
    },
    answers: (drawn) => own?.answers(drawn) ?? drawn.indices.length,
  };
}

interface At {
  readonly model: Model;
  readonly known: ReadonlyMap<string, Known>;
}

/** Adapters are initializers that nothing reads yet: passes before may have dropped them. */
function withAdapters({ model, known }: At, hidden: readonly Hidden[]): At {
  const adapters = hidden.flatMap(({ adapter }) => adapter ?? []);
  if (adapters.length === 0) return { model, known };
  return {
    model: { ...model, graph: withInitializers(model.graph, adapters) },
    known: new Map([...known, ...adapters.map(({ name, dtype, dims }) => [name, { dtype, dims }] as const)]),
  };
}

/** How far the student's scores are from those that are fed. */
function apartness(
  tape: Tape,
  graph: Graph,
  { task, output, temperature }: TeachingAsk,
  feed: (i: number, dims: readonly number[]) => string,
  weights: string | null,
): string {
  if (task === 'regression') {
    const y = cast(tape, output, 'float32');
    const off = sub(tape, y, feed(0, tape.known(y).dims));
    return meanOfAll(tape, mul(tape, off, off));
  }
  const isLanguage = task === 'language-modelling';
  const { logits, kind, axis } = scoresOf(graph, output, (name) => tape.known(name).dims.length, isLanguage);
  const scores = cast(tape, logits, 'float32');
  const cooled = (name: string): string => scaled(tape, name, 1 / temperature);
  const student = cooled(scores);
  const teacher = cooled(feed(0, tape.known(scores).dims));
  const squared = temperature * temperature;
  if (kind === 'even') return scaled(tape, meanOfAll(tape, evenDivergence(tape, student, teacher)), squared);
  const logOf = (x: string): string => tape.emit('LogSoftmax', [x], tape.known(x), { axis });
  const [p, q] = [logOf(teacher), logOf(student)];
  const each = sum(tape, mul(tape, unary(tape, 'Exp', p), sub(tape, p, q)), [axis], false);
  const divergence = weights
    ? weightedMean(tape, reshape(tape, each, [elementCount(tape.known(each).dims)]), ofNextToken(tape, weights))
    : meanOfAll(tape, each);
  return scaled(tape, divergence, squared);
}

/** KL between two coins for each score: with p = σ(t), ln(1 + eˢ) − p·s − (ln(1 + eᵗ) − p·t). */
function evenDivergence(tape: Tape, student: string, teacher: string): string {
  const p = unary(tape, 'Sigmoid', teacher);
  const cost = (x: string): string => sub(tape, unary(tape, 'Softplus', x), mul(tape, p, x));
  return sub(tape, cost(student), cost(teacher));
}

// A value that is zero everywhere has no size to measure by.
const leastSquare = 1e-8;

/** mean (hₜ − A·hₛ)² / mean hₜ² */
function hiddenApartness(
  tape: Tape,
  { value, axis, adapter }: Hidden,
  feed: (dims: readonly number[]) => string,
): string {
  const own = cast(tape, value, 'float32');
  const { dims } = tape.known(own);
  const last = [...dims.keys()].filter((one) => one !== axis).concat(axis);
  const channels = adapter?.dims[1] ?? dims[axis]!;
  const should = feed(dims.map((dim, i) => (i === axis ? channels : dim)));
  const is = adapter ? matMul(tape, transpose(tape, own, last), adapter.name) : own;
  const off = sub(tape, is, adapter ? transpose(tape, should, last) : should);
  const size = plus(tape, meanOfAll(tape, mul(tape, should, should)), leastSquare);
  return div(tape, meanOfAll(tape, mul(tape, off, off)), size);
}
