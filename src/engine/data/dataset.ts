// What a dataset is to the rest of the engine: a summary, the files it stands on, and samples in batches.
import type { DatasetSummary, SplitName } from '../../contract/words/dataset';
import type { Feeds } from '../runtime/session';
import type { SeenFile } from '../tasks';

/** An input of a model, as the runtime or the library tells it. */
export interface InputPort {
  readonly name: string;
  readonly dtype: string | null;
  readonly shape: readonly (number | string | null)[];
}

/** Windows of equal length, one after another. */
export interface TokenBatch {
  readonly ids: Int32Array;
  readonly length: number;
  /** For each window the first token that is scored in it. */
  readonly scoredFrom: readonly number[];
}

export interface Batch {
  /** One feed for each input of the model. */
  readonly feeds: Feeds;
  /** Classes, one a sample; null where the split has none. */
  readonly labels: Int32Array | null;
  /** Regression: `width` numbers a sample; null otherwise. */
  readonly targets: { readonly data: Float64Array; readonly width: number } | null;
  /** Language: the windows as fed; absent otherwise. */
  readonly tokens?: TokenBatch;
  /** Position in the split of the first sample. */
  readonly index: number;
  /** Samples that are real; feeds hold more only where `fill` asked for it. */
  readonly samples: number;
}

export interface BatchRequest {
  readonly batch: number;
  /** At most this many samples; all when absent. */
  readonly limit?: number;
  /** Position in the split to begin at. */
  readonly from?: number;
  /** Fill a short last batch by repeating its last sample, for models whose batch is fixed. */
  readonly fill?: boolean;
}

export interface Dataset {
  readonly summary: DatasetSummary;
  readonly files: readonly SeenFile[];
  /** Samples of a split; 0 where it neither exists nor is defaulted. */
  samples(split: SplitName): number;
  /** What was guessed or defaulted, as far as it concerns this split. */
  notes(split: SplitName): readonly string[];
  /** What adapting the samples to these inputs took: sizes, layouts and types that were guessed, in sentences. */
  adaptations(split: SplitName, ports: readonly InputPort[]): readonly string[];
  /** Reads in order and holds one batch at a time; the last one may be shorter. */
  batches(split: SplitName, ports: readonly InputPort[], request: BatchRequest): AsyncIterable<Batch>;
}
