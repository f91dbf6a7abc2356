// An optimiser's arrays in a WebAssembly memory of their own, and its steps over them; synchronous, on the caller's thread.
import { refuse } from '../../contract/words/refusal';
import { compiled } from './built';
import { type Address, type WasmModule, wasm } from './kernel-set';
import { type AdamwStep, adamwNumbers, type SgdStep } from './reference/optimizer';

export type { AdamwStep, SgdStep } from './reference/optimizer';

/** A stretch of the parameters, for groups with steps of their own. */
export interface Stretch {
  readonly from: number;
  readonly count: number;
}

/**
 * All four arrays are [parameters] and stay where they are: the runtime may read weights from parts of them and write gradients into parts of
 * them. They begin as zeros. `v` is AdamW's alone, `m` is SGD's velocity.
 */
export interface OptimizerKernel {
  readonly parameters: number;
  readonly weights: Float32Array<ArrayBuffer>;
  readonly grads: Float32Array<ArrayBuffer>;
  readonly m: Float32Array<ArrayBuffer>;
  readonly v: Float32Array<ArrayBuffer>;
  /** One step of AdamW over all parameters or a stretch of them; gradients stay as they are. */
  step(step: AdamwStep, stretch?: Stretch): void;
  /** One step of SGD with momentum. */
  sgd(step: SgdStep, stretch?: Stretch): void;
  /** Σg² in float64 over all gradients or a stretch of them, before any scale; not finite where a gradient is not. */
  squaredNorm(stretch?: Stretch): number;
}

interface Exports {
  adamw(weights: Address, grads: Address, m: Address, v: Address, count: number, ...numbers: number[]): void;
  sgd(weights: Address, grads: Address, m: Address, count: number, ...numbers: number[]): void;
  squaredNorm(floats: Address, count: number): number;
}

const page = 65536;
/** Addresses have 32 bits. */
const mostBytes = 2 ** 32;

let module: WasmModule | undefined;

/** Room for a model of so many parameters: 16 bytes each. */
export function openOptimizerKernel(parameters: number): OptimizerKernel {
  // A KiB more than whole pages: arrays a multiple of 4 KiB apart would drive each other out of the first-level cache.
  const apart = Math.ceil((parameters * 4) / page) * page + 1024;
  const bytes = page + 4 * apart;
  if (bytes > mostBytes) {
    refuse(
      'does-not-fit',
      `Training ${parameters} parameters takes ${bytes} bytes for the optimiser; its memory ends at 4 GiB.`,
      'Freeze layers, or train low-rank adapters.',
    );
  }
  const pages = Math.ceil(bytes / page);
  const memory = new wasm.Memory({ initial: pages, maximum: pages });
  module ??= compiled('optimizer.wasm');
  const kernels = new wasm.Instance(module, { env: { memory, abort } }).exports as Exports;
  const [w, g, m, v] = [0, 1, 2, 3].map((i) => page + i * apart) as [Address, Address, Address, Address];
  const array = (at: Address) => new Float32Array(memory.buffer, at, parameters);
  const all: Stretch = { from: 0, count: parameters };
  const checked = ({ from, count }: Stretch): Stretch => {
    if (from < 0 || count < 0 || from + count > parameters) {
      throw new RangeError(`parameters ${from} to ${from + count} of ${parameters}`);
    }
    return { from: from * 4, count };
  };
  return {
    parameters,
    ...{ weights: array(w), grads: array(g), m: array(m), v: array(v) },
    step(step, stretch = all) {
      const { from, count } = checked(stretch);
      const n = adamwNumbers(step);
      kernels.adamw(
        ...([w + from, g + from, m + from, v + from, count, n.gradScale, n.decay, n.beta1, n.rest1] as const),
        ...[n.beta2, n.rest2, n.rate, n.root, n.epsilon],
      );
    },
    sgd(step, stretch = all) {
      const { from, count } = checked(stretch);
      const { gradScale, weightDecay, momentum, nesterov, learningRate } = step;
      const numbers = [gradScale, weightDecay, momentum, nesterov ? 1 : 0, learningRate];
      kernels.sgd(w + from, g + from, m + from, count, ...numbers);
    },
    squaredNorm(stretch = all) {
      const { from, count } = checked(stretch);
      return kernels.squaredNorm(g + from, count);
    },
  };
}

function abort(): never {
  throw new Error('an optimiser kernel met what it cannot do');
}
