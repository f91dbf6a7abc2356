// Previews of one layer: the one under the dial first; the other precisions one after another once it stands still.
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, skipToken, useQuery } from '@tanstack/react-query';
import type { ParameterValue } from '../../../contract/words/method';
import type { Preview, Step } from '../../../contract/words/recipe';
import { api, orpc, refusalOf } from '../../api';
import { fixed, thin } from '../../format';

export interface PreviewAsk {
  modelId: string;
  layer: string;
  method: string;
  params: Record<string, ParameterValue>;
  /** The steps before it: what prepares weights comes first. */
  before: Step[];
}

/** *19.4 dB*; a layer that loses nothing is exact. */
export const decibels = (value: number | null): string => (value === null ? 'exact' : `${fixed(value, 1)}${thin}dB`);

/** The newest preview wins; one that was replaced by a question which no longer matters is asked again. */
const replaced = (failures: number, error: unknown) => failures < 8 && refusalOf(error).code === 'cancelled';
const kept = { staleTime: Number.POSITIVE_INFINITY, gcTime: 120_000, retry: replaced, retryDelay: 150 };

/** A dial that rests this long is not being turned: what took a sample is then asked for in full. */
const restMs = 150;

export interface Previewed {
  readonly data: Preview | undefined;
  readonly error: Error | null;
  readonly isPlaceholderData: boolean;
  /** A sample is shown, and the exact answer is on its way. */
  readonly follows: boolean;
}

/** The answer that a dial can wait for, and behind a sample the exact one. */
export function usePreview(ask: PreviewAsk): Previewed {
  const quick = useQuery(orpc.recipes.preview.queryOptions({ input: ask, placeholderData: keepPreviousData, ...kept }));
  const asked = JSON.stringify(ask);
  const [rested] = useDebouncedValue(asked, restMs);
  const sampled = quick.data?.sample && !quick.isPlaceholderData ? quick.data : null;
  const exact = useQuery(
    orpc.recipes.preview.queryOptions({
      input: sampled && rested === asked ? { ...ask, exact: true } : skipToken,
      ...kept,
    }),
  );
  const { error, isPlaceholderData } = quick;
  return {
    data: sampled ? (exact.data ?? quick.data) : quick.data,
    error,
    isPlaceholderData,
    follows: sampled !== null && exact.data === undefined && exact.error === null,
  };
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
