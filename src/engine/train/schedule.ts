// The learning rate over the steps of a training: warm-up, then one of three ways down.

export const schedules = ['constant', 'cosine', 'linear'] as const;

export interface Schedule {
  readonly kind: (typeof schedules)[number];
  /** The highest rate, reached when the warm-up ends. */
  readonly learningRate: number;
  /** Steps in which the rate rises from nothing to the highest. */
  readonly warmUpSteps: number;
  readonly steps: number;
}

/** The rate of a step; the first is 0. Cosine and linear reach nothing one step after the last. */
export function rateAt(step: number, { kind, learningRate, warmUpSteps, steps }: Schedule): number {
  if (step < warmUpSteps) return (learningRate * (step + 1)) / (warmUpSteps + 1);
  const gone = Math.min(1, (step - warmUpSteps) / Math.max(1, steps - warmUpSteps));
  switch (kind) {
    case 'constant':
      return learningRate;
    case 'cosine':
      return learningRate * 0.5 * (1 + Math.cos(Math.PI * gone));
    case 'linear':
      return learningRate * (1 - gone);
    default:
      return kind satisfies never;
  }
}
