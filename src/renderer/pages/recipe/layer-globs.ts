// Which layers a step asks for, by the patterns of its recipe.
import { globMatcher } from '../../../contract/words/layer-globs';
import type { Step } from '../../../contract/words/recipe';

const known = new Map<string, (layer: string) => boolean>();

/** Patterns are asked again for every row, so each is read once. */
export function matches(glob: string, layer: string): boolean {
  let asks = known.get(glob);
  if (!asks) {
    asks = globMatcher(glob);
    known.set(glob, asks);
  }
  return asks(layer);
}

export const matchesAny = (globs: readonly string[], layer: string): boolean =>
  globs.some((glob) => matches(glob, layer));

/** Does a step ask for this layer? Whether its method can take it is the forecast's to say. */
export const touches = (step: Step, layer: string): boolean =>
  matchesAny(step.layers?.include ?? ['*'], layer) && !matchesAny(step.layers?.exclude ?? [], layer);

/** A layer's name as a pattern for itself: characters a glob gives a meaning to stand for any one. */
export const globOf = (layer: string): string => layer.replace(/[*?{}]/g, '?');
