// Quality: how good a model is on a dataset, with n and an interval; and how fast it is here.
import { z } from 'zod';

export const metrics = ['accuracy', 'top5', 'perplexity', 'rmse', 'psnr', 'agreement'] as const;

export const quality = z.object({
  metric: z.enum(metrics),
  value: z.number(),
  n: z.number().int(),
  /** 95 %: Wilson's for accuracy, percentile bootstrap otherwise. */
  ci95: z.tuple([z.number(), z.number()]),
  correct: z.number().int().optional(),
  more: z.record(z.string(), z.number()).optional(),
});
export type Quality = z.infer<typeof quality>;

export const latency = z.object({
  p50: z.number(),
  p95: z.number(),
  batch: z.number().int(),
  threads: z.number().int(),
  runs: z.number().int(),
  warmup: z.number().int().optional(),
  /** 95 % interval of the median, from its order statistics. */
  p50ci95: z.tuple([z.number(), z.number()]).optional(),
});
export type Latency = z.infer<typeof latency>;

export const agreement = z.object({
  top1: z.number().optional(),
  klDivergence: z.number().optional(),
  cosine: z.number().optional(),
  flips: z.number().int(),
  n: z.number().int(),
});
export type Agreement = z.infer<typeof agreement>;

/** Samples whose answer changed between a parent and a child. */
export const changedAnswer = z.object({
  index: z.number().int(),
  label: z.number().int().nullable(),
  before: z.number().int(),
  after: z.number().int(),
});
export type ChangedAnswer = z.infer<typeof changedAnswer>;

/** What `lathe evaluate --json` prints; `notes` are the things said aloud (which split, what was defaulted). */
export const evaluation = z.object({
  quality: quality,
  latencyMs: latency.nullable(),
  bytes: z.number(),
  agreement: agreement.optional(),
  /** Peak memory of the engine process while evaluating, bytes. */
  peakBytes: z.number().optional(),
  notes: z.array(z.string()),
});
export type Evaluation = z.infer<typeof evaluation>;
