// What a method needs to learn from data: samples, a folder for what it writes meanwhile, and where to tell how far it is.
import type { TrainingRecord } from '../../../contract/words/training';
import type { Kernels } from '../../kernels/kernels';
import type { Calibration } from '../../measure/calibration';
import type { InputMoments } from '../../measure/moments-values';
import type { CurvePoint } from '../../train/curves';
import type { TrainingData } from '../../train/training-data';

export interface Gathering {
  /** Null where no step of the recipe needs data. */
  readonly calibration: Calibration | null;
  /** Inputs whose preparation the dataset declares, by name; empty where none is chosen. No sample is looked at for them. */
  readonly declared: ReadonlyMap<string, InputMoments>;
  /** The job's own folder. What is put there is removed again by who put it. */
  readonly folder: string;
  readonly kernels: Kernels;
  readonly signal: AbortSignal;
  /** Progress of the stage `gather`: "Static int8, sample 12 of 128". */
  tell(text: string, done: number, total: number): void;
  /** What steps that train learn from; null where none does. */
  readonly training: TrainingData | null;
  readonly seed: number;
  /** The model the run started from, as a file: a teacher. */
  readonly parent: string;
  /** The user asked to end: a training ends between steps and keeps what was gained. */
  stopping(): boolean;
  /** Progress of the stage `train`. */
  tellTraining(text: string, done: number, total: number): void;
  curve(point: CurvePoint): void;
  /** A training has ended. */
  learnt(record: TrainingRecord): void;
}
