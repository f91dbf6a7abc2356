// What a model's inputs look like, as their preparation says: the choices a recipe names.
import type { InputSpec } from '../../contract/words/dataset';
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

/**
 * Moments of an input that a dataset prepares: bytes through x·scale, then (x − mean) / std. Where a deviation is declared it is that of
 * the data, else bytes are taken to be evenly spread. Null where nothing can be told: numbers that are no bytes, without a deviation.
 */
export function declaredMoments({ scale = 1, mean, std }: InputSpec, isBytes: boolean): InputMoments | null {
  if (!isBytes && !std) return null;
  const channels = Math.max(mean?.length ?? 1, std?.length ?? 1);
  const prepared = (x: number): number[] =>
    Array.from({ length: channels }, (_, c) => {
      const of = (list: readonly number[] | undefined, none: number): number =>
        list?.[list.length === 1 ? 0 : c] ?? none;
      return (x * scale - of(mean, 0)) / of(std, 1);
    });
  const bounds = [...prepared(0), ...prepared(255)];
  const [low, high] = isBytes ? [Math.min(...bounds), Math.max(...bounds)] : [-rangeDeviations, rangeDeviations];
  return std ? { mean: 0, variance: 1, low, high } : { ...uniform(low, high) };
}
