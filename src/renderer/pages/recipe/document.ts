// The recipe being written: one document behind the form, the layer column and the JSON, with one undo.
import type { MethodCard, Parameter, ParameterValue } from '../../../contract/words/method';
import type { Recipe, Step } from '../../../contract/words/recipe';

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

/** A step with nothing said: every parameter at the card's default. */
export const newStep = (card: MethodCard): Step => ({ method: card.id, params: {} });

const withStep = (recipe: Recipe, index: number, edit: (step: Step) => Step): Recipe => ({
  ...recipe,
  steps: recipe.steps.map((step, at) => (at === index ? edit(step) : step)),
});

export const addStep = (recipe: Recipe, card: MethodCard): Recipe => ({
  ...recipe,
  steps: [...recipe.steps, newStep(card)],
});

export const removeStep = (recipe: Recipe, index: number): Recipe => ({
  ...recipe,
  steps: recipe.steps.filter((_, at) => at !== index),
});

export function moveStep(recipe: Recipe, from: number, to: number): Recipe {
  const moved = recipe.steps[from];
  if (!moved || to < 0 || to >= recipe.steps.length) return recipe;
  const rest = recipe.steps.filter((_, at) => at !== from);
  return { ...recipe, steps: [...rest.slice(0, to), moved, ...rest.slice(to)] };
}

/** A parameter's value where the step says one, else the card's default. */
export const settingOf = (step: Step, parameter: Parameter): ParameterValue =>
  step.params[parameter.id] ?? parameter.default;

/** Is the parameter asked for, given the others? */
export const isShown = (step: Step, parameter: Parameter, card: MethodCard): boolean =>
  Object.entries(parameter.when ?? {}).every(([id, values]) => {
    const other = card.params.find((each) => each.id === id);
    return !other || values.includes(settingOf(step, other) as never);
  });

/** Sets a parameter; the default is left unsaid, so a recipe stays as short as what it means. */
export function setParameter(recipe: Recipe, index: number, parameter: Parameter, value: ParameterValue): Recipe {
  return withStep(recipe, index, (step) => {
    const { [parameter.id]: _, ...rest } = step.params;
    return { ...step, params: value === parameter.default ? rest : { ...rest, [parameter.id]: value } };
  });
}

/** Every parameter of a step on one layer, its override on top. */
export function parametersFor(step: Step, card: MethodCard, layer: string): Record<string, ParameterValue> {
  const own = step.overrides?.[layer] ?? {};
  return Object.fromEntries(card.params.map((each) => [each.id, own[each.id] ?? settingOf(step, each)]));
}

/** Sets or clears (undefined) one parameter for one layer of a step. */
export function override(
  recipe: Recipe,
  index: number,
  layer: string,
  id: string,
  value: ParameterValue | undefined,
): Recipe {
  return withStep(recipe, index, (step) => {
    const { [id]: _, ...rest } = step.overrides?.[layer] ?? {};
    const own = value === undefined ? rest : { ...rest, [id]: value };
    const { [layer]: __, ...others } = step.overrides ?? {};
    const overrides = Object.keys(own).length > 0 ? { ...others, [layer]: own } : others;
    const { overrides: ___, ...plain } = step;
    return Object.keys(overrides).length > 0 ? { ...plain, overrides } : plain;
  });
}

/** A glob as CLI.md has it: `*` any characters, `/` too; `?` one; `{a,b}` either. */
export function globToRegExp(glob: string): RegExp {
  let depthNow = 0;
  const body = [...glob]
    .map((char) => {
      if (char === '*') return '.*';
      if (char === '?') return '.';
      if (char === '{') {
        depthNow += 1;
        return '(?:';
      }
      if (char === '}' && depthNow > 0) {
        depthNow -= 1;
        return ')';
      }
      if (char === ',' && depthNow > 0) return '|';
      return char.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${body}$`, 's');
}

const matches = (globs: readonly string[], layer: string) => globs.some((glob) => globToRegExp(glob).test(layer));

/** Does a step ask for this layer? Whether its method can take it is the forecast's to say. */
export const touches = (step: Step, layer: string): boolean =>
  matches(step.layers?.include ?? ['*'], layer) && !matches(step.layers?.exclude ?? [], layer);

/** Characters a glob gives a meaning to, for a layer's name used as a pattern. */
const hasGlob = /[*?{}]/;

/** Takes a layer into a step or leaves it out, by its own name; patterns the user wrote stay. */
export function setTouched(recipe: Recipe, index: number, layer: string, wanted: boolean): Recipe {
  return withStep(recipe, index, (step) => {
    if (touches(step, layer) === wanted) return step;
    const name = hasGlob.test(layer) ? layer.replace(/[{}]/g, '?') : layer;
    const exclude = (step.layers?.exclude ?? []).filter((glob) => !(wanted && glob === name));
    const include = step.layers?.include;
    const next = { ...step.layers, exclude: wanted ? exclude : [...exclude, name] };
    if (wanted && include && !matches(include, layer)) next.include = [...include, name];
    const layers = {
      ...(next.include ? { include: next.include } : {}),
      ...(next.exclude.length > 0 ? { exclude: next.exclude } : {}),
    };
    const { layers: _, ...plain } = step;
    const kept = Object.keys(layers).length > 0 ? { ...plain, layers } : plain;
    // An override for a layer the step no longer touches would be a refusal.
    if (wanted || !kept.overrides?.[layer]) return kept;
    const { [layer]: __, ...others } = kept.overrides;
    const { overrides: ___, ...bare } = kept;
    return Object.keys(others).length > 0 ? { ...bare, overrides: others } : bare;
  });
}

/** *4-bit weight-only, 8-bit head*: what an unnamed recipe is called. */
export function titleOf(recipe: Recipe, cards: readonly MethodCard[]): string {
  if (recipe.name) return recipe.name;
  return recipe.steps
    .map((step) => {
      const card = cards.find((each) => each.id === step.method);
      const bits = card?.params.find((each) => each.kind === 'choice' && each.precision);
      const title = card?.title ?? step.method;
      return bits && step.method !== 'float16' ? `${title} ${settingOf(step, bits)} bits` : title;
    })
    .join(', then ');
}
