// Observes values of a running model over calibration samples and settles the range each is quantized over. Memory does not grow with samples.
import type { Model } from '../graph/graph';
import { openTaps } from '../runtime/taps';
import { Histogram } from './activations-histogram';
import { type RangeRule, rangeOf } from './activations-range';
import type { Calibration } from './calibration';

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface ObserveRequest {
  readonly model: Model;
  /** Values of the model's own graph. */
  readonly values: readonly string[];
  readonly rule: RangeRule;
  readonly calibration: Calibration;
  /** Samples to look at, at most. */
  readonly samples: number;
  /** For the temporary model. */
  readonly folder: string;
  readonly signal: AbortSignal;
  onSample(done: number, total: number): void;
}

export interface Observed {
  readonly ranges: ReadonlyMap<string, Range>;
  /** Samples that were there. */
  readonly samples: number;
  /** Values that held numbers that are not finite, which were left out. */
  readonly notFinite: readonly string[];
}

export async function observeRanges(request: ObserveRequest): Promise<Observed> {
  const { model, values, rule, calibration, folder, signal } = request;
  const total = Math.min(request.samples, calibration.samples);
  const histograms = new Map(values.map((value) => [value, new Histogram(rule.kind !== 'minmax')]));
  const taps = await openTaps(model, values, folder);
  let done = 0;
  try {
    for await (const feeds of calibration.batches(total)) {
      signal.throwIfAborted();
      for (const [value, { data }] of await taps.run(feeds)) {
        if (!(data instanceof Float32Array)) throw new Error(`${value} was to be observed and is not float32`);
        histograms.get(value)!.add(data);
      }
      done++;
      request.onSample(Math.min(done, total), total);
    }
  } finally {
    await taps.close();
  }
  const ranges = new Map([...histograms].map(([value, histogram]) => [value, rangeOf(histogram, rule)]));
  const notFinite = [...histograms].filter(([, { notFinite }]) => notFinite > 0).map(([value]) => value);
  return { ranges, samples: total, notFinite };
}
