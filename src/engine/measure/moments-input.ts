// What a model's inputs look like, as their preparation says: the choices a recipe names.
import { type InputMoments, rangeDeviations } from './moments-values';

export interface InputKind {
  readonly value: string;
  readonly label: string;
  readonly help: string;
  readonly moments: InputMoments;
}

/** Evenly spread over [low, high]. */
function uniform(low: number, high: number): InputMoments {
  return { mean: (low + high) / 2, variance: (high - low) ** 2 / 12, low, high };
}

export const inputKinds: readonly InputKind[] = [
  {
    value: 'normalised',
    label: 'Normalised',
    help: 'Mean 0 and deviation 1 in each channel: (x − mean) / std.',
    moments: { mean: 0, variance: 1, low: -rangeDeviations, high: rangeDeviations },
  },
  { value: 'unit', label: '0 … 1', help: 'Bytes divided by 255.', moments: uniform(0, 1) },
  { value: 'signed', label: '−1 … 1', help: 'Bytes as −1 to 1.', moments: uniform(-1, 1) },
  { value: 'bytes', label: '0 … 255', help: 'Bytes as they are.', moments: uniform(0, 255) },
];
