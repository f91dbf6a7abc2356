// What the kernels offer to the rest of the engine: requests, results and the interface itself.
import type { Histogram, Statistics } from '../../contract/words/model';
import type { Tensor } from '../graph/graph';

/** How stored codes become weights: `(code − zero point) · scale`. */
export interface Dequantization {
  /**
   * Codes lie packed low bits first, two's complement where `signed`. For types that are neither bytes nor of 2 or 4 bits both are ignored: an
   * element is a code.
   */
  readonly bits: 2 | 4 | 8;
  readonly signed: boolean;
  readonly scales: Float32Array;
  /** One per scale, or null where all are `defaultZero`. */
  readonly zeroPoints: Float32Array | null;
  readonly defaultZero: number;
  readonly layout:
    | { readonly kind: 'tensor' }
    /** Elements are [outer, axis, inner]; scales are [axis]. */
    | { readonly kind: 'axis'; readonly axis: number; readonly inner: number }
    /** Elements are [outer, axis, inner]; scales are [outer, ceil(axis / block), inner]. */
    | { readonly kind: 'blocked'; readonly axis: number; readonly inner: number; readonly block: number }
    /** MatMulNBits: codes are [rows, blocks, block], the last block of a row padded beyond `columns`; scales are [rows, blocks]. */
    | { readonly kind: 'padded'; readonly columns: number; readonly block: number };
}

export interface StatisticsOptions {
  /** Axis of `dims` whose ranges are wanted; null for none. */
  readonly channelAxis?: number | null;
  readonly dequantization?: Dequantization;
  /** Shape that `channelAxis` speaks about where it is not the tensor's own (MatMulNBits: [N, K]). */
  readonly dims?: readonly number[];
  readonly signal?: AbortSignal;
}

/** How weights find their level: to the nearest; in ranges clipped to least |w − ŵ|^2.4; half-quadratic; with the inputs in view. */
export type Rounding = 'nearest' | 'mse' | 'hqq' | 'gptq';

/** Σ x·xᵀ over the inputs x of a layer, times any factor: [columns][columns], symmetric. */
export interface Hessian {
  readonly columns: number;
  readonly data: Float32Array | Float64Array;
}

export interface QuantizeRequest {
  /** float32, float16, bfloat16 or float64. */
  readonly tensor: Tensor;
  /** Output channels (N): each has its own scales. */
  readonly rows: number;
  /** Elements of one output channel (K): groups run along these. */
  readonly columns: number;
  /** Stored N×K, or K×N as a MatMul weight. */
  readonly order: 'rows' | 'columns';
  readonly bits: 2 | 4 | 8;
  /** Weights that share a scale; 0 is all K of a channel. */
  readonly groupSize: number;
  /** Symmetric: zero is 2^(bits−1), no zero points. Else the range is [min(w, 0), max(w, 0)]. */
  readonly symmetric: boolean;
  /** Codes 0…2^bits−1, or the same grid shifted by −2^(bits−1) as two's complement. */
  readonly zero: 'unsigned' | 'signed';
  /**
   * `blocks`: [N][ceil(K/g)][ceil(g·bits/8)], the last group of a row padded with its zero point (MatMulNBits).
   * `plain`: the order of the source, packed low bits first (ONNX `raw_data`).
   */
  readonly pack: 'blocks' | 'plain';
  /**
   * Scale where symmetric. `signed-max`: the weight of largest magnitude over −2^(bits−1), so it may be negative.
   * `restricted`: the largest magnitude over 2^(bits−1) − 1.
   */
  readonly scaleRule: 'signed-max' | 'restricted';
  /** Nearest where absent. `hqq` has float zero points whatever `symmetric` says; `gptq` keeps the grid of nearest unless it `clips`. */
  readonly rounding?: Rounding;
  /** What `gptq` needs, of the request's `columns`. */
  readonly hessian?: Hessian;
  /** Share of the mean of the Hessian's diagonal that `gptq` adds to it; 0.01 where absent. */
  readonly damping?: number;
  /** `gptq` on ranges narrowed to the least Σ h·|w − ŵ|^2.4, h the diagonal of the Hessian: those of `mse` where h is one number. */
  readonly clips?: boolean;
  /**
   * Look at about this many stored rows only, in whole groups, evenly spread: the result is that of the smaller matrix.
   */
  readonly sampleRows?: number;
  readonly signal?: AbortSignal;
}

/** What quantization did to the weights; non-finite weights are in none of the sums. */
export interface QuantizeLoss {
  /** Σw² */
  readonly signal: number;
  /** Σ(w − ŵ)² */
  readonly noise: number;
  /** Weights beyond the ends of the grid. */
  readonly clipped: number;
}

export interface QuantizeResult extends QuantizeLoss {
  readonly codes: Uint8Array;
  /** [N][groups] */
  readonly scales: Float32Array;
  /** [N][groups], one byte each, two's complement where `zero` is signed; null where symmetric. */
  readonly zeroPoints: Uint8Array | null;
  /** [N][groups] where rounding is `hqq`, less 2^(bits−1) where `zero` is signed; null otherwise. */
  readonly floatZeroPoints: Float32Array | null;
  /** tr((W − Ŵ)·H·(W − Ŵ)ᵀ) where rounding is `gptq`, damping included; null otherwise. */
  readonly outputNoise: number | null;
}

/** What the recipe page draws while a dial moves; the words are those of the contract's `preview`. */
export interface QuantizePreview extends QuantizeLoss {
  /** Null when every weight is exact. */
  readonly sqnrDb: number | null;
  readonly before: Histogram;
  /** Reconstructed weights over the bins of `before`; those beyond an end count in the end bin. */
  readonly after: Histogram;
  /** Grid points in units of the scale and how many weights were rounded to each. */
  readonly levels: readonly { readonly value: number; readonly count: number }[];
  /** Weights divided by their group's scale. */
  readonly scaled: Histogram;
  readonly sample: { readonly rows: number; readonly of: number } | null;
  readonly milliseconds: number;
}

/** Where a share of weights ends: the magnitude of the last that is kept. */
export interface Threshold {
  /** As float32. NaN where nothing is kept, −1 where everything is. */
  readonly value: number;
  /** Weights whose magnitude is above it, and weights at it. */
  readonly above: number;
  readonly equal: number;
}

export interface MaskRequest {
  /** A threshold's `value`: weights of a greater magnitude stay. NaN counts as greater than infinity. */
  readonly above: number;
  /** How many of those at the threshold stay, the earliest; 0 where absent. */
  readonly equal?: number;
  readonly signal?: AbortSignal;
}

export interface Mask {
  /** A byte a weight in stored order: 1 where it stays, else 0. */
  readonly mask: Uint8Array;
  readonly kept: number;
}

export interface TwoOfFourRequest {
  /** Output channels, and the weights of each along which fours run: a multiple of four. */
  readonly rows: number;
  readonly columns: number;
  /** As in `QuantizeRequest`. */
  readonly order: 'rows' | 'columns';
  readonly signal?: AbortSignal;
}

export interface PruneRequest {
  readonly tensor: Tensor;
  /** As in `QuantizeRequest`. */
  readonly rows: number;
  readonly columns: number;
  readonly order: 'rows' | 'columns';
  /** A share of the weights becomes zero, or `keep` of each `of` aligned neighbours along a channel stay; `columns` is whole groups then. */
  readonly drop: { readonly share: number } | { readonly keep: number; readonly of: number };
  /** Wanda: Σx² of each column; a share is that of each channel, by |w|·√Σx². Without it and without a Hessian by |w| alone. */
  readonly squares?: Float64Array;
  /**
   * SparseGPT: what is lost is made good by the weights after it. A share is that of each 16 to 128 columns of up to 256 channels
   * together; the order of the columns is that of the tensor.
   */
  readonly hessian?: Hessian;
  /** Share of the mean of the Hessian's diagonal that is added to it; 0.01 where absent. */
  readonly damping?: number;
  readonly signal?: AbortSignal;
}

export interface PruneResult {
  /** In stored order. */
  readonly values: Float32Array;
  /** Σw² and Σ(w − ŵ)² */
  readonly signal: number;
  readonly noise: number;
  /** tr((W − Ŵ)·H·(W − Ŵ)ᵀ) with a Hessian, damping included; else 0. */
  readonly outputNoise: number;
}

export interface Kernels {
  /** Threads that work beside this one; 0 when kernels run inline. */
  readonly threads: number;
  /** Streams the tensor; two readings, a third where the mean lies far from zero. */
  statistics(tensor: Tensor, options?: StatisticsOptions): Promise<Statistics>;
  /** Counts over [min, max] in 256 equal bins; values beyond an end count in the end bin, non-finite ones nowhere. */
  histogram(tensor: Tensor, range: { min: number; max: number; signal?: AbortSignal }): Promise<Histogram>;
  quantize(request: QuantizeRequest): Promise<QuantizeResult>;
  /**
   * Keeps the tensor of the last request warm, so that the next one reads no file. Roundings that search answer from a sample of at most a
   * sixteenth of the rows, always the same one; `sampleRows` of all rows is exact.
   */
  preview(request: QuantizeRequest): Promise<QuantizePreview>;
  /**
   * Adds Σ x·xᵀ of inputs [count][columns] to `into`, which must be float64; whatever the threads, the same bits. `into` is symmetric before
   * and after.
   */
  addInputs(into: Hessian, inputs: Float32Array, options?: { signal?: AbortSignal }): Promise<void>;
  /** float16 bytes of a floating-point tensor: nearest, ties to even, infinity beyond 65,504. */
  toFloat16(tensor: Tensor, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Exact over all tensors together, in two readings of each and memory that does not grow. Masks keep `keep − above` of those at it. */
  threshold(tensors: readonly Tensor[], keep: number, options?: { signal?: AbortSignal }): Promise<Threshold>;
  mask(tensor: Tensor, request: MaskRequest): Promise<Mask>;
  /** As `Mask.mask`: the two of greatest magnitude of each four, the earlier ones where they are equal. */
  maskTwoOfFour(tensor: Tensor, request: TwoOfFourRequest): Promise<Uint8Array>;
  /** The tensor's bytes, in its own type, with zeros where the mask is 0. */
  masked(tensor: Tensor, mask: Uint8Array, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Refuses weights that are not finite. */
  prune(request: PruneRequest): Promise<PruneResult>;
  /** Ends the threads; requests under way are rejected. */
  close(): Promise<void>;
}
