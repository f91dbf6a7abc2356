// The 8-bit grid of an activation: scale and zero point from a range.
import type { Range } from '../../measure/activations';

export interface ActivationKind {
  readonly type: 'uint8' | 'int8';
  /** Values that go both ways get their zero at the middle of the grid. Those that do not still start at its lower end. */
  readonly symmetric: boolean;
}

export interface ActivationGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

const lowestCode = { uint8: 0, int8: -128 } as const;
/** Below this the product with a weight's scale may vanish. */
const smallestScale = 2 ** -60;

/**
 * The runtime draws ReLU and Clip into a convolution only where the zero point is the lowest code, so a range from zero upwards always has
 * it there, symmetric or not.
 */
export function activationGrid(range: Range | null, { type, symmetric }: ActivationKind): ActivationGrid {
  const lowest = lowestCode[type];
  const low = Math.min(range?.min ?? 0, 0);
  const high = Math.max(range?.max ?? 0, 0);
  if (low === high) return { scale: 1, zeroPoint: lowest };
  if (symmetric && low < 0) return { scale: usable(Math.max(-low, high) / 127), zeroPoint: lowest + 128 };
  const scale = usable((high - low) / 255);
  return { scale, zeroPoint: lowest + Math.max(0, Math.min(255, Math.round(-low / scale))) };
}

const usable = (scale: number): number => Math.fround(Math.max(scale, smallestScale));
