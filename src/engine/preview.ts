// The corridor behind the live preview: one step on one layer. The opened model and the kernels stay warm between calls.
import { statSync } from 'node:fs';
import type { Histogram } from '../contract/words/model';
import type { Preview } from '../contract/words/recipe';
import { type Refusal, refuse } from '../contract/words/refusal';
import { elementCount, type Tensor } from './graph/graph';
import { type LayerSite, listLayers } from './graph/layers';
import { bytesTensor } from './graph/tensor';
import { type Kernels, openKernels, type QuantizePreview } from './kernels';
import type { Rounding } from './kernels/kernels';
import { halve } from './methods/cutting/half';
import { type Order, requestOf } from './methods/cutting/order';
import { elementsOf, hollowWorkshop, kernelWorkshop } from './methods/cutting/workshop';
import type { Method, Params, Subject, Target } from './methods/method';
import { type Opened, openSubject } from './open';
import { forgetPrepared, inMemory, learnsFromData, prepare } from './preview-prepare';
import { methodOf, readRecipe, withDefaults } from './recipe';
import type { Tasks, Work } from './tasks';

let warm: { path: string; opened: Opened } | null = null;
let kernels: Promise<Kernels> | null = null;

/** A dial that is held must be answered within 50 ms: what would take longer is answered from a sample of rows, and says so. */
const budgetMs = 45;
/** Roundings that search answer from a sixteenth of the rows, unless there are few weights. */
const searchedShare = 1 / 16;
const fewWeights = 2 ** 18;
/** Weights a millisecond, as the last preview of a tensor that was warm already went, by rounding and bits: few bits are searched longest. */
const paces = new Map<string, number>();
const usualPace: Record<Rounding, number> = { nearest: 400_000, mse: 16_000, hqq: 50_000, gptq: 1000 };
let lastTensor: Tensor | null = null;

export async function preview(ask: Tasks['preview']['ask'], work: Work): Promise<Tasks['preview']['answer']> {
  const started = performance.now();
  const recipe = readRecipe({ lathe: 1, steps: [...(ask.before ?? []), { method: ask.method, params: ask.params }] });
  const before = recipe.steps.slice(0, -1);
  const step = recipe.steps.at(-1)!;
  const method = methodOf(step);
  const params = withDefaults(method.card, ask.params);
  work.emit({ kind: 'doing', what: `layer ${ask.layer}` });
  const { subject: start } = await warmModel(ask.path);
  const unprepared = siteOf(start, ask);
  const answered = (): number => performance.now() - started;
  const notes: string[] = [];
  const open = () => (kernels ??= openKernels());
  const subject = await prepare(start, before, open, notes, work.signal);
  const site = siteOf(subject, ask);
  if (method.card.family === 'precondition') {
    // Which others it goes with is known of the whole recipe alone.
    const refusal = method.fits(subject, site, params) ?? (learnsFromData(method, params) ? unseen(method) : null);
    if (refusal) return refusedPreview(site, method, refusal, answered());
    notes.length = 0;
    const then = siteOf(await prepare(start, recipe.steps, open, notes, work.signal), ask);
    const shown = await preparedPreview(await open(), unprepared, then, method, notes, work.signal);
    return { ...shown, milliseconds: answered() };
  }
  const targets = together(subject, method, site, params);
  if ('code' in targets) return refusedPreview(site, method, targets, answered());

  if (method.learns) return refusedPreview(site, method, unseen(method), answered());
  if (method.card.family === 'prune') {
    if (learnsFromData(method, params)) return refusedPreview(site, method, unseen(method), answered());
    const shown = await prunedPreview(await open(), subject, method, targets, site, work.signal);
    return { ...shown, notes: [...notes, ...shown.notes], milliseconds: answered() };
  }

  const orders: (Order | Tensor)[] = [];
  const after = await sizesAfter(subject, method, targets, (order) => orders.push(order), site.name);
  const found = orders.find((one) => tensorOf(one) === site.tensor) ?? alike(orders, site);
  if (!found) refuse('unsupported', `${ask.layer} keeps its weights under ${ask.method}.`);
  const folded = tensorOf(found) !== site.tensor;
  const order: Order | Tensor = folded ? ('rows' in found ? { ...found, tensor: site.tensor } : site.tensor) : found;
  if (folded) notes.push('Of the weights as they are now: what the run folds into them is left out.');
  if (method.card.needs.includes('activations'))
    notes.push('The weights alone: ranges of activations come in the run.');
  const estimate = 'rows' in order && order.rounding === 'gptq';
  if (estimate)
    notes.push(
      'GPTQ rounds by what calibration samples make of the layers, and a preview has none: nearest stands for it.',
    );
  const common = { layer: site.name, method: method.card.id, bytesBefore: site.bytes, ...after, estimate, notes };
  if (!('rows' in order)) {
    const half = await halfPreview(await open(), order, work.signal);
    return { ...common, ...half, milliseconds: answered() };
  }
  const shown = estimate ? { ...order, rounding: 'nearest' as const } : order;
  const quick = await quantizePreview(await open(), shown, ask.exact === true, work.signal);
  const { sqnrDb, before: was, after: then, levels, scaled, clipped, sample } = quick;
  return {
    ...common,
    sqnrDb,
    before: was,
    after: then,
    levels: levels.map(({ value, count }) => ({ value, count })),
    levelsOf: 'scale',
    scaled,
    clipped,
    sample,
    milliseconds: answered(),
  };
}

function siteOf({ sites }: Subject, { path, layer }: Tasks['preview']['ask']): LayerSite {
  return sites.find(({ name }) => name === layer) ?? refuse('not-found', `${path} has no layer ${layer}.`);
}

const tensorOf = (one: Order | Tensor): Tensor => ('rows' in one ? one.tensor : one);

/** A weight that the run changes before it rounds it is ordered under another tensor of the same size. */
function alike(orders: readonly (Order | Tensor)[], { tensor }: LayerSite): Order | Tensor | undefined {
  return orders.find((one) => elementsOf(one) === elementCount(tensor.dims) && tensorOf(one).dtype === tensor.dtype);
}

const unseen = ({ card, learns }: Method): Refusal => ({
  code: 'bad-dataset',
  sentence: `${card.title} learns from ${learns ? 'training' : 'calibration'} samples, and a preview has none. What it does is seen after the run.`,
});

async function quantizePreview(
  kernels: Kernels,
  order: Order,
  exact: boolean,
  signal: AbortSignal,
): Promise<QuantizePreview> {
  const { rounding = 'nearest', bits } = order;
  const dial = `${rounding} ${bits}`;
  const weights = elementsOf(order);
  const stored = order.order === 'rows' ? order.rows : order.columns;
  const most = rounding === 'nearest' || weights <= fewWeights ? 1 : searchedShare;
  const share = exact ? 1 : Math.min(most, (budgetMs * (paces.get(dial) ?? usualPace[rounding])) / weights);
  const sampleRows = share < 1 ? Math.max(1, Math.floor(stored * share)) : stored;
  const answer = await kernels.preview({ ...requestOf(order, signal), sampleRows });
  if (order.tensor === lastTensor) {
    const looked = answer.sample ? (weights * answer.sample.rows) / answer.sample.of : weights;
    paces.set(dial, looked / Math.max(1, answer.milliseconds));
  }
  lastTensor = order.tensor;
  return answer;
}

/** A step that prepares weights rounds nothing: the same layer before and after it. */
async function preparedPreview(
  kernels: Kernels,
  site: LayerSite,
  then: LayerSite,
  { card }: Method,
  notes: string[],
  signal: AbortSignal,
): Promise<Preview> {
  const { histogram, min, max } = await kernels.statistics(site.tensor, { signal });
  const touched = then.tensor !== site.tensor;
  const after = await kernels.statistics(then.tensor, { signal });
  const least = Math.min(min ?? 0, after.min ?? 0);
  const most = Math.max(max ?? 0, after.max ?? 0);
  const over = (tensor: Tensor) => kernels.histogram(tensor, { min: least, max: most, signal });
  if (touched) notes.push('Nothing is rounded: the weights take another form, and the answers of the model stay.');
  else if (notes.length === 0) notes.push(`${card.title} leaves this layer as it is.`);
  return {
    ...nothingOf(site, card.id),
    bytesAfter: then.bytes,
    bits: then.bits,
    before: touched ? await over(site.tensor) : (histogram ?? empty),
    after: touched ? await over(then.tensor) : (histogram ?? empty),
    notes,
    milliseconds: 0,
  };
}

/** The layer with its zeros, alone: what competes with other layers is seen after the run. */
async function prunedPreview(
  kernels: Kernels,
  subject: Subject,
  method: Method,
  targets: readonly Target[],
  site: LayerSite,
  signal: AbortSignal,
): Promise<Preview> {
  const turning = method.apply(subject, targets, kernelWorkshop(kernels, inMemory, signal));
  let sqnrDb: number | null = null;
  let turned = await turning.next();
  for (; !turned.done; turned = await turning.next()) {
    signal.throwIfAborted();
    const { layer, error } = turned.value;
    if (layer === site.name && error && error.noise > 0) sqnrDb = 10 * Math.log10(error.signal / error.noise);
  }
  const then = listLayers(turned.value).find(({ name }) => name === site.name);
  if (!then) refuse('unsupported', `${site.name} goes altogether under ${method.card.id}.`);
  const { histogram, min, max } = await kernels.statistics(site.tensor, { signal });
  const { zeros } = await kernels.statistics(then.tensor, { signal });
  const share = Math.round((1000 * zeros) / elementCount(then.tensor.dims)) / 10;
  const isSmaller = elementCount(then.shape) < elementCount(site.shape);
  return {
    ...nothingOf(site, method.card.id),
    sqnrDb,
    bytesAfter: then.bytes,
    bits: then.bits,
    before: histogram ?? empty,
    after: await kernels.histogram(then.tensor, { min: min ?? 0, max: max ?? 0, signal }),
    notes: [
      isSmaller
        ? `${site.shape.join('×')} become ${then.shape.join('×')}, the layer taken alone.`
        : `${share} % of its weights are zero, the layer taken alone.`,
    ],
    milliseconds: 0,
  };
}

/** Closes what stays warm; tests end with it. */
export async function closePreview(): Promise<void> {
  warm = null;
  lastTensor = null;
  forgetPrepared();
  const open = await kernels;
  kernels = null;
  await open?.close();
}

/** The model as it was opened last, unless a file of it changed since. */
async function warmModel(path: string): Promise<Opened> {
  const same =
    warm?.path === path &&
    warm.opened.files.every((file) => {
      const now = statSync(file.path, { throwIfNoEntry: false });
      return now?.size === file.bytes && now.mtimeMs === file.mtimeMs;
    });
  if (!same) warm = { path, opened: await openSubject(path) };
  return warm!.opened;
}

/** The layer and what must be cut with it (an LSTM's two weights), or why it cannot be taken. */
function together(subject: Subject, method: Method, site: LayerSite, params: Params): Target[] | Refusal {
  const ofNode = subject.sites.filter(({ node }) => node === site.node);
  const chosen = new Set(ofNode.map(({ name }) => name));
  const refusal = method.fits(subject, site, params, chosen);
  if (refusal) return refusal;
  return ofNode.filter((one) => !method.fits(subject, one, params, chosen)).map((one) => ({ site: one, params }));
}

async function sizesAfter(
  subject: Subject,
  method: Method,
  targets: readonly Target[],
  tell: (order: Order | Tensor) => void,
  name: string,
): Promise<{ bytesAfter: number; bits: number }> {
  const turning = method.apply(subject, targets, hollowWorkshop(tell));
  for (;;) {
    const next = await turning.next();
    if (!next.done) continue;
    const then = listLayers(next.value).find((site) => site.name === name);
    return { bytesAfter: then?.bytes ?? 0, bits: then?.bits ?? 0 };
  }
}

async function halfPreview(kernels: Kernels, tensor: Tensor, signal: AbortSignal) {
  const { histogram: before, min, max } = await kernels.statistics(tensor, { signal });
  const { bytes, loss } = await halve(kernels, tensor, signal);
  const half = bytesTensor(tensor.name, 'float16', tensor.dims, bytes);
  const after = before ? await kernels.histogram(half, { min: min ?? 0, max: max ?? 0, signal }) : empty;
  return {
    sqnrDb: loss.noise > 0 ? 10 * Math.log10(loss.signal / loss.noise) : null,
    before: before ?? empty,
    after,
    levels: null,
    levelsOf: 'tensor' as const,
    scaled: null,
    clipped: loss.clipped,
    sample: null,
  };
}

const empty: Histogram = { min: 0, max: 0, counts: [] };

/** An answer in which nothing was rounded. */
function nothingOf(site: LayerSite, method: string): Omit<Preview, 'milliseconds'> {
  return {
    layer: site.name,
    method,
    sqnrDb: null,
    bytesBefore: site.bytes,
    bytesAfter: site.bytes,
    bits: site.bits,
    before: empty,
    after: empty,
    levels: null,
    levelsOf: 'tensor',
    scaled: null,
    clipped: 0,
    sample: null,
    estimate: false,
    notes: [],
  };
}

function refusedPreview(site: LayerSite, { card }: Method, refusal: Refusal, milliseconds: number): Preview {
  return { ...nothingOf(site, card.id), refusal, milliseconds };
}
