// Previews of one layer: the one under the dial first; the other precisions one after another once it stands still.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ParameterValue } from '../../../contract/words/method';
import type { Preview } from '../../../contract/words/recipe';
import { api, orpc, refusalOf } from '../../api';
import { fixed, thin } from '../../format';

export interface PreviewAsk {
  modelId: string;
  layer: string;
  method: string;
  params: Record<string, ParameterValue>;
}

/** *19.4 dB*; a layer that loses nothing is exact. */
export const decibels = (value: number | null): string => (value === null ? 'exact' : `${fixed(value, 1)}${thin}dB`);

/** The newest preview wins; one that was replaced by a question which no longer matters is asked again. */
const replaced = (failures: number, error: unknown) => failures < 8 && refusalOf(error).code === 'cancelled';
const kept = { staleTime: Number.POSITIVE_INFINITY, gcTime: 120_000, retry: replaced, retryDelay: 150 };

export function usePreview(ask: PreviewAsk) {
  return useQuery(orpc.recipes.preview.queryOptions({ input: ask, placeholderData: keepPreviousData, ...kept }));
}

/** The same settings with one parameter at each of its values, in their order. */
export function useAlternatives(
  ask: PreviewAsk,
  parameter: string,
  values: readonly ParameterValue[],
  enabled: boolean,
) {
  return useQuery({
    queryKey: ['recipes.alternatives', ask, parameter],
    queryFn: async ({ signal }) => {
      const answers: Preview[] = [];
      for (const value of values)
        answers.push(await api.recipes.preview({ ...ask, params: { ...ask.params, [parameter]: value } }, { signal }));
      return answers;
    },
    enabled,
    placeholderData: keepPreviousData,
    ...kept,
  });
}
