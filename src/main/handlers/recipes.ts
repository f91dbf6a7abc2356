// Recipes: checked, foretold, and previewed on one layer.
import { refuse } from '../../contract/words/refusal';
import { referenceTo } from '../jobs/compress';
import { api } from './implement';

export const recipes = {
  check: api.recipes.check.handler(({ context, input }) => context.desk.ask('checkRecipe', { recipe: input.recipe })),

  forecast: api.recipes.forecast.handler(async ({ context, input, signal }) => {
    const model = context.library.models.get(input.modelId);
    const dataset = input.datasetId === undefined ? null : context.library.datasets.get(input.datasetId);
    return context.desk.ask(
      'forecast',
      {
        path: model.files[0]!.path,
        recipe: input.recipe,
        ...(dataset ? { dataset: referenceTo(dataset) } : {}),
        folder: context.library.jobs,
      },
      signal ? { signal } : {},
    );
  }),

  preview: api.recipes.preview.handler(async ({ context, input, signal }) => {
    const model = context.library.models.get(input.modelId);
    const layer = model.layers.find((known) => known.name === input.layer);
    if (!layer) refuse('not-found', `${model.name} has no layer ${input.layer}.`);
    const { modelId: _, ...ask } = input;
    return context.desk.preview({ ...ask, path: model.files[0]!.path }, signal);
  }),
};
