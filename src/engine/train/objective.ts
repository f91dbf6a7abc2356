// What a training makes small: which loss is attached to a model for its task, and what the loss must be fed.
import type { Model } from '../graph/graph';
import type { Feeds } from '../runtime/session';
import type { Drawn } from './samples';
import type { Known } from './tape';

export interface Attached {
  readonly model: Model;
  readonly known: ReadonlyMap<string, Known>;
  /** The scalar. */
  readonly loss: string;
}

export interface Objective {
  /** The model with a loss; shapes are static. May be asked for several batch sizes. */
  attach(model: Model, known: ReadonlyMap<string, Known>): Promise<Attached>;
  /** What the loss wants besides the model's own inputs. */
  feeds(drawn: Drawn): Feeds | Promise<Feeds>;
  /** Answers that the loss is the mean of: how much a batch counts in an average over several. */
  answers(drawn: Drawn): number;
}
