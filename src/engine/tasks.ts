// What an engine process can be asked, and what it answers: plain data on both sides of one pipe.
import type { BundleDocument, BundlePart, VerifyDocument } from '../contract/words/bundle';
import type { DatasetSummary, InputSpec, SplitName } from '../contract/words/dataset';
import type { Device, FitDocument } from '../contract/words/device';
import type { MethodCard, ParameterValue } from '../contract/words/method';
import type { FileEntry, Layer, LibraryModel, ModelSummary, Statistics } from '../contract/words/model';
import type { Agreement, ChangedAnswer, Evaluation } from '../contract/words/quality';
import type { Preview, Recipe, RunForecast, Step } from '../contract/words/recipe';
import type { Refusal } from '../contract/words/refusal';
import type { LayerOutcome } from '../contract/words/run';
import type { CurvePoint, TrainingRecord } from '../contract/words/training';

/** A dataset as a job names it: where it is and what overrides its preprocessing. */
export interface DatasetReference {
  readonly path: string;
  readonly preset?: Record<string, InputSpec>;
}

/** A file as it was when a model or dataset was opened; a later difference is a refusal (`changed`). */
export interface SeenFile {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

export interface OpenedModel {
  readonly summary: ModelSummary;
  readonly layers: readonly Layer[];
  readonly operators: LibraryModel['operators'];
  readonly notes: readonly string[];
  /** Absolute paths, the model file first. Identity is computed over these by the host. */
  readonly files: readonly SeenFile[];
}

/** Quality before and after and the change in answers, as `run` and `evaluate --against` report it. */
export interface Comparison {
  readonly agreement: Agreement;
  readonly changed: readonly ChangedAnswer[];
}

/** What the engine leaves in the job's folder; the host hashes and fsyncs it and renames it into the library. */
export interface RunResult {
  /** Files under `<folder>/artifact/`, the model file first. */
  readonly files: readonly Pick<FileEntry, 'path' | 'bytes'>[];
  readonly layers: readonly LayerOutcome[];
  readonly fused: Record<string, number>;
  readonly notes: readonly string[];
  readonly baseline?: Evaluation;
  readonly compressed?: Evaluation;
  readonly comparison?: Comparison;
  /** Of each step that trained, in order; absent where none did. */
  readonly training?: readonly TrainingRecord[];
  /** Seconds of each stage that ran. */
  readonly stages: readonly { readonly stage: string; readonly seconds: number }[];
  /** True when a stop ended it early; what was gained is in `files`. */
  readonly stopped: boolean;
}

/** Every task: what goes in (`ask`), what comes out (`answer`). All paths are absolute. */
export interface Tasks {
  describe: {
    ask: Record<string, never>;
    answer: {
      methods: readonly MethodCard[];
      devices: readonly Device[];
      onnxruntime: string;
      cpuFeatures: string[];
      physicalCores: number;
    };
  };
  open: { ask: { path: string }; answer: OpenedModel };
  /** Answers when every layer was seen; each layer goes out as a `layer` event. */
  statistics: { ask: { path: string; skip?: readonly string[] }; answer: { layers: number } };
  checkRecipe: { ask: { recipe: unknown }; answer: Recipe };
  forecast: { ask: { path: string; recipe: unknown; dataset?: DatasetReference; folder: string }; answer: RunForecast };
  preview: {
    ask: {
      path: string;
      layer: string;
      method: string;
      params: Record<string, ParameterValue>;
      /** The recipe's steps before it. */
      before?: readonly Step[];
      /** Every weight, however long that takes. */
      exact?: boolean;
    };
    answer: Preview;
  };
  openDataset: { ask: DatasetReference; answer: { summary: DatasetSummary; files: readonly SeenFile[] } };
  evaluate: {
    ask: {
      path: string;
      dataset: DatasetReference;
      split?: SplitName;
      limit?: number;
      batch?: number;
      threads?: number;
      against?: string;
    };
    answer: { evaluation: Evaluation; comparison?: Comparison };
  };
  run: {
    ask: {
      path: string;
      recipe: Recipe;
      seed: number;
      /** The job's own folder; the only place that is written. */
      folder: string;
      /**
       * Names what the run makes: model, recipe, seed, data and this Lathe. With it checkpoints are left in the folder, and one
       * that an earlier engine left there under the same name is gone on from.
       */
      checkpoint?: string;
      dataset?: DatasetReference;
      limit?: number;
      /** The parent's evaluation on the same dataset, when history already knows it. */
      baseline?: Evaluation;
    };
    answer: RunResult;
  };
  /** `name`: as the user knows the model; the file's own where it is not given. */
  fit: { ask: { path: string; device: string; name?: string }; answer: FitDocument };
  bundleParts: {
    ask: { path: string; device: string; dataset?: DatasetReference; beside?: readonly string[] };
    answer: { parts: readonly BundlePart[]; bytes: number };
  };
  bundle: {
    ask: {
      path: string;
      device: string;
      /** Absolute; must not exist. Written under a temporary name beside it, then renamed. */
      out: string;
      zip: boolean;
      /** Files that belong to the model and that it does not name, relative to it: adapters. */
      beside?: readonly string[];
      dataset?: DatasetReference;
      /** Goes into `evidence.json` and `recipe.json` as it is. */
      evidence: Record<string, unknown>;
      recipe?: Recipe;
      parent?: { sha256: string; name: string };
      sha256: string;
      name: string;
    };
    answer: BundleDocument;
  };
  verify: { ask: { path: string }; answer: VerifyDocument };
}
export type TaskName = keyof Tasks;

/** What an engine tells while it works. */
export type TaskEvent =
  | {
      readonly kind: 'progress';
      readonly stage: string;
      readonly text: string;
      readonly done: number;
      readonly total: number;
      /** 0…1 of the stage's work, where `done` of `total` does not tell it: layers differ in size. */
      readonly share?: number;
    }
  /** The artifact's files lie whole in `<folder>/artifact/` and stay as they are: the host may read them. */
  | { readonly kind: 'written'; readonly files: readonly string[] }
  /** The stages to come, with the seconds each is expected to take; sent once at the start. */
  | { readonly kind: 'stages'; readonly stages: readonly { readonly stage: string; readonly seconds: number }[] }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'bad'; readonly text: string; readonly layer?: string }
  | {
      readonly kind: 'layer';
      readonly name: string;
      readonly stats: Statistics;
      readonly done: number;
      readonly total: number;
    }
  /** A point of a training curve. */
  | { readonly kind: 'curve'; readonly point: CurvePoint }
  /** What is being touched now, so that a sentence can name it if the process dies: "loading the model", "layer conv_3". */
  | { readonly kind: 'doing'; readonly what: string };

/** What a corridor gets besides its task. */
export interface Work {
  emit(event: TaskEvent): void;
  /** True once the user asked to end between steps. */
  readonly stopping: boolean;
  /** Aborted when a newer request replaced this one (desk); checked between tensors. */
  readonly signal: AbortSignal;
}

export type ToEngine =
  /** The first message: *bench* runs the queue's jobs, *desk* answers now. */
  | { readonly kind: 'role'; readonly role: 'bench' | 'desk' }
  | { readonly kind: 'task'; readonly id: number; readonly name: TaskName; readonly ask: unknown }
  | { readonly kind: 'stop'; readonly id: number }
  | { readonly kind: 'abort'; readonly id: number };

export type FromEngine =
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'event'; readonly id: number; readonly event: TaskEvent }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly refusal: Refusal }
  /** Ours: a bug or the world. `detail` goes to the log file, the sentence to the user. */
  | { readonly kind: 'failed'; readonly id: number; readonly sentence: string; readonly detail: string };
