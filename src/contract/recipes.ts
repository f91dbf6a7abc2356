// Recipes: what one will do to a model, told before the run, and the live preview of one layer.
import { z } from 'zod';
import { procedure } from './procedure';
import { preview, recipe, runForecast, step } from './words/recipe';

export const recipes = {
  /** Checks a recipe by itself; refusals name the place. */
  check: procedure.input(z.object({ recipe: z.unknown() })).output(recipe),
  /** Per layer: what will be done, what it will weigh, what is refused and why. `--dry-run` prints it. */
  forecast: procedure
    .input(z.object({ modelId: z.string(), recipe: z.unknown(), datasetId: z.string().optional() }))
    .output(runForecast),
  /**
   * One step on one layer. The newest request wins: an older one is refused with `cancelled`. What takes longer than a dial
   * can wait is answered from a sample, unless `exact` is asked for.
   */
  preview: procedure
    .input(
      z.object({
        modelId: z.string(),
        layer: z.string(),
        method: z.string(),
        params: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
        /** The steps before it; those that prepare weights are taken first where that needs no data. */
        before: z.array(step).optional(),
        exact: z.boolean().optional(),
      }),
    )
    .output(preview),
};
