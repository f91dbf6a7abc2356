// Device: a profile as a data sheet; every figure with its source and how sure it is.
import { z } from 'zod';

export const certainties = ['measured', 'published', 'derived', 'unsure'] as const;

export const figure = z.object({
  name: z.string(),
  value: z.number().nullable(),
  unit: z.string(),
  source: z.string(),
  certainty: z.enum(certainties),
});

export const device = z.object({
  id: z.string(),
  title: z.string(),
  about: z.string(),
  memoryBytes: z.number(),
  /** Share of memory a model may use, the rest is the system's. */
  usableBytes: z.number(),
  runtimes: z.array(z.string()),
  figures: z.array(figure),
});
export type Device = z.infer<typeof device>;

/** One footprint for the whole product, shown in its parts. */
export const footprint = z.object({
  weights: z.number(),
  activations: z.number(),
  kvCache: z.number(),
  runtime: z.number(),
  total: z.number(),
});
export type Footprint = z.infer<typeof footprint>;

export const fitDocument = z.object({
  fits: z.enum(['yes', 'tight', 'no']),
  footprint,
  usableBytes: z.number(),
  sentence: z.string(),
});
export type FitDocument = z.infer<typeof fitDocument>;
