// Host: the machine and process that serve this workbench.
import { z } from 'zod';
import { procedure } from './procedure';
import { machine } from './words/run';

export const host = {
  info: procedure.output(
    z.object({
      kind: z.enum(['electron', 'served', 'cli']),
      version: z.string(),
      workspace: z.string(),
      machine,
      freeMemoryBytes: z.number(),
      freeDiskBytes: z.number(),
      /** Native dialogs are there (desktop). */
      dialogs: z.boolean(),
      /** Files above this many bytes are opened by path rather than uploaded. */
      uploadAdvisedBelowBytes: z.number(),
    }),
  ),
  /** Memory of our processes now, and what the library holds. */
  usage: procedure.output(
    z.object({
      engineBytes: z.number(),
      engineBoundBytes: z.number(),
      libraryBytes: z.number(),
      sweepableBytes: z.number(),
    }),
  ),
  /** A native dialog; null when dismissed. Refused where there are none. */
  pick: procedure
    .input(z.object({ what: z.enum(['model', 'folder', 'dataset', 'save-folder']), suggested: z.string().optional() }))
    .output(z.object({ path: z.string().nullable() })),
  /** Entries of a folder on this machine, for *Open a path on this machine*. */
  browse: procedure.input(z.object({ path: z.string().optional() })).output(
    z.object({
      path: z.string(),
      parent: z.string().nullable(),
      entries: z.array(
        z.object({
          name: z.string(),
          path: z.string(),
          kind: z.enum(['folder', 'file']),
          bytes: z.number(),
          fits: z.boolean(),
        }),
      ),
    }),
  ),
  /** Small settings of the workbench, kept with the workspace. */
  settings: procedure.output(z.record(z.string(), z.string())),
  setSetting: procedure.input(z.object({ key: z.string().max(64), value: z.string().max(4096) })).output(z.void()),
};
