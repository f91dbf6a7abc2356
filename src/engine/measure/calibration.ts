// Samples that a method learns ranges and statistics from: the calibration split of a dataset, as feeds for one model, always in the same order.
import { fixedBatchOf, type InputPort, openDataset } from '../data/index';
import type { Feeds } from '../runtime/session';
import type { DatasetReference } from '../tasks';

export interface Calibration {
  /** Samples that are there; a method may take fewer. */
  readonly samples: number;
  /** Where they come from, in sentences. */
  readonly notes: readonly string[];
  /** One feed for each input of the model, one sample at a time, or as many as the model insists on; from the first on. */
  batches(limit?: number): AsyncIterable<Feeds>;
}

export async function openCalibration(reference: DatasetReference, ports: readonly InputPort[]): Promise<Calibration> {
  const dataset = await openDataset(reference);
  const fixed = fixedBatchOf(ports) ?? 1;
  return {
    samples: dataset.samples('calibration'),
    notes: [...dataset.notes('calibration'), ...dataset.adaptations('calibration', ports)],
    async *batches(limit) {
      const request = { batch: fixed, fill: fixed > 1, ...(limit === undefined ? {} : { limit }) };
      for await (const { feeds } of dataset.batches('calibration', ports, request)) yield feeds;
    },
  };
}
