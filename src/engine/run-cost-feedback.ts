// What rounding with the inputs in view (gptq) takes beside running the model: sums of products of inputs, their factor, the feedback itself.
import { storedBytes } from './graph/graph';
import type { LayerSite } from './graph/layers';
import { floatTensor } from './graph/tensor';
import type { Kernels } from './kernels';
import { inputsTogether } from './methods/cutting/hessians';
import type { Order } from './methods/cutting/order';
import { mostPositions } from './methods/cutting/patches';

export interface FeedbackWork {
  /** Runs of a piece of the model for each sample: one for each input that is looked at. */
  readonly pieces: number;
  /** Multiply-accumulates of the sums, for each sample. */
  readonly sums: number;
  /** Of the factors and the feedback, once. */
  readonly feedback: number;
  /** Sum, factor, inputs under way, and the layers of a piece in the runtime. */
  readonly peakBytes: number;
}

/** A layer's weights as rows of what each of its outputs is made from. */
export type Matrix = Pick<Order, 'tensor' | 'rows' | 'columns'>;

/** Layers between two inputs that are looked at: an attention's query, key and value with what follows them. */
const layersOfPiece = 4;

/** `positions`: rows a layer takes in for each sample, where its shapes do not tell. */
export function feedbackWork(orders: readonly Matrix[], sites: readonly LayerSite[], positions: number): FeedbackWork {
  const seen = new Set<string>();
  const total = { pieces: 0, sums: 0, feedback: 0, peakBytes: 0 };
  for (const { tensor, rows, columns } of orders) {
    const site = sites.find((one) => one.tensor === tensor);
    const input = site?.node.inputs[0] ?? `own ${seen.size}`;
    const inputs = site?.macs ? site.macs / (rows * columns) : positions;
    const looked = site?.op === 'Conv' ? Math.min(inputs, mostPositions) : inputs;
    total.feedback += rows * columns ** 2;
    total.peakBytes = Math.max(
      total.peakBytes,
      columns ** 2 * 12 + inputsTogether * 8 + layersOfPiece * storedBytes(tensor),
    );
    if (seen.has(input)) continue;
    seen.add(input);
    total.pieces++;
    total.sums += (looked * columns ** 2) / 2;
    total.feedback += columns ** 3 / 3;
  }
  return total;
}

export interface FeedbackSpeed {
  /** Multiply-accumulates a second. */
  readonly sums: number;
  readonly feedback: number;
}

const side = 512;
const inputsOnce = 2048;
/** The first try also starts what it needs. */
const tries = 2;

/** A layer of our own, small enough for a few hundredths of a second. */
export async function feedbackSpeed(kernels: Kernels, signal: AbortSignal): Promise<FeedbackSpeed> {
  const values = Float32Array.from({ length: inputsOnce * side }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.5);
  const weights = floatTensor('w', [side, side], values.subarray(0, side * side));
  let [sumSeconds, roundSeconds] = [Infinity, Infinity];
  for (let tried = 0; tried < tries; tried++) {
    const hessian = { columns: side, data: new Float64Array(side * side) };
    const started = performance.now();
    await kernels.addInputs(hessian, values, { signal });
    const summed = performance.now();
    await kernels.quantize({
      ...{ tensor: weights, rows: side, columns: side, order: 'rows', bits: 4, groupSize: 32, symmetric: true, signal },
      ...{ zero: 'unsigned', pack: 'blocks', scaleRule: 'signed-max', rounding: 'gptq', hessian, clips: true },
    });
    sumSeconds = Math.min(sumSeconds, (summed - started) / 1000);
    roundSeconds = Math.min(roundSeconds, (performance.now() - summed) / 1000);
  }
  return {
    sums: (inputsOnce * side ** 2) / 2 / sumSeconds,
    feedback: (side ** 3 + side ** 3 / 3) / roundSeconds,
  };
}
