// Which steps of a recipe need data, and the refusal where there is none.
import type { Recipe, Step } from '../contract/words/recipe';
import { refuse } from '../contract/words/refusal';
import type { Learning, Need } from './methods/method';
import { methodOf, withDefaults } from './recipe';
import type { DatasetReference } from './tasks';
import { openTrainingData, type TrainingData } from './train/training-data';

/** How a step learns from the train split; null where it does not. */
export function learningOf(step: Step): Learning | null {
  const method = methodOf(step);
  return method.learns?.(withDefaults(method.card, step.params)) ?? null;
}

const needsOf = (step: Step): readonly Need[] => {
  const method = methodOf(step);
  return method.needs?.(withDefaults(method.card, step.params)) ?? method.card.needs;
};

/** A step learns from the train split, or asks what its weights do to the loss there. */
export function usesTrainSplit(step: Step): boolean {
  return learningOf(step) !== null || needsOf(step).includes('gradients');
}

/** Refuses a recipe with a step that needs data where no dataset is chosen. */
export function refuseWithoutData(recipe: Recipe, hasDataset: boolean): void {
  needsCalibration(recipe, hasDataset);
  const first = recipe.steps.findIndex(usesTrainSplit);
  if (first >= 0 && !hasDataset)
    refuse(
      'bad-dataset',
      `${methodOf(recipe.steps[first]!).card.title} learns from samples: choose a dataset with a train split.`,
      undefined,
      `steps[${first}]`,
    );
}

/** True where calibration samples must be opened. */
export function needsCalibration(recipe: Recipe, hasDataset: boolean): boolean {
  const first = recipe.steps.findIndex((step) =>
    needsOf(step).some((need) => need === 'activations' || need === 'data'),
  );
  if (first < 0) return false;
  if (!hasDataset)
    refuse('bad-dataset', `steps[${first}] needs calibration samples: choose a dataset.`, undefined, `steps[${first}]`);
  return true;
}

/** What the steps that train or ask for gradients learn from; null where none does. Refuses samples without the labels that one of them needs. */
export async function trainingDataFor(
  recipe: Recipe,
  reference: DatasetReference | undefined,
): Promise<TrainingData | null> {
  if (!reference || !recipe.steps.some(usesTrainSplit)) return null;
  const data = await openTrainingData(reference);
  const first = recipe.steps.findIndex((step) => usesTrainSplit(step) && learningOf(step)?.needsLabels !== false);
  if (first >= 0 && !data.isLabelled)
    refuse(
      'bad-dataset',
      `steps[${first}] needs labels, and the train split of ${data.dataset.summary.name} has none.`,
      'Name them in dataset.json: "labels".',
      `steps[${first}]`,
    );
  return data;
}
