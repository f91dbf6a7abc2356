// What a method is: a card that describes it, a judgement on each layer, and the cut itself.
import type { MethodCard, ParameterValue } from '../../contract/words/method';
import type { Refusal } from '../../contract/words/refusal';
import type { Model } from '../graph/graph';
import type { LayerSite } from '../graph/layers';
import type { inferShapes } from '../graph/shapes';
import type { TrainSettings } from '../train/ask';
import type { Parameter } from '../train/optimizer';
import type { Workshop } from './cutting/workshop';

/** Every parameter of the card, defaults filled in. */
export type Params = Readonly<Record<string, ParameterValue>>;
/** What a method must be given besides the graph. */
export type Need = MethodCard['needs'][number];
export type Shapes = Awaited<ReturnType<typeof inferShapes>>;

/** The model as the steps before left it, and what is known about it without reading weights. */
export interface Subject {
  readonly model: Model;
  readonly sites: readonly LayerSite[];
  readonly shapes: Shapes;
}

/** A layer a step acts on, with the parameters that hold for it. */
export interface Target {
  readonly site: LayerSite;
  readonly params: Params;
}

/** One layer was cut. */
export interface LayerCut {
  readonly layer: string;
  /** Σw² and Σ(w−ŵ)² of its weights; null where nothing was rounded, or nothing was computed (forecast). */
  readonly error: { readonly signal: number; readonly noise: number } | null;
  /** Things worth a sentence: another copy kept, values clipped, a fallback taken. */
  readonly notes: readonly string[];
  /** Layers whose outputs come in other units from now on, channel by channel: they are not to be compared with the parent's. */
  readonly rescaled?: readonly string[];
}

/** What a step that trains will do, for the refusal and the forecast. */
export interface Learning {
  readonly settings: TrainSettings;
  readonly needsLabels: boolean;
  /** Multiply-accumulates of one sample's step, as a multiple of a forward pass: 3 for forward and backward alone. */
  readonly passes: number;
}

export interface Method {
  readonly card: MethodCard;
  /** What these parameters need, where that is not what the card says. Anything but weights means calibration samples. */
  needs?(params: Params): readonly Need[];
  /** How it learns from the train split; absent where it does not. */
  learns?(params: Params): Learning;
  /** What trains where that is not the layers' own weights: the graph with it, for the forecast. Numbers in it may be any. */
  trains?(
    subject: Subject,
    targets: readonly Target[],
  ): { readonly model: Model; readonly parameters: readonly Parameter[] };
  /** Calibration samples it runs the model on, at most; absent where it runs none. For the forecast of time. */
  samplesOf?(params: Params): number;
  /**
   * The matrix of a layer whose inputs are summed as products and whose losses are made good by them, where `apply` makes the bytes itself. For
   * the forecast of time and memory.
   */
  feedsBack?(site: LayerSite): { readonly rows: number; readonly columns: number } | null;
  /**
   * Why this layer cannot be taken, or null. From the graph and headers alone. `chosen`: the layers the step acts on, where
   * that is known; some must be taken together.
   */
  fits(subject: Subject, site: LayerSite, params: Params, chosen?: ReadonlySet<string>): Refusal | null;
  /** What the user should know about a layer that fits, before the run: "Smaller, not faster here." */
  warnings(subject: Subject, site: LayerSite, params: Params): readonly string[];
  /**
   * The model with every target cut; all of them fit. Yields after each layer, in the order of `targets`. The subject is
   * not changed and shares every tensor that was not cut. New bytes come from the workshop alone: the same code, given
   * a workshop that computes nothing, predicts the exact sizes.
   */
  apply(subject: Subject, targets: readonly Target[], workshop: Workshop): AsyncGenerator<LayerCut, Model>;
}
