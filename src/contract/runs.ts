// Runs: started, watched, stopped, replayed, looked back on.
import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { procedure } from './procedure';
import { splitNames } from './words/dataset';
import { evaluation } from './words/quality';
import { runCheckpoint, runDocument, runEvent, runLogLine, runRow } from './words/run';
import { curvePoint } from './words/training';

const byId = z.object({ id: z.string() });

export const runs = {
  /** Queues a compression. */
  start: procedure
    .input(
      z.object({
        modelId: z.string(),
        recipe: z.unknown(),
        datasetId: z.string().optional(),
        seed: z.number().int().optional(),
        /** Evaluate on the first `limit` samples only. */
        limit: z.number().int().positive().optional(),
      }),
    )
    .output(byId),
  /** Queues an evaluation of a model as it is. */
  evaluate: procedure
    .input(
      z.object({
        modelId: z.string(),
        datasetId: z.string(),
        split: z.enum(splitNames).optional(),
        limit: z.number().int().positive().optional(),
        batch: z.number().int().positive().optional(),
        threads: z.number().int().positive().optional(),
        against: z.string().optional(),
      }),
    )
    .output(byId),
  /** Runs it again and compares the artifact's bytes. Answers when the replay has ended. */
  replay: procedure.input(byId).output(
    z.object({
      identical: z.boolean(),
      expected: z.string(),
      actual: z.string(),
      why: z.array(z.string()).optional(),
      runId: z.string(),
    }),
  ),
  /** What a run whose engine or host ended early can go on from; null where there is nothing. */
  checkpoint: procedure.input(byId).output(runCheckpoint.nullable()),
  /** Queues a run that goes on from the checkpoint of an earlier one and comes to the same bytes. */
  resume: procedure.input(byId).output(byId),
  /** Removes the checkpoint of an ended run; it can only be started again then. */
  discard: procedure.input(byId).output(z.object({ freedBytes: z.number() })),
  list: procedure
    .input(z.object({ limit: z.number().int().positive().optional(), modelId: z.string().optional() }))
    .output(z.array(runRow)),
  get: procedure.input(byId).output(runRow),
  /** What `run` printed. */
  document: procedure.input(byId).output(runDocument),
  /** What an `evaluate` run measured. */
  evaluation: procedure.input(byId).output(evaluation),
  log: procedure.input(byId).output(z.array(runLogLine)),
  /** Points of the training curves so far, of a run under way; what a finished one learnt is in its document. */
  curves: procedure.input(byId).output(z.array(curvePoint)),
  /** Rows, progress, curves and log lines of every run as they change. */
  watch: procedure.output(eventIterator(runEvent)),
  /** Kills at once; nothing half-written is left. */
  cancel: procedure.input(byId).output(z.void()),
  /** Ends between steps and keeps what was gained. */
  stop: procedure.input(byId).output(z.void()),
  csv: procedure.output(z.string()),
};
