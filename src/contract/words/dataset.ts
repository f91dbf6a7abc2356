// Dataset: inputs, labels and splits with their preprocessing as data.
import { z } from 'zod';

export const inputSpec = z.strictObject({
  format: z.string().optional(),
  colour: z.enum(['rgb', 'bgr', 'gray']).optional(),
  resize: z
    .strictObject({
      width: z.number().int().positive(),
      height: z.number().int().positive(),
      fit: z.enum(['stretch', 'cover', 'contain']).optional(),
      filter: z.enum(['bilinear', 'bicubic', 'nearest']).optional(),
      antialias: z.boolean().optional(),
    })
    .optional(),
  crop: z.strictObject({ width: z.number().int().positive(), height: z.number().int().positive() }).optional(),
  scale: z.number().optional(),
  mean: z.array(z.number()).optional(),
  std: z.array(z.number()).optional(),
  layout: z.enum(['NCHW', 'NHWC']).optional(),
  reshape: z.array(z.number().int()).optional(),
  dtype: z.string().optional(),
});
export type InputSpec = z.infer<typeof inputSpec>;

export const splitNames = ['train', 'validation', 'calibration', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

export const splitSpec = z.strictObject({
  inputs: z.union([z.string(), z.record(z.string(), z.string())]),
  labels: z.string().optional(),
  from: z.number().int().nonnegative().optional(),
  to: z.number().int().nonnegative().optional(),
});
export type SplitSpec = z.infer<typeof splitSpec>;

/** `dataset.json`, version 1. */
export const datasetSpec = z.strictObject({
  lathe: z.literal(1),
  name: z.string().optional(),
  task: z.enum(['classification', 'regression', 'language-modelling', 'none']),
  classes: z.array(z.string()).optional(),
  inputs: z.record(z.string(), inputSpec).optional(),
  splits: z.partialRecord(z.enum(splitNames), splitSpec),
  text: z
    .strictObject({
      contextLength: z.number().int().positive().optional(),
      stride: z.number().int().positive().optional(),
      bos: z.boolean().optional(),
      /** The BOS of token ids that come without a tokenizer. */
      bosId: z.number().int().nonnegative().optional(),
      split: z.enum(['none', 'blank-line']).optional(),
      minChars: z.number().int().nonnegative().optional(),
    })
    .optional(),
});
export type DatasetSpec = z.infer<typeof datasetSpec>;

export const datasetSummary = z.object({
  path: z.string(),
  name: z.string(),
  task: z.enum(['classification', 'regression', 'language-modelling', 'none']),
  kind: z.string(),
  /** Samples per split that exists or is defaulted. */
  splits: z.array(z.object({ name: z.enum(splitNames), samples: z.number().int(), labelled: z.boolean() })),
  classes: z.number().int().nullable(),
  classNames: z.array(z.string()).optional(),
  /** What was guessed or defaulted, said aloud. */
  notes: z.array(z.string()),
  spec: datasetSpec,
});
export type DatasetSummary = z.infer<typeof datasetSummary>;

export const libraryDataset = z.object({
  id: z.string(),
  summary: datasetSummary,
  origin: z.enum(['referenced', 'stored', 'sample']),
  openedAt: z.string(),
  /** Hash of every file the dataset names, in order. */
  fingerprint: z.string(),
});
export type LibraryDataset = z.infer<typeof libraryDataset>;
