// The kernels' door: opens threads over one shared memory and does whole tensors with them.
import { availableParallelism } from 'node:os';
import { compiled, firstOf } from './built';
import { toFloat16 } from './float16';
import { addInputs } from './gram';
import type { Kernels } from './kernels';
import { Pool } from './pool';
import { Previews } from './preview';
import { mask, masked, maskTwoOfFour, threshold } from './prune';
import { quantize } from './quantize';
import { prune } from './sparse';
import { histogram, statistics } from './statistics';

export type {
  Dequantization,
  Hessian,
  Kernels,
  Mask,
  MaskRequest,
  PruneRequest,
  PruneResult,
  QuantizePreview,
  QuantizeRequest,
  QuantizeResult,
  Rounding,
  StatisticsOptions,
  Threshold,
  TwoOfFourRequest,
} from './kernels';
export { type AdamwStep, type OptimizerKernel, openOptimizerKernel, type SgdStep, type Stretch } from './optimizer';

export interface KernelOptions {
  /** Threads beside the caller's; by default one for each core, at most eight. */
  readonly threads?: number;
  /** Where the built worker is; by default beside the built engine. Null: everything on the caller's thread. */
  readonly worker?: URL | null;
  /** Only the plain kernels, for comparison. */
  readonly plain?: boolean;
}

// From the sources (tests) there is no worker of the same age: kernels then run inline.
const builtWorker = () => firstOf(['./kernel-worker.js', '../kernel-worker.js']);

export async function openKernels(options: KernelOptions = {}): Promise<Kernels> {
  const worker = options.worker === undefined ? builtWorker() : options.worker;
  const pool = new Pool(
    options.plain ? null : compiled('kernels.wasm'),
    worker,
    Math.max(1, Math.min(8, options.threads ?? availableParallelism())),
  );
  const previews = new Previews(pool);
  return {
    threads: pool.threads,
    statistics: (tensor, options = {}) => pool.alone(options.signal, () => statistics(pool, tensor, options)),
    histogram: (tensor, range) => pool.alone(range.signal, () => histogram(pool, tensor, range)),
    quantize: (request) => pool.alone(request.signal, () => quantize(pool, request)),
    preview: (request) => pool.alone(request.signal, () => previews.preview(request)),
    addInputs: (into, inputs, options = {}) =>
      pool.alone(options.signal, () => addInputs(pool, into, inputs, options.signal)),
    toFloat16: (tensor, options = {}) => pool.alone(options.signal, () => toFloat16(pool, tensor, options.signal)),
    threshold: (tensors, keep, options = {}) =>
      pool.alone(options.signal, () => threshold(pool, tensors, keep, options.signal)),
    mask: (tensor, request) => pool.alone(request.signal, () => mask(pool, tensor, request)),
    maskTwoOfFour: (tensor, request) => pool.alone(request.signal, () => maskTwoOfFour(pool, tensor, request)),
    masked: (tensor, stays, options = {}) =>
      pool.alone(options.signal, () => masked(pool, tensor, stays, options.signal)),
    prune: (request) => pool.alone(request.signal, () => prune(pool, request)),
    close: () => pool.close(),
  };
}
