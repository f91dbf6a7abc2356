// What a dataset is to the rest of the engine: a summary, the files it stands on, and samples in batches.
import type { DatasetSummary, SplitName } from '../../contract/words/dataset';
import type { Port } from '../../contract/words/model';
import type { DataType } from '../graph/graph';
import type { SeenFile } from '../tasks';

export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** One tensor on its way into a model: row-major, the batch first. float16 travels as its bits in a Uint16Array. */
export interface Feed {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

export interface Batch {
  /** One feed for each input of the model. */
  readonly feeds: Record<string, Feed>;
  /** Classes, one a sample; null where the split has none. */
  readonly labels: Int32Array | null;
  /** Regression: `width` numbers a sample; null otherwise. */
  readonly targets: { readonly data: Float64Array; readonly width: number } | null;
  /** Position in the split of the first sample. */
  readonly index: number;
  readonly samples: number;
}

export interface BatchRequest {
  readonly batch: number;
  /** At most this many samples; all when absent. */
  readonly limit?: number;
  /** Position in the split to begin at. */
  readonly from?: number;
}

export interface Dataset {
  readonly summary: DatasetSummary;
  readonly files: readonly SeenFile[];
  /** Samples of a split; 0 where it neither exists nor is defaulted. */
  samples(split: SplitName): number;
  /** What adapting the samples to these inputs took: sizes, layouts and types that were guessed, in sentences. */
  adaptations(split: SplitName, ports: readonly Port[]): readonly string[];
  /** Reads in order and holds one batch at a time; the last one may be shorter. */
  batches(split: SplitName, ports: readonly Port[], request: BatchRequest): AsyncIterable<Batch>;
}
