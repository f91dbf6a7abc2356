// What a training makes small: which loss is attached to a model for its task, and what the loss must be fed.
import { refuse } from '../../contract/words/refusal';
import { elementCount, type Model } from '../graph/graph';
import type { Feed, Feeds } from '../runtime/session';
import { attachLoss, type LossAsk } from './loss';
import type { Drawn, SampleStore } from './samples';
import type { Known } from './tape';

export interface Attached {
  readonly model: Model;
  readonly known: ReadonlyMap<string, Known>;
  /** The scalar. */
  readonly loss: string;
}

/** Samples that a training will draw, before it draws the first. */
export interface Ahead {
  readonly store: SampleStore;
  /** How many are drawn together. */
  readonly rows: number;
  /** As they are in the store every time, not shifted or mirrored; and more than once. */
  readonly isRepeated: boolean;
  readonly signal: AbortSignal;
  tell(text: string, done: number, total: number): void;
}

export interface Objective {
  /** What else than the model and the settings makes this training another one. */
  readonly key?: string;
  /** A look at all samples of a part beforehand. */
  prepare?(ahead: Ahead): Promise<void>;
  /** The model with a loss; shapes are static. May be asked for several batch sizes. */
  attach(model: Model, known: ReadonlyMap<string, Known>): Promise<Attached>;
  /** What the loss wants besides the model's own inputs. */
  feeds(drawn: Drawn): Feeds | Promise<Feeds>;
  /** Answers that the loss is the mean of: how much a batch counts in an average over several. */
  answers(drawn: Drawn): number;
}

/** The loss of a task; `weights`: how much each token of a language model counts. */
export interface TaskObjective extends Objective {
  attach(
    model: Model,
    known: ReadonlyMap<string, Known>,
  ): Promise<Attached & { readonly logits: string; readonly weights: string | null }>;
}

export type Task = keyof typeof losses;

const losses = {
  classification: 'classification',
  regression: 'regression',
  'language-modelling': 'language',
} as const satisfies Record<string, LossAsk['task']>;

/** The loss that goes with a task: cross-entropy, squared error, next token. `output`: the model's answer. */
export function objectiveOf(task: Task, output: string, smoothing = 0): TaskObjective {
  let names = { labels: 'labels', weights: 'weights' };
  let dims: ReadonlyMap<number, readonly number[]> = new Map();
  return {
    async attach(model, known) {
      const { labels, weights, ...attached } = await attachLoss(model, {
        task: losses[task],
        output,
        known,
        smoothing,
      });
      names = { labels: labels.name, weights: weights?.name ?? names.weights };
      const shape = attached.known.get(labels.name)!.dims;
      dims = new Map([...dims, [shape[0] ?? 1, shape]]);
      return { ...attached, weights: weights?.name ?? null };
    },
    feeds(drawn) {
      const { labels, targets, tokens, indices } = drawn;
      const shape = dims.get(indices.length) ?? [...dims.values()][0]!;
      if (tokens) {
        return {
          [names.labels]: longs(tokens.ids, [indices.length, tokens.length]),
          [names.weights]: { dtype: 'float32', dims: [indices.length, tokens.length], data: tokens.scored },
        };
      }
      if (labels) return { [names.labels]: longs(labels, fitting(shape, labels.length)) };
      if (targets)
        return { [names.labels]: { dtype: 'float32', dims: fitting(shape, targets.data.length), data: targets.data } };
      throw new Error('samples without labels came to a loss that needs them');
    },
    answers: ({ tokens, indices }) => (tokens ? tokens.scored.reduce((sum, one) => sum + one, 0) : indices.length),
  };
}

function longs(values: Int32Array, dims: readonly number[]): Feed {
  return { dtype: 'int64', dims, data: BigInt64Array.from(values, BigInt) };
}

/** The loss's shape, where the dataset has as many answers as the model gives. */
function fitting(dims: readonly number[], count: number): readonly number[] {
  if (elementCount(dims) === count) return dims;
  return refuse(
    'bad-dataset',
    `The model gives ${elementCount(dims)} answers where the dataset has ${count} labels.`,
    'Choose a dataset whose labels fit the model.',
  );
}
