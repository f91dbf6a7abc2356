// Where samples come from: one shape for every format, so that preprocessing and splits know none of them.
import type { DatasetSpec } from '../../../contract/words/dataset';
import type { DataType } from '../../graph/graph';
import type { SeenFile } from '../../tasks';

export type Numbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** A picture is held row by row, its channels side by side (HWC), whatever the file's order. */
export interface Picture {
  readonly kind: 'picture';
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Numbers;
}

export interface Values {
  readonly kind: 'values';
  readonly dims: readonly number[];
  readonly data: Numbers;
}

/** A window of token ids; tokens from `scoredFrom` on are scored, each predicted by those before it. */
export interface Tokens {
  readonly kind: 'tokens';
  readonly ids: Int32Array;
  readonly scoredFrom: number;
}

export type Sample = Picture | Values | Tokens;

/** What every sample of a source looks like, known before one is read. */
export type SampleShape =
  | DenseShape
  /** Tokens of the longest window, and the largest id. */
  | { readonly kind: 'tokens'; readonly longest: number; readonly largest: number };

/** Pictures and arrays, which preprocessing fits to a model's input. */
export type DenseShape =
  /** `null`: pictures differ; they are decoded to what is asked. */
  | {
      readonly kind: 'picture';
      readonly width: number | null;
      readonly height: number | null;
      readonly channels: number | null;
      /** How the file lays them out, which is kept where neither spec nor model says otherwise. */
      readonly layout: 'NCHW' | 'NHWC';
      /** Eight-bit samples, 0…255. */
      readonly bytes: boolean;
    }
  | { readonly kind: 'values'; readonly dims: readonly number[] };

/** Answers known beside the samples. */
export interface Labels {
  readonly files: readonly SeenFile[];
  readonly count: number;
  /** One class a sample. */
  readonly classes: Int32Array | null;
  /** Regression: `width` numbers a sample. */
  readonly numbers: { readonly data: Float64Array; readonly width: number } | null;
  /** Names by class index, where the data itself has them. */
  readonly names: readonly string[] | null;
}

export interface Source {
  readonly format: string;
  /** In reading order; a dataset's identity is computed over them. */
  readonly files: readonly SeenFile[];
  readonly samples: number;
  readonly shape: SampleShape;
  readonly dtype: DataType;
  /** Labels that the data carries itself: CIFAR's first byte, a class folder, a CSV column. */
  readonly labels: Labels | null;
  /** Said aloud: what was left out or guessed while opening. */
  readonly notes: readonly string[];
  /** Samples in order from `from` on; `colour` decodes pictures, where the format can, to gray or three channels. */
  read(from: number, colour: 'rgb' | 'gray' | null): AsyncGenerator<Sample>;
}

/** What opening a source is told. `label`: the name of a CSV column or JSON field. */
export interface SourceRequest {
  /** Absolute path: a file, a folder, or a last name with `*`. */
  readonly path: string;
  /** What follows the colon of `npz:key` and `jsonl:field`. */
  readonly key: string | null;
  readonly task: 'classification' | 'regression' | 'none';
  /** The spec's `labels` where it names no file: a column or a field. */
  readonly label: string | null;
  /** Absolute path of the spec's `labels` where it names a file; image folders look for labels.csv themselves. */
  readonly labelsFile: string | null;
  /** Names by class index from the spec; label words are looked up here. */
  readonly classNames: readonly string[] | null;
  /** How text is cut into windows. */
  readonly text?: DatasetSpec['text'];
}
