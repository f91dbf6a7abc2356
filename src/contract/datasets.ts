// Datasets: opened by path (a dataset.json, a folder, or data whose kind is guessed and said aloud).
import { z } from 'zod';
import { procedure } from './procedure';
import { inputSpec, libraryDataset } from './words/dataset';

export const datasets = {
  open: procedure
    .input(z.object({ path: z.string().min(1), preset: z.record(z.string(), inputSpec).optional() }))
    .output(libraryDataset),
  list: procedure.output(z.array(libraryDataset)),
  forget: procedure.input(z.object({ id: z.string() })).output(z.object({ freedBytes: z.number() })),
};
