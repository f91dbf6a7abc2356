// Running statistics of batch norms: they follow what the batches measure, and are what the trained model normalises by.

import type { Model } from '../graph/graph';
import { readFloats } from '../graph/tensor';
import type { Feed } from '../runtime/session';
import type { BatchStatistics } from './decompose/batch-statistics';

export class RunningStatistics {
  /** All of them one after another: [mean, variance] of each layer. */
  readonly all: Float32Array<ArrayBuffer>;
  /** By initializer. */
  readonly views: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  private readonly batch: ReadonlyMap<string, Float32Array<ArrayBuffer>>;

  private constructor(
    private readonly statistics: readonly BatchStatistics[],
    channels: readonly number[],
  ) {
    this.all = new Float32Array(channels.reduce((sum, count) => sum + 2 * count, 0));
    const views = new Map<string, Float32Array<ArrayBuffer>>();
    const batch = new Map<string, Float32Array<ArrayBuffer>>();
    let at = 0;
    for (const [i, { mean, variance, batchMean, batchVariance }] of statistics.entries()) {
      for (const name of [mean, variance]) views.set(name, this.all.subarray(at, (at += channels[i]!)));
      for (const name of [batchMean, batchVariance]) batch.set(name, new Float32Array(channels[i]!));
    }
    this.views = views;
    this.batch = batch;
  }

  /** As the model has them. */
  static async of({ graph }: Model, statistics: readonly BatchStatistics[]): Promise<RunningStatistics> {
    const start = new Map<string, Float32Array>();
    for (const { mean, variance } of statistics)
      for (const name of [mean, variance]) start.set(name, await readFloats(graph.initializers.get(name)!));
    const made = new RunningStatistics(
      statistics,
      statistics.map(({ mean }) => start.get(mean)!.length),
    );
    for (const [name, view] of made.views) view.set(start.get(name)!);
    return made;
  }

  /** Outputs for a program to write what it measures into. */
  get outputs(): Record<string, Feed> {
    return Object.fromEntries(
      [...this.batch].map(([name, data]) => [name, { dtype: 'float32', dims: [data.length], data }]),
    );
  }

  /** What the last batch measured goes in. The variance as PyTorch takes it: of the sample, not of the batch. */
  follow(): void {
    for (const { mean, variance, batchMean, batchVariance, count, momentum } of this.statistics) {
      mix(this.views.get(mean)!, this.batch.get(batchMean)!, momentum, 1);
      mix(this.views.get(variance)!, this.batch.get(batchVariance)!, momentum, count / Math.max(1, count - 1));
    }
  }
}

function mix(running: Float32Array, batch: Float32Array, momentum: number, scale: number): void {
  for (let i = 0; i < running.length; i++) running[i] = momentum * running[i]! + (1 - momentum) * batch[i]! * scale;
}
