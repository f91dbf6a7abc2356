// Recipe: an ordered list of steps, plain JSON that a person can read and edit.
import { z } from 'zod';
import { bytes } from './model';
import { refusal } from './refusal';

const params = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]));

export const step = z.strictObject({
  method: z.string(),
  params: params.default({}),
  layers: z
    .strictObject({ include: z.array(z.string()).optional(), exclude: z.array(z.string()).optional() })
    .optional(),
  overrides: z.record(z.string(), params).optional(),
});
export type Step = z.infer<typeof step>;

export const recipe = z.strictObject({
  lathe: z.literal(1),
  name: z.string().max(200).optional(),
  seed: z.number().int().min(0).max(0xffffffff).optional(),
  steps: z.array(step).min(1).max(64),
});
export type Recipe = z.infer<typeof recipe>;

/** What a step will do to a layer, or why it will not. */
export const layerPlan = z.object({
  name: z.string(),
  /** Methods that will act on it, in order, as `weight-only`. */
  methods: z.array(z.string()),
  bitsAfter: z.number(),
  bytesBefore: bytes,
  bytesAfter: bytes,
  /** Why the last method that was asked for cannot take this layer. */
  refusal: refusal.optional(),
  /** Known before the run: "Smaller, not faster here." */
  warnings: z.array(z.string()),
});
export type LayerPlan = z.infer<typeof layerPlan>;

/** A setting that suits the model and the dataset. */
export const suggestion = z.object({
  /** Place of the step. */
  step: z.number().int(),
  parameter: z.string(),
  value: z.number(),
  /** Clause: "for 360 steps". */
  why: z.string(),
});
export type Suggestion = z.infer<typeof suggestion>;

/** Told before the start: what the run will need and what it will leave (`--dry-run`). All predicted. */
export const runForecast = z.object({
  layers: z.array(layerPlan),
  bytesBefore: bytes,
  bytesAfter: bytes,
  peakBytes: bytes,
  diskBytes: bytes,
  seconds: z.number(),
  freeDiskBytes: bytes,
  freeMemoryBytes: bytes,
  /** False where memory or disk is short; the sentence says which. */
  possible: z.boolean(),
  sentences: z.array(z.string()),
  suggestions: z.array(suggestion).optional(),
});
export type RunForecast = z.infer<typeof runForecast>;

/** The effect of one step on one layer, for the live preview. Measured on the weights themselves. */
export const preview = z.object({
  layer: z.string(),
  method: z.string(),
  /** Signal to quantization noise of the weights, dB; null when exact. */
  sqnrDb: z.number().nullable(),
  bytesBefore: bytes,
  bytesAfter: bytes,
  bits: z.number(),
  before: z.object({ min: z.number(), max: z.number(), counts: z.array(z.number()) }),
  /** Histogram of the reconstructed weights over the same bins as `before`. */
  after: z.object({ min: z.number(), max: z.number(), counts: z.array(z.number()) }),
  /** Levels of the grid in the units of `levelsOf`, with the share of weights rounded to each. */
  levels: z.array(z.object({ value: z.number(), count: z.number() })).nullable(),
  /** `tensor`: weight values; `scale`: weight divided by its group's scale. */
  levelsOf: z.enum(['tensor', 'scale']),
  /** The same weights in the units of `levels`: 256 bins. */
  scaled: z.object({ min: z.number(), max: z.number(), counts: z.array(z.number()) }).nullable(),
  clipped: z.number(),
  /** Rows looked at when the answer is from a sample, else null. */
  sample: z.object({ rows: z.number(), of: z.number() }).nullable(),
  /** True where the method needs data and a simpler rounding on the same grid stands for it. */
  estimate: z.boolean(),
  /** What this answer leaves out, in sentences. */
  notes: z.array(z.string()),
  refusal: refusal.optional(),
  milliseconds: z.number(),
});
export type Preview = z.infer<typeof preview>;
