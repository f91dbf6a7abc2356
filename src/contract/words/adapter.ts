// Adapters: what a model that keeps them apart says about them in its metadata.
import { z } from 'zod';

export const adapter = z.object({
  /** The framework's name of the layer. */
  module: z.string(),
  layer: z.string(),
  inputs: z.number().int(),
  outputs: z.number().int(),
  /** Initializers: A is inputs × rank, B rank × outputs, the magnitude one number an output. */
  a: z.string(),
  b: z.string(),
  magnitude: z.string().optional(),
});
export type Adapter = z.infer<typeof adapter>;

export const adapterSet = z.object({
  rank: z.number().int(),
  alpha: z.number(),
  /** What they add counts alpha / √rank instead of alpha / rank. */
  rankStabilised: z.boolean(),
  /** The initializer with that factor. */
  scaling: z.string(),
  adapters: z.array(adapter),
});
export type AdapterSet = z.infer<typeof adapterSet>;
