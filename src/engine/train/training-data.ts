// What a training learns from and what it is judged by: the parts of a dataset, chosen so that what tunes is never what reports.
import type { SplitName } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import { type Dataset, openDataset } from '../data/index';
import type { DatasetReference } from '../tasks';

/** Samples [from, from + samples) of a split. */
export interface Part {
  readonly split: SplitName;
  readonly from: number;
  readonly samples: number;
}

export interface TrainingData {
  readonly dataset: Dataset;
  readonly task: Dataset['summary']['task'];
  /** The samples carry what they should be answered with; text always does. */
  readonly isLabelled: boolean;
  readonly train: Part;
  /** Chooses the best weights and the moment to stop; null where there are too few samples to spare any. */
  readonly tune: Part | null;
  /** Where the samples come from, in sentences. */
  readonly notes: readonly string[];
}

export async function openTrainingData(reference: DatasetReference): Promise<TrainingData> {
  return partsOf(await openDataset(reference));
}

export function partsOf(dataset: Dataset): TrainingData {
  const { summary } = dataset;
  const train: Part = { split: 'train', from: 0, samples: dataset.samples('train') };
  if (train.samples === 0) {
    refuse(
      'bad-dataset',
      `${summary.name} has no train split to learn from.`,
      'Name one in dataset.json: "splits": { "train": { "inputs": … } }.',
      'splits.train',
    );
  }
  const common = {
    dataset,
    task: summary.task,
    isLabelled: summary.task === 'language-modelling' || isLabelled(dataset, 'train'),
  };
  const notes = [...dataset.notes('train')];
  const validation: Part = { split: 'validation', from: 0, samples: dataset.samples('validation') };
  // Without a test split the result is measured on validation, which then may not choose anything.
  if (dataset.samples('test') > 0 && validation.samples > 0) {
    notes.push(...dataset.notes('validation'));
    return { ...common, train, tune: validation, notes: [...new Set(notes)] };
  }
  const tenth = Math.floor(train.samples / 10);
  if (tenth === 0) {
    notes.push('There are too few samples to keep some for validation: the last weights are kept.');
    return { ...common, train, tune: null, notes };
  }
  notes.push(
    `The result is measured on ${validation.samples > 0 ? 'validation' : 'train'}; so the last tenth of train chooses the best weights, ${tenth.toLocaleString('en')} samples.`,
  );
  const rest = train.samples - tenth;
  return {
    ...common,
    train: { ...train, samples: rest },
    tune: { split: 'train', from: rest, samples: tenth },
    notes: [...new Set(notes)],
  };
}

const isLabelled = ({ summary }: Dataset, split: SplitName): boolean =>
  summary.splits.some(({ name, labelled }) => name === split && labelled);
