// The recipe of the open model while it is being written: kept as a draft per model, forecast as it changes.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Recipe, RunForecast } from '../../../contract/words/recipe';
import type { Refusal } from '../../../contract/words/refusal';
import { orpc, refusalOf } from '../../api';
import { remembered } from '../../remembered';
import { change, type RecipeHistory, redo, startHistory, undo } from './undo';

const draftKey = (modelId: string) => `recipe.${modelId}`;
const first: Recipe = { lathe: 1, steps: [{ method: 'weight-only', params: {} }] };

function draftOf(modelId: string): Recipe {
  try {
    const draft = JSON.parse(remembered.get(draftKey(modelId)) ?? 'null') as Recipe | null;
    return draft && draft.lathe === 1 && Array.isArray(draft.steps) ? draft : first;
  } catch {
    return first;
  }
}

export interface RecipeEditing {
  recipe: Recipe;
  /** Changes with the same key in a row are one undo. */
  set(next: Recipe, key?: string): void;
  undo: (() => void) | null;
  redo: (() => void) | null;
}

export function useRecipe(modelId: string): RecipeEditing {
  const [history, setHistory] = useState<RecipeHistory>(() => startHistory(draftOf(modelId)));
  const recipe = history.now;
  useEffect(() => keepDraft(modelId, recipe), [modelId, recipe]);
  const set = useCallback((next: Recipe, key?: string) => setHistory((now) => change(now, next, key ?? null)), []);
  return {
    recipe,
    set,
    undo: history.past.length > 0 ? () => setHistory(undo) : null,
    redo: history.future.length > 0 ? () => setHistory(redo) : null,
  };
}

/** Puts a recipe on the bench of a model: what *Open as recipe* and History's *Open* do before they go there. */
export const keepDraft = (modelId: string, recipe: Recipe): void =>
  remembered.set(draftKey(modelId), JSON.stringify(recipe));

/** The last value that stood still for a while. */
function useSettled<Value>(value: Value, afterMs: number): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), afterMs);
    return () => clearTimeout(timer);
  }, [value, afterMs]);
  return settled;
}

export interface Forecasting {
  /** The newest there is; it may be of before the last change. */
  forecast: RunForecast | null;
  refusal: Refusal | null;
  stale: boolean;
}

/** What the recipe will do, asked again when it has stood still for a moment. */
export function useForecast(modelId: string, recipe: Recipe, datasetId: string | null): Forecasting {
  const settled = useSettled(recipe, 120);
  const { data, error, isPlaceholderData, isFetching } = useQuery(
    orpc.recipes.forecast.queryOptions({
      input: { modelId, recipe: settled, ...(datasetId ? { datasetId } : {}) },
      enabled: settled.steps.length > 0,
      placeholderData: keepPreviousData,
      gcTime: 60_000,
    }),
  );
  // A forecast that was replaced by a newer question is no refusal; the last answer stays in sight meanwhile.
  const thrown = error ? refusalOf(error) : null;
  const refusal = thrown?.code === 'cancelled' ? null : thrown;
  const last = useRef<RunForecast | null>(null);
  if (data) last.current = data;
  if (refusal || recipe.steps.length === 0) last.current = null;
  return {
    forecast: last.current,
    refusal: settled === recipe ? refusal : null,
    stale: settled !== recipe || isPlaceholderData || isFetching || data === undefined,
  };
}
