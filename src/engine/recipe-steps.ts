// A recipe's steps, taken one after another over a model: which layers each acts on, what fits, what was done. Run and forecast share it.

import { globMatcher } from '../contract/words/layer-globs';
import type { Recipe, Step } from '../contract/words/recipe';
import { type Refusal, Refused, refuse } from '../contract/words/refusal';
import type { Model } from './graph/graph';
import { type LayerSite, listLayers } from './graph/layers';
import { inferShapes } from './graph/shapes';
import { withPinnedNames } from './methods/cutting/rewrite';
import type { Workshop } from './methods/cutting/workshop';
import type { LayerCut, Subject, Target } from './methods/method';
import { methodOf, withDefaults } from './recipe';
import { Failure } from './runtime/failure';

export async function subjectOf(model: Model): Promise<Subject> {
  const shapes = await inferShapes(model);
  return { model, shapes, sites: listLayers(model, shapes) };
}

/** What became of a layer over all steps. */
export interface LayerRecord {
  /** Methods that acted on it, in order. */
  readonly methods: string[];
  readonly warnings: string[];
  readonly notes: string[];
  /** Why the last method that was asked for cannot take it. */
  refusal: Refusal | null;
  /** Of the last cut that rounded. */
  error: LayerCut['error'];
  /** Its output comes in other units than the parent's. */
  rescaled: boolean;
}

/** One layer of one step is done. */
export interface Turned {
  readonly step: number;
  readonly title: string;
  readonly cut: LayerCut;
  readonly done: number;
  readonly total: number;
}

export interface Taken {
  readonly subject: Subject;
  readonly records: ReadonlyMap<string, LayerRecord>;
  /** Steps that were taken; fewer than the recipe has where a stop came between. */
  readonly steps: number;
}

/** What a step will act on, by layer. */
export interface Chosen {
  readonly targets: readonly Target[];
  readonly refused: readonly { readonly site: LayerSite; readonly refusal: Refusal }[];
}

/**
 * Takes the steps; `stopping` is asked before each but the first. Yields every layer as it is cut. Throws a refusal where a
 * pattern matches nothing, and a `Failure` that names step and layer where the world says no.
 */
export async function* takeSteps(
  start: Subject,
  recipe: Recipe,
  workshop: Workshop,
  stopping: () => boolean = () => false,
): AsyncGenerator<Turned, Taken> {
  const pinned = withPinnedNames(start.model, start.sites);
  let subject = pinned === start.model ? start : { ...start, model: pinned, sites: listLayers(pinned, start.shapes) };
  const records = new Map<string, LayerRecord>(subject.sites.map(({ name }) => [name, blank()]));
  const recordOf = (name: string): LayerRecord => {
    let record = records.get(name);
    if (!record) records.set(name, (record = blank()));
    return record;
  };
  const before: string[] = [];
  let steps = 0;
  for (const [i, step] of recipe.steps.entries()) {
    if (i > 0 && stopping()) break;
    const method = methodOf(step);
    const { targets, refused } = chooseLayers(subject, step, `steps[${i}]`);
    for (const { site, refusal } of refused) recordOf(site.name).refusal = refusal;
    for (const { site, params } of targets)
      recordOf(site.name).warnings.push(...method.warnings(subject, site, params));
    const turning = method.apply(subject, targets, workshop);
    let done = 0;
    for (;;) {
      const turned = await named(turning, targets[done]?.site.name ?? 'the last layer', method.card.title, before);
      if (turned.done) {
        if (targets.length > 0) subject = await subjectOf(turned.value);
        break;
      }
      const cut = turned.value;
      const record = recordOf(cut.layer);
      record.methods.push(method.card.id);
      record.notes.push(...cut.notes);
      record.refusal = null;
      if (cut.error) record.error = cut.error;
      for (const name of cut.rescaled ?? []) recordOf(name).rescaled = true;
      yield { step: i, title: method.card.title, cut, done: ++done, total: targets.length };
    }
    before.push(method.card.title);
    steps++;
  }
  return { subject, records, steps };
}

/** Layers of a step: those its patterns choose, each with its own parameters, parted into those that fit and those that do not. */
export function chooseLayers(subject: Subject, step: Step, place: string): Chosen {
  const method = methodOf(step);
  const { include, exclude = [] } = step.layers ?? {};
  const names = subject.sites.map(({ name }) => name);
  const matched = (patterns: readonly string[], at: string): Set<string> => {
    const found = patterns.map((pattern, i) => {
      const hits = names.filter(globMatcher(pattern));
      return hits.length > 0 ? hits : nothing(pattern, `${at}[${i}]`);
    });
    return new Set(found.flat());
  };
  const included = include ? matched(include, `${place}.layers.include`) : new Set(names);
  const excluded = matched(exclude, `${place}.layers.exclude`);
  const chosen = new Set(names.filter((name) => included.has(name) && !excluded.has(name)));
  const overrides = Object.entries(step.overrides ?? {}).map(([pattern, params]) => {
    const matches = globMatcher(pattern);
    if (![...chosen].some(matches)) nothing(pattern, `${place}.overrides[${JSON.stringify(pattern)}]`, ' of this step');
    return { matches, params };
  });
  const targets: Target[] = [];
  const refused: { site: LayerSite; refusal: Refusal }[] = [];
  for (const site of subject.sites) {
    if (!chosen.has(site.name)) continue;
    // Later overrides win over earlier ones.
    const own = Object.assign({}, step.params, ...overrides.filter((o) => o.matches(site.name)).map((o) => o.params));
    const params = withDefaults(method.card, own);
    const refusal = method.fits(subject, site, params, chosen);
    if (refusal) refused.push({ site, refusal });
    else targets.push({ site, params });
  }
  return { targets, refused };
}

const blank = (): LayerRecord => ({
  methods: [],
  warnings: [],
  notes: [],
  refusal: null,
  error: null,
  rescaled: false,
});

function nothing(pattern: string, place: string, among = ''): never {
  return refuse('bad-recipe', `${place}: ${pattern} matches no layer${among}`, 'Look up the names in Inspect.', place);
}

/** The next layer; what goes wrong is told with the layer, the step and the steps before. */
async function named<T, R>(
  turning: AsyncGenerator<T, R>,
  layer: string,
  title: string,
  before: readonly string[],
): Promise<IteratorResult<T, R>> {
  try {
    return await turning.next();
  } catch (cause) {
    if (cause instanceof Refused || (cause as Error).name === 'AbortError') throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(`${title} stopped at ${layer}: ${reason}`, `${title}, layer ${layer}`, { cause, before });
  }
}
