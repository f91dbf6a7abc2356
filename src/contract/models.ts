// Models: opened by path, known by content, inspected tensor by tensor.
import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { procedure } from './procedure';
import { libraryDataset } from './words/dataset';
import { inspectDocument, inspectEvent, libraryModel } from './words/model';
import { sampleName } from './words/sample';

const byId = z.object({ id: z.string() });

export const models = {
  /** A path on the host's machine, or an id or its unique prefix. Answers from headers; the SHA-256 follows. */
  open: procedure.input(z.object({ path: z.string().min(1) })).output(libraryModel),
  /** The samples that are part of this installation. */
  samples: procedure.output(z.array(sampleName)),
  /** One of them, the first unless named: a model and its dataset. */
  openSample: procedure
    .input(z.object({ name: sampleName }).optional())
    .output(z.object({ model: libraryModel, dataset: libraryDataset })),
  list: procedure.output(z.array(libraryModel)),
  get: procedure.input(byId).output(libraryModel),
  /** Streams each layer's statistics, cached ones first. Ending the iteration cancels the sweep. */
  inspect: procedure.input(byId).output(eventIterator(inspectEvent)),
  /** The document of `lathe inspect`; waits for the SHA-256. */
  document: procedure.input(z.object({ id: z.string(), stats: z.boolean() })).output(inspectDocument),
  /** The library's rows as they change: newly opened, hashed further, gone. */
  watch: procedure.output(
    eventIterator(z.object({ kind: z.enum(['row', 'removed']), id: z.string(), row: libraryModel.optional() })),
  ),
  /** Takes it off the list; a file of the user's is never touched. */
  forget: procedure.input(byId).output(z.object({ freedBytes: z.number() })),
};
