// The corridor behind `datasets.open`: what a dataset is, and the files its identity is computed over.
import { openDataset } from './data/index';
import type { Tasks, Work } from './tasks';

export async function openDatasetTask(
  ask: Tasks['openDataset']['ask'],
  work: Work,
): Promise<Tasks['openDataset']['answer']> {
  work.emit({ kind: 'doing', what: `opening the dataset ${ask.path}` });
  const { summary, files } = await openDataset(ask);
  return { summary, files };
}
