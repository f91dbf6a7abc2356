// What a training is asked: the settings a user may turn, and everything a method brings.
import type { InputPort } from '../data/index';
import type { Model } from '../graph/graph';
import type { Augmentation } from './augment';
import type { CurvePoint } from './curves';
import type { Objective } from './objective';
import type { OptimizerSettings, Parameter } from './optimizer';
import type { Pass } from './program';
import type { Schedule } from './schedule';
import type { TrainingData } from './training-data';

export interface TrainSettings {
  /** How often every sample is seen; broken numbers end within an epoch. */
  readonly epochs: number;
  /** Samples of one step. */
  readonly batch: number;
  readonly learningRate: number;
  readonly schedule: Schedule['kind'];
  /** Share of the steps in which the rate rises. */
  readonly warmUp: number;
  readonly optimizer: OptimizerSettings;
  /** The longest a gradient over all parameters may be; 0 clips nothing. */
  readonly clip: number;
  readonly augmentation: Augmentation;
  /** Judgements without a better one after which it ends; 0: never. */
  readonly patience: number;
  /** Batch norms beside what trains normalise by the batch, and their running statistics follow; else they stay as measured. */
  readonly normsByBatch: boolean;
}

type Tell = (text: string, done: number, total: number) => void;

export interface TrainAsk {
  /** The forward graph as passes left it, weights among its initializers; of free batch, or of the batch it insists on. */
  readonly model: Model;
  readonly ports: readonly InputPort[];
  readonly parameters: readonly Parameter[];
  readonly objective: Objective;
  readonly data: TrainingData;
  readonly settings: TrainSettings;
  readonly seed: number;
  /** The job's own folder: checkpoints stay in it, everything else is removed again. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Elements of parameters that must not move, by parameter. */
  readonly held?: ReadonlyMap<string, Uint32Array>;
  readonly pass?: Pass;
  readonly threads?: number;
  readonly config?: Readonly<Record<string, string>>;
  /** Asked between steps: end now and keep the best. */
  readonly stopping: () => boolean;
  readonly tell: Tell;
  /** Samples are being read and prepared, before the first step. */
  readonly tellReading: Tell;
  readonly curve: (point: CurvePoint) => void;
  /** Steps between checkpoints; by default they are written by time. */
  readonly checkpointEvery?: number;
}
