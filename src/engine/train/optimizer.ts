// What a step does to the weights: AdamW and SGD as pure functions over typed arrays, and the norm that gradients are clipped by.

export const optimizers = ['adamw', 'sgd'] as const;

export interface AdamwStep {
  readonly rate: number;
  readonly decay: number;
  /** Gradients are multiplied by this first: clipping, accumulation. */
  readonly scale: number;
  /** Steps taken with this one; the first is 1. */
  readonly step: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/**
 * Loshchilov and Hutter, arXiv 1711.05101: decay apart from the gradient. Writes `weights`, `first` and `second`.
 * m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w(1 − rate·decay) − rate·m̂/(√v̂ + ε)
 */
export function adamw(
  weights: Float32Array,
  gradients: Float32Array,
  first: Float32Array,
  second: Float32Array,
  { rate, decay, scale, step, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamwStep,
): void {
  const kept = 1 - rate * decay;
  const stride = rate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  for (let i = 0; i < weights.length; i++) {
    const g = gradients[i]! * scale;
    const m = beta1 * first[i]! + (1 - beta1) * g;
    const v = beta2 * second[i]! + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    weights[i] = weights[i]! * kept - (stride * m) / (Math.sqrt(v) * correction + epsilon);
  }
}

export interface SgdStep {
  readonly rate: number;
  readonly decay: number;
  readonly scale: number;
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** b ← μb + (g + decay·w), w ← w − rate·(nesterov: g + decay·w + μb; else b). Writes `weights` and `velocity`. */
export function sgd(
  weights: Float32Array,
  gradients: Float32Array,
  velocity: Float32Array,
  { rate, decay, scale, momentum, nesterov }: SgdStep,
): void {
  for (let i = 0; i < weights.length; i++) {
    const g = gradients[i]! * scale + decay * weights[i]!;
    const b = momentum * velocity[i]! + g;
    velocity[i] = b;
    weights[i] = weights[i]! - rate * (nesterov ? g + momentum * b : b);
  }
}

/** √Σg² over all of them, in double precision. */
export function globalNorm(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const part of gradients) for (let i = 0; i < part.length; i++) sum += part[i]! * part[i]!;
  return Math.sqrt(sum);
}

/** What gradients of this norm are multiplied by so that none is longer than `most`; 0 clips nothing. */
export function clipScale(norm: number, most: number): number {
  return most > 0 && norm > most ? most / norm : 1;
}
