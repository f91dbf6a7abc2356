// Datasets: opened by path, listed, forgotten.
import { refuse } from '../../contract/words/refusal';
import { datasetRow } from '../library/datasets';
import { api } from './implement';

export const datasets = {
  open: api.datasets.open.handler(async ({ context, input }) =>
    datasetRow(await context.library.datasets.open(input.path, input.preset ?? null)),
  ),

  list: api.datasets.list.handler(async ({ context }) => context.library.datasets.list().map(datasetRow)),

  forget: api.datasets.forget.handler(async ({ context, input }) => {
    const { id, summary } = context.library.datasets.get(input.id);
    if (context.history.runs.uses(id)) refuse('busy', `A run is using ${summary.name}.`, 'Cancel the run first.');
    return { freedBytes: await context.library.forgetDataset(id) };
  }),
};
