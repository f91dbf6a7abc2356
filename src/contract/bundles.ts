// Bundles: a model made ready for one device, with the proof that it runs.
import { z } from 'zod';
import { procedure } from './procedure';
import { bundleDocument, bundlePart, verifyDocument } from './words/bundle';

export const bundles = {
  /** What would be in it and how large, before anything is written. */
  parts: procedure
    .input(z.object({ modelId: z.string(), deviceId: z.string() }))
    .output(z.object({ parts: z.array(bundlePart), bytes: z.number(), suggestedPath: z.string() })),
  /** `out` must not exist. `modelId` may be a run's id. */
  export: procedure
    .input(z.object({ modelId: z.string(), deviceId: z.string(), out: z.string(), zip: z.boolean().optional() }))
    .output(bundleDocument),
  verify: procedure.input(z.object({ path: z.string() })).output(verifyDocument),
};
