// The weights that train, their gradients and the optimiser's memory of them: one array each, with a view for every parameter.
import { openOptimizerKernel } from '../kernels/optimizer';

export const optimizers = ['adamw', 'sgd'] as const;

/** A tensor that trains, by the name of its initializer. */
export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly count: number;
  /** Weights decay; biases, norms and other vectors do not. */
  readonly decays: boolean;
}

export interface OptimizerSettings {
  readonly kind: (typeof optimizers)[number];
  readonly weightDecay: number;
  /** SGD's alone. */
  readonly momentum: number;
  readonly nesterov: boolean;
}

export interface Optimizer {
  /** Views over the optimiser's own memory: written by `step`, read by the runtime. */
  readonly weights: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** The runtime writes here; `step` reads. */
  readonly gradients: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** All gradients one after another. */
  readonly allGradients: Float32Array<ArrayBuffer>;
  /** Everything a step depends on besides the gradients, for a checkpoint. */
  readonly arrays: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** √Σg². */
  norm(): number;
  /** `count` is 1 for the first step. Gradients are taken times `scale`. */
  step(ask: { readonly rate: number; readonly scale: number; readonly count: number }): void;
}

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

export function openOptimizer(parameters: readonly Parameter[], settings: OptimizerSettings): Optimizer {
  // Those that decay first: each group is one stretch.
  const ordered = [...parameters.filter(({ decays }) => decays), ...parameters.filter(({ decays }) => !decays)];
  const total = ordered.reduce((sum, { count }) => sum + count, 0);
  const decaying = ordered.reduce((sum, { decays, count }) => sum + (decays ? count : 0), 0);
  const kernel = openOptimizerKernel(total);
  const groups = [
    { stretch: { from: 0, count: decaying }, weightDecay: settings.weightDecay },
    { stretch: { from: decaying, count: total - decaying }, weightDecay: 0 },
  ].filter(({ stretch }) => stretch.count > 0);

  const views = (array: Float32Array<ArrayBuffer>): ReadonlyMap<string, Float32Array<ArrayBuffer>> => {
    let at = 0;
    return new Map(ordered.map(({ name, count }) => [name, array.subarray(at, (at += count))]));
  };
  return {
    weights: views(kernel.weights),
    gradients: views(kernel.grads),
    allGradients: kernel.grads,
    arrays: new Map([
      ['weights', kernel.weights],
      ['first', kernel.m],
      ...(settings.kind === 'adamw' ? ([['second', kernel.v]] as const) : []),
    ]),
    norm: () => Math.sqrt(kernel.squaredNorm()),
    step({ rate, scale, count }) {
      const { momentum, nesterov } = settings;
      const common = { learningRate: rate, gradScale: scale };
      const correction = { biasCorrection1: 1 - beta1 ** count, biasCorrection2: 1 - beta2 ** count };
      for (const { stretch, weightDecay } of groups) {
        if (settings.kind === 'adamw')
          kernel.step({ ...common, ...correction, beta1, beta2, epsilon, weightDecay }, stretch);
        else kernel.sgd({ ...common, momentum, nesterov, weightDecay }, stretch);
      }
    },
  };
}

/** What gradients of this norm are multiplied by so that none is longer than `most`; 0 clips nothing. */
export function clipScale(norm: number, most: number): number {
  return most > 0 && norm > most ? most / norm : 1;
}
