// The kernels' door: opens threads over one shared memory and does whole tensors with them.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { toFloat16 } from './float16';
import { addInputs } from './gram';
import { wasm } from './kernel-set';
import type { Kernels } from './kernels';
import { Pool } from './pool';
import { Previews } from './preview';
import { quantize } from './quantize';
import { histogram, statistics } from './statistics';

export type {
  Dequantization,
  Hessian,
  Kernels,
  QuantizePreview,
  QuantizeRequest,
  QuantizeResult,
  Rounding,
  StatisticsOptions,
} from './kernels';

export interface KernelOptions {
  /** Threads beside the caller's; by default one for each core, at most eight. */
  readonly threads?: number;
  /** Where the built worker is; by default beside the built engine. Null: everything on the caller's thread. */
  readonly worker?: URL | null;
  /** Only the plain kernels, for comparison. */
  readonly plain?: boolean;
}

/** The first that exists of some places relative to this module, as it stands in the source tree or in a build's chunk. */
function beside(places: readonly string[]): URL | null {
  return places.map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url)) ?? null;
}

// From the sources (tests) there is no worker of the same age: kernels then run inline.
const builtWorker = () => beside(['./kernel-worker.js', '../kernel-worker.js']);

function compiled(): object {
  const file = beside(['../kernels/kernels.wasm', '../../kernels/kernels.wasm', '../../../out/kernels/kernels.wasm']);
  if (!file) throw new Error('out/kernels/kernels.wasm is missing: npm run kernels builds it');
  return new wasm.Module(readFileSync(file));
}

export async function openKernels(options: KernelOptions = {}): Promise<Kernels> {
  const worker = options.worker === undefined ? builtWorker() : options.worker;
  const pool = new Pool(
    options.plain ? null : compiled(),
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
    close: () => pool.close(),
  };
}
