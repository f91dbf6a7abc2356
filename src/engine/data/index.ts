// Opens a dataset: a dataset.json, a folder with one, or data whose kind is guessed and said aloud.
import { refuse } from '../../contract/words/refusal';
import type { DatasetReference } from '../tasks';
import type { Dataset } from './dataset';

export type { Batch, BatchRequest, Dataset, Feed, TypedArray } from './dataset';

export async function openDataset(reference: DatasetReference): Promise<Dataset> {
  return refuse('unsupported', `${reference.path} cannot be opened yet.`);
}
