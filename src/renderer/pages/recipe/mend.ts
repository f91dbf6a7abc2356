// What the page can do about a refusal that names a place in the recipe: *Use 4*, *Drop the settings of conv_9*.
import type { MethodCard, ParameterValue } from '../../../contract/words/method';
import type { Recipe } from '../../../contract/words/recipe';
import type { Refusal } from '../../../contract/words/refusal';
import { dropExclude, dropInclude, dropOverride, removeStep, setParameter } from './document';

export interface Mend {
  label: string;
  next: Recipe;
}

/** The step a place speaks of: `steps[2].params.bits` → 2. */
export function stepOf(place: string | undefined): number | null {
  const found = /^steps\[(\d+)\]/.exec(place ?? '');
  return found ? Number(found[1]) : null;
}

/** The value a mend names (*Choose 4.*), as the parameter has it; else its default. */
function wanted(card: MethodCard | undefined, id: string, mend: string | undefined): ParameterValue | null {
  const parameter = card?.params.find((each) => each.id === id);
  if (!parameter) return null;
  const said = /^Choose (.+)\.$/.exec(mend ?? '')?.[1];
  const choice =
    parameter.kind === 'choice' ? parameter.choices.find((each) => String(each.value) === said) : undefined;
  return choice?.value ?? parameter.default;
}

export function mendOf(recipe: Recipe, refusal: Refusal, cards: readonly MethodCard[]): Mend | null {
  const { place = '', mend } = refusal;
  const index = stepOf(place);
  const step = index === null ? undefined : recipe.steps[index];
  if (index === null || !step) return null;
  const card = cards.find((each) => each.id === step.method);
  const rest = place.replace(/^steps\[\d+\]\.?/, '');
  const pattern = /^layers\.(include|exclude)\[(\d+)\]$/.exec(rest);
  if (pattern) {
    const glob = (pattern[1] === 'include' ? step.layers?.include : step.layers?.exclude)?.[Number(pattern[2])];
    if (glob === undefined) return null;
    const drop = pattern[1] === 'include' ? dropInclude : dropExclude;
    return { label: `Drop the pattern ${glob}`, next: drop(recipe, index, glob) };
  }
  const own = /^overrides\[(".*")\]/.exec(rest);
  if (own) {
    const glob = JSON.parse(own[1] ?? '""') as string;
    return { label: `Drop the settings of ${glob}`, next: dropOverride(recipe, index, glob) };
  }
  const id = /^params\.(\w+)$/.exec(rest)?.[1];
  const parameter = card?.params.find((each) => each.id === id);
  if (parameter) {
    const value = wanted(card, parameter.id, mend) ?? parameter.default;
    return { label: `Use ${value}`, next: setParameter(recipe, index, parameter, value) };
  }
  if (rest === 'method') return { label: `Remove step ${index + 1}`, next: removeStep(recipe, index) };
  return null;
}
