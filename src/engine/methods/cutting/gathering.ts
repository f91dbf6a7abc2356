// What a method needs to learn from data: samples, a folder for what it writes meanwhile, and where to tell how far it is.
import type { Kernels } from '../../kernels/kernels';
import type { Calibration } from '../../measure/calibration';

export interface Gathering {
  /** Null where no step of the recipe needs data. */
  readonly calibration: Calibration | null;
  /** The job's own folder. What is put there is removed again by who put it. */
  readonly folder: string;
  readonly kernels: Kernels;
  readonly signal: AbortSignal;
  /** Progress of the stage `gather`: "Static int8, sample 12 of 128". */
  tell(text: string, done: number, total: number): void;
}
