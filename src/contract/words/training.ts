// Training: what a step that learns tells while it learns, and what history keeps of it.
import { z } from 'zod';

export const curveSeries = ['train', 'validation', 'learningRate'] as const;

/** A loss or the learning rate by the steps taken when it was measured. */
export const curvePoint = z.object({
  /** Which training of the run, from 0: a recipe may hold several. */
  training: z.number().int(),
  series: z.enum(curveSeries),
  step: z.number().int(),
  value: z.number(),
  /** ± of its 95 % interval, of validation points where it is known. */
  band: z.number().optional(),
});
export type CurvePoint = z.infer<typeof curvePoint>;

export const trainingRecord = z.object({
  /** The method's. */
  title: z.string(),
  curves: z.array(
    z.object({
      series: z.enum(curveSeries),
      points: z.array(z.tuple([z.number().int(), z.number(), z.number().optional()])),
    }),
  ),
  steps: z.number().int(),
  plannedSteps: z.number().int(),
  epochs: z.number(),
  /** The validation loss had not fallen for as long as patience allows. */
  stoppedEarly: z.boolean(),
  ending: z.enum(['done', 'early', 'stopped', 'diverged']),
  /** Steps behind the weights that were kept; 0: the weights as they were before. */
  bestStep: z.number().int(),
  /** Validation loss of the weights that were kept, and of those before; null where nothing was validated. */
  bestLevel: z.number().nullable(),
  parentLevel: z.number().nullable(),
  /** The step at which an interrupted training went on. */
  resumedAt: z.number().int().optional(),
});
export type TrainingRecord = z.infer<typeof trainingRecord>;
