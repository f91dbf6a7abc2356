// The corridor behind `checkRecipe`: a recipe by itself. Whatever is wrong is refused with its place and what would be right.
import type { MethodCard, Parameter, ParameterValue } from '../contract/words/method';
import type { Recipe, Step } from '../contract/words/recipe';
import { refuse } from '../contract/words/refusal';
import { methods } from './methods';
import type { Method, Params } from './methods/method';
import type { Tasks, Work } from './tasks';

export async function checkRecipe(
  ask: Tasks['checkRecipe']['ask'],
  _work: Work,
): Promise<Tasks['checkRecipe']['answer']> {
  return readRecipe(ask.recipe);
}

const mostSteps = 64;
const longestName = 200;
const largestSeed = 0xffffffff;

type Fields = Record<string, unknown>;

/** The recipe as given, every part checked; a step without `params` gets empty ones. */
export function readRecipe(given: unknown): Recipe {
  const fields = object(given, 'the recipe');
  onlyKeys(fields, ['lathe', 'name', 'seed', 'steps'], '', 'a recipe');
  if (fields.lathe !== 1) no('lathe', `${show(fields.lathe)} is not 1, the only version there is`, 'Write "lathe": 1.');
  const { name, seed, steps } = fields;
  if (name !== undefined && (typeof name !== 'string' || name.length > longestName))
    no('name', `${show(name)} is not a text of at most ${longestName} characters`);
  if (seed !== undefined) wholeNumber(seed, 0, largestSeed, 'seed');
  if (!Array.isArray(steps)) no('steps', `${show(steps)} is not a list of steps`);
  if (steps.length === 0 || steps.length > mostSteps) no('steps', `${steps.length} steps are not 1 to ${mostSteps}`);
  return {
    lathe: 1,
    ...(name === undefined ? {} : { name }),
    ...(seed === undefined ? {} : { seed: seed as number }),
    steps: steps.map((step, i) => readStep(step, `steps[${i}]`)),
  };
}

/** The method of a step of a checked recipe. */
export function methodOf(step: Step): Method {
  return methods.find(({ card }) => card.id === step.method)!;
}

/** Every parameter of the card: those given, then defaults. */
export function withDefaults(card: MethodCard, given: Readonly<Record<string, ParameterValue>>): Params {
  return Object.fromEntries(card.params.map((parameter) => [parameter.id, given[parameter.id] ?? parameter.default]));
}

function readStep(given: unknown, place: string): Step {
  const fields = object(given, place);
  onlyKeys(fields, ['method', 'params', 'layers', 'overrides'], place, 'a step');
  const method = methods.find(({ card }) => card.id === fields.method);
  if (!method) {
    const ids = methods.map(({ card }) => card.id).join(', ');
    return no(`${place}.method`, `${show(fields.method)} is not one of ${ids}`);
  }
  const { layers, overrides } = fields;
  return {
    method: method.card.id,
    params: readParams(method.card, fields.params ?? {}, `${place}.params`),
    ...(layers === undefined ? {} : { layers: readLayers(layers, `${place}.layers`) }),
    ...(overrides === undefined ? {} : { overrides: readOverrides(method.card, overrides, `${place}.overrides`) }),
  };
}

function readLayers(given: unknown, place: string): NonNullable<Step['layers']> {
  const fields = object(given, place);
  onlyKeys(fields, ['include', 'exclude'], place, 'layers');
  const { include, exclude } = fields;
  return {
    ...(include === undefined ? {} : { include: patterns(include, `${place}.include`) }),
    ...(exclude === undefined ? {} : { exclude: patterns(exclude, `${place}.exclude`) }),
  };
}

function readOverrides(card: MethodCard, given: unknown, place: string): NonNullable<Step['overrides']> {
  const entries = Object.entries(object(given, place));
  return Object.fromEntries(
    entries.map(([pattern, params]) => [pattern, readParams(card, params, `${place}[${JSON.stringify(pattern)}]`)]),
  );
}

function readParams(card: MethodCard, given: unknown, place: string): Step['params'] {
  const fields = object(given, place);
  for (const [id, value] of Object.entries(fields)) {
    const parameter = card.params.find((one) => one.id === id);
    if (!parameter) {
      const ids = card.params.map((one) => one.id).join(', ');
      no(`${place}.${id}`, `${card.id} has no such parameter`, ids ? `It has ${ids}.` : 'It has none.');
    }
    checkValue(parameter, value, `${place}.${id}`);
  }
  return fields as Step['params'];
}

function checkValue(parameter: Parameter, value: unknown, place: string): void {
  switch (parameter.kind) {
    case 'choice': {
      const values = parameter.choices.map((choice) => choice.value);
      if (values.includes(value as string | number)) return;
      if (values.every((one) => typeof one === 'number')) values.sort((a, b) => Number(a) - Number(b));
      const shown = typeof value === 'string' && typeof values[0] === 'number' ? JSON.stringify(value) : show(value);
      no(place, `${shown} is not one of ${values.join(', ')}`, `Choose ${nearest(values, value)}.`);
      break;
    }
    case 'number': {
      const { min, max } = parameter;
      if (parameter.integer) wholeNumber(value, min, max, place);
      else if (typeof value !== 'number' || !(value >= min && value <= max))
        no(place, `${show(value)} is not a number from ${min} to ${max}`);
      break;
    }
    case 'switch':
      if (typeof value !== 'boolean') no(place, `${show(value)} is not true or false`);
      break;
    default:
      parameter satisfies never;
  }
}

/** The allowed number closest to what is not allowed, the smaller of two; else the first. */
function nearest(values: readonly (string | number)[], value: unknown): string | number {
  const wanted = Number(value);
  if (typeof values[0] !== 'number' || Number.isNaN(wanted)) return values[0]!;
  const distance = (one: string | number): number => Math.abs(Number(one) - wanted);
  return values.reduce((best, one) => (distance(one) < distance(best) ? one : best));
}

function patterns(given: unknown, place: string): string[] {
  if (!Array.isArray(given)) return no(place, `${show(given)} is not a list of patterns`);
  for (const [i, pattern] of given.entries())
    if (typeof pattern !== 'string' || pattern === '') no(`${place}[${i}]`, `${show(pattern)} is not a pattern`);
  return given as string[];
}

function object(given: unknown, place: string): Fields {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Fields;
  return no(place, `${show(given)} is not an object`);
}

function onlyKeys(fields: Fields, keys: readonly string[], place: string, what: string): void {
  for (const key of Object.keys(fields)) {
    if (keys.includes(key)) continue;
    no(place ? `${place}.${key}` : key, `${what} has no such key`, `Its keys are ${keys.join(', ')}.`);
  }
}

function wholeNumber(value: unknown, min: number, max: number, place: string): void {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  no(place, `${show(value)} is not a whole number from ${min} to ${max}`);
}

/** A value as it stands in a sentence: texts as they are, the rest as JSON, cut where it is long. */
function show(value: unknown): string {
  const text = typeof value === 'string' && value !== '' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function no(place: string, what: string, mend?: string): never {
  return refuse('bad-recipe', `${place}: ${what}`, mend, place);
}
