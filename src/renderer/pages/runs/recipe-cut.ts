// What a run under way will leave of each layer, as its recipe was forecast; null until that is known.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { orpc } from '../../api';
import type { CutLayer } from '../../cut/geometry';

export function useRecipeCut(row: RunRow, model: LibraryModel | null): CutLayer[] | null {
  const { data } = useQuery(
    orpc.recipes.forecast.queryOptions({
      // As the Recipe page asked, so that its answer is used.
      input: { modelId: row.modelId, recipe: row.recipe, ...(row.datasetId ? { datasetId: row.datasetId } : {}) },
      enabled: model !== null && row.recipe.steps.length > 0,
      staleTime: Number.POSITIVE_INFINITY,
      retry: false,
    }),
  );
  return useMemo(() => {
    if (!data || !model) return null;
    const plans = new Map(data.layers.map((plan) => [plan.name, plan]));
    return model.layers.map((layer) => {
      const plan = plans.get(layer.name);
      const bits = plan && plan.methods.length > 0 ? plan.bitsAfter : layer.bits;
      return { name: layer.name, parameters: layer.tiedTo ? 0 : layer.parameters, bits };
    });
  }, [data, model]);
}
