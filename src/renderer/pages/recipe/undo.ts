// One undo for the form, the column of bits and the JSON: the recipe now, what it was, and what was taken back.
import type { Recipe } from '../../../contract/words/recipe';

export interface RecipeHistory {
  readonly now: Recipe;
  readonly past: readonly Recipe[];
  readonly future: readonly Recipe[];
  /** Changes with the same key in a row are one step of undo: a dial that is being dragged. */
  readonly key: string | null;
}

/** How many steps back the page remembers. */
const depth = 200;

export const startHistory = (recipe: Recipe): RecipeHistory => ({ now: recipe, past: [], future: [], key: null });

export function change(history: RecipeHistory, next: Recipe, key: string | null = null): RecipeHistory {
  if (JSON.stringify(next) === JSON.stringify(history.now)) return history;
  const merges = key !== null && key === history.key;
  return { now: next, past: merges ? history.past : [...history.past, history.now].slice(-depth), future: [], key };
}

export function undo({ now, past, future }: RecipeHistory): RecipeHistory {
  const last = past.at(-1);
  return last
    ? { now: last, past: past.slice(0, -1), future: [now, ...future], key: null }
    : { now, past, future, key: null };
}

export function redo({ now, past, future }: RecipeHistory): RecipeHistory {
  const [next, ...rest] = future;
  return next ? { now: next, past: [...past, now], future: rest, key: null } : { now, past, future, key: null };
}
