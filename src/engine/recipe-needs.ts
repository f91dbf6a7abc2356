// Which steps of a recipe need data, and the refusal where there is none.
import type { Recipe } from '../contract/words/recipe';
import { refuse } from '../contract/words/refusal';
import { methodOf, withDefaults } from './recipe';

/** Places of the steps that need samples, in order. */
export function stepsInNeed(recipe: Recipe): number[] {
  return recipe.steps.flatMap((step, i) => {
    const method = methodOf(step);
    const params = withDefaults(method.card, step.params);
    const needs = method.needs?.(params) ?? method.card.needs;
    return needs.some((need) => need !== 'weights') ? [i] : [];
  });
}

/** Refuses a recipe with a step that needs data where no dataset is chosen. True where samples must be opened. */
export function needsData(recipe: Recipe, hasDataset: boolean): boolean {
  const [first] = stepsInNeed(recipe);
  if (first === undefined) return false;
  if (!hasDataset)
    refuse('bad-dataset', `steps[${first}] needs calibration samples: choose a dataset.`, undefined, `steps[${first}]`);
  return true;
}
