// Steps of AdamW and SGD, and the squared norm of gradients. Plain reference: the SIMD kernels give the same bits.
const f = Math.fround;

/** AdamW with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2; PyTorch's `AdamW`). */
export interface AdamwStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 1 − β₁ᵗ and 1 − β₂ᵗ at step t = 1, 2, … */
  readonly biasCorrection1: number;
  readonly biasCorrection2: number;
  /** Gradients are taken times this: what clips them, and 1/n where n were added up. */
  readonly gradScale: number;
}

/** SGD with momentum as PyTorch's: decay is added to the gradient, the velocity begins at zero. */
export interface SgdStep {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly gradScale: number;
}

/** The float32 numbers that a step of AdamW computes with. */
export function adamwNumbers(step: AdamwStep) {
  return {
    gradScale: f(step.gradScale),
    decay: f(1 - step.learningRate * step.weightDecay),
    beta1: f(step.beta1),
    rest1: f(1 - step.beta1),
    beta2: f(step.beta2),
    rest2: f(1 - step.beta2),
    rate: f(step.learningRate / step.biasCorrection1),
    root: f(1 / Math.sqrt(step.biasCorrection2)),
    epsilon: f(step.epsilon),
  };
}

/** g ← gradScale·g; m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w·(1 − ηλ) − η/c₁ · m / (√v/√c₂ + ε). `grads` stay as they are. */
export function adamw(
  weights: Float32Array,
  grads: Float32Array,
  m: Float32Array,
  v: Float32Array,
  step: AdamwStep,
): void {
  const { gradScale, decay, beta1, rest1, beta2, rest2, rate, root, epsilon } = adamwNumbers(step);
  for (let i = 0; i < weights.length; i++) {
    const g = f(grads[i]! * gradScale);
    const first = f(f(m[i]! * beta1) + f(g * rest1));
    const second = f(f(v[i]! * beta2) + f(f(g * g) * rest2));
    m[i] = first;
    v[i] = second;
    const below = f(f(f(Math.sqrt(second)) * root) + epsilon);
    weights[i] = f(weights[i]! * decay) - f(f(first * rate) / below);
  }
}

/** g ← gradScale·g + λw; m ← μm + g; w ← w − η·m, or w − η·(g + μm) with Nesterov's look ahead. */
export function sgd(weights: Float32Array, grads: Float32Array, m: Float32Array, step: SgdStep): void {
  const [gradScale, decay, momentum, rate] = [
    f(step.gradScale),
    f(step.weightDecay),
    f(step.momentum),
    f(step.learningRate),
  ];
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    const g = f(f(grads[i]! * gradScale) + f(w * decay));
    const velocity = f(f(m[i]! * momentum) + g);
    m[i] = velocity;
    const way = step.nesterov ? f(g + f(velocity * momentum)) : velocity;
    weights[i] = w - f(way * rate);
  }
}

/**
 * Σx² in float64. The order of additions is part of the definition: eight accumulators take the elements 8i … 8i + 7 and are joined as
 * ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)); then the last n mod 8 follow one by one.
 */
export function squaredNorm(values: Float32Array): number {
  const lanes = new Float64Array(8);
  const body = values.length - (values.length % 8);
  for (let i = 0; i < body; i++) lanes[i & 7]! += values[i]! * values[i]!;
  const [a, b, c, d, e, g, h, k] = lanes as unknown as [number, number, number, number, number, number, number, number];
  let sum = a + b + (c + d) + (e + g + (h + k));
  for (let i = body; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}
