// The recipe being written, and every edit of it: plain functions from one document to the next.
import type { MethodCard, Parameter, ParameterValue } from '../../../contract/words/method';
import type { Recipe, Step } from '../../../contract/words/recipe';
import { globOf, matches, matchesAny, touches } from './layer-globs';

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

/** An empty name is no name: the recipe is then called by what it does. */
export function setName(recipe: Recipe, name: string): Recipe {
  const { name: _, ...rest } = recipe;
  return name === '' ? rest : { ...rest, name };
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

/** Later overrides win over earlier ones, as in the run itself. */
const overridesOf = (step: Step, layer: string, but?: string): Record<string, ParameterValue> =>
  Object.assign(
    {},
    ...Object.entries(step.overrides ?? {})
      .filter(([glob]) => glob !== but && matches(glob, layer))
      .map(([, own]) => own),
  );

/** Every parameter of a step on one layer, its overrides on top. */
export function parametersFor(step: Step, card: MethodCard, layer: string): Record<string, ParameterValue> {
  const own = overridesOf(step, layer);
  return Object.fromEntries(card.params.map((each) => [each.id, own[each.id] ?? settingOf(step, each)]));
}

const withOverrides = (step: Step, overrides: NonNullable<Step['overrides']>): Step => {
  const { overrides: _, ...plain } = step;
  return Object.keys(overrides).length > 0 ? { ...plain, overrides } : plain;
};

/** Takes back what a pattern sets for its layers. */
export const dropOverride = (recipe: Recipe, index: number, glob: string): Recipe =>
  withStep(recipe, index, (step) => {
    const { [glob]: _, ...rest } = step.overrides ?? {};
    return withOverrides(step, rest);
  });

/** Sets one parameter for one layer of a step; what the step says anyway is left unsaid. */
export function setForLayer(
  recipe: Recipe,
  index: number,
  layer: string,
  parameter: Parameter,
  value: ParameterValue,
): Recipe {
  return withStep(recipe, index, (step) => {
    const name = globOf(layer);
    const { [name]: before = {}, ...others } = step.overrides ?? {};
    const { [parameter.id]: _, ...rest } = before;
    const without = overridesOf(step, layer, name)[parameter.id] ?? settingOf(step, parameter);
    const own = without === value ? rest : { ...rest, [parameter.id]: value };
    return withOverrides(step, Object.keys(own).length > 0 ? { ...others, [name]: own } : others);
  });
}

/** Drops a pattern the step leaves layers out by. */
export const dropExclude = (recipe: Recipe, index: number, glob: string): Recipe =>
  withStep(recipe, index, (step) =>
    withLayers(
      step,
      step.layers?.include,
      (step.layers?.exclude ?? []).filter((each) => each !== glob),
    ),
  );

/** Drops a pattern the step takes layers in by; without any it takes all that fit. */
export const dropInclude = (recipe: Recipe, index: number, glob: string): Recipe =>
  withStep(recipe, index, (step) => {
    const include = (step.layers?.include ?? []).filter((each) => each !== glob);
    return withLayers(step, include.length > 0 ? include : undefined, step.layers?.exclude ?? []);
  });

function withLayers(step: Step, include: string[] | undefined, exclude: string[]): Step {
  const layers = { ...(include ? { include } : {}), ...(exclude.length > 0 ? { exclude } : {}) };
  const { layers: _, ...plain } = step;
  return Object.keys(layers).length > 0 ? { ...plain, layers } : plain;
}

/** Takes a layer into a step or leaves it out, by its own name; patterns the user wrote stay. */
export function setTouched(recipe: Recipe, index: number, layer: string, wanted: boolean): Recipe {
  return withStep(recipe, index, (step) => {
    if (touches(step, layer) === wanted) return step;
    const name = globOf(layer);
    const { include, exclude = [] } = step.layers ?? {};
    if (!wanted) {
      // An override for a layer the step no longer touches would be a refusal.
      const { [name]: _, ...others } = step.overrides ?? {};
      return withOverrides(withLayers(step, include, [...exclude, name]), others);
    }
    const missing = include && !matchesAny(include, layer);
    return withLayers(
      step,
      missing ? [...include, name] : include,
      exclude.filter((glob) => glob !== name),
    );
  });
}

/** The parameter that picks the precision layers end in, where the method has one; what hangs on another choice is of something else. */
export const bitsParameter = (card: MethodCard | undefined): Extract<Parameter, { kind: 'choice' }> | null => {
  const found = card?.params.find((each) => each.kind === 'choice' && each.precision && !each.when);
  return found?.kind === 'choice' ? found : null;
};

/** Widths a step can give a layer, besides leaving it as it is. */
export function widthsOf(card: MethodCard | undefined): number[] {
  const parameter = bitsParameter(card);
  if (parameter) return parameter.choices.map((choice) => Number(choice.value));
  return card?.id === 'float16' ? [16] : card?.family === 'quantize' ? [8] : [];
}

/** Puts layers in so many bits, all as one change; 32 leaves them as they are. */
export function setBits(
  recipe: Recipe,
  index: number,
  card: MethodCard,
  layers: readonly string[],
  bits: number,
): Recipe {
  const parameter = bitsParameter(card);
  return layers.reduce((next, layer) => {
    if (bits === 32) return setTouched(next, index, layer, false);
    const taken = setTouched(next, index, layer, true);
    return parameter ? setForLayer(taken, index, layer, parameter, bits) : taken;
  }, recipe);
}

/** *Weight-only 4 bits, then Half precision*: what an unnamed recipe is called. */
export const titleOf = (recipe: Recipe, cards: readonly MethodCard[]): string =>
  recipe.name ?? whatItDoes(recipe, cards);

export function whatItDoes(recipe: Recipe, cards: readonly MethodCard[]): string {
  return recipe.steps
    .map((step) => {
      const card = cards.find((each) => each.id === step.method);
      const bits = bitsParameter(card);
      const title = card?.title ?? step.method;
      return bits ? `${title} ${settingOf(step, bits)} bits` : title;
    })
    .join(', then ');
}
