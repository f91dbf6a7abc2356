// The corridor behind the live preview: one step on one layer. The opened model and the kernels stay warm between calls.
import { statSync } from 'node:fs';
import type { Histogram } from '../contract/words/model';
import type { Preview } from '../contract/words/recipe';
import { type Refusal, refuse } from '../contract/words/refusal';
import type { Tensor } from './graph/graph';
import { type LayerSite, listLayers } from './graph/layers';
import { bytesTensor } from './graph/tensor';
import { type Kernels, openKernels, type QuantizePreview } from './kernels';
import { halve } from './methods/cutting/half';
import { type Order, requestOf } from './methods/cutting/order';
import { elementsOf, hollowWorkshop } from './methods/cutting/workshop';
import type { Method, Params, Subject, Target } from './methods/method';
import { type Opened, openSubject } from './open';
import { methodOf, readRecipe, withDefaults } from './recipe';
import type { Tasks, Work } from './tasks';

let warm: { path: string; opened: Opened } | null = null;
let kernels: Promise<Kernels> | null = null;

/** A dial that is held must be answered within 50 ms: what would take longer is answered from a sample of rows, and says so. */
const budgetMs = 45;
/** Weights a millisecond, as the last preview of a tensor that was warm already went. */
let pace = 400_000;
let lastTensor: Tensor | null = null;

export async function preview(ask: Tasks['preview']['ask'], work: Work): Promise<Tasks['preview']['answer']> {
  const started = performance.now();
  const { steps } = readRecipe({ lathe: 1, steps: [{ method: ask.method, params: ask.params }] });
  const method = methodOf(steps[0]!);
  const params = withDefaults(method.card, ask.params);
  work.emit({ kind: 'doing', what: `layer ${ask.layer}` });
  const { subject } = await warmModel(ask.path);
  const site = subject.sites.find(({ name }) => name === ask.layer);
  if (!site) refuse('not-found', `${ask.path} has no layer ${ask.layer}.`);
  const targets = together(subject, method, site, params);
  const answered = (): number => performance.now() - started;
  if ('code' in targets) return refusedPreview(site, method, targets, answered());

  const orders: (Order | Tensor)[] = [];
  const after = await sizesAfter(subject, method, targets, (order) => orders.push(order), site.name);
  const order = orders.find((one) => ('rows' in one ? one.tensor : one) === site.tensor);
  if (!order) refuse('unsupported', `${ask.layer} keeps its weights under ${ask.method}.`);
  if ('rows' in order && order.rounding === 'gptq') {
    const sentence = `${site.name}: gptq rounds by calibration samples, and a preview has none.`;
    const refusal: Refusal = { code: 'bad-dataset', sentence, mend: 'Start the run; mse needs no samples.' };
    return refusedPreview(site, method, refusal, answered());
  }
  kernels ??= openKernels();
  const common = { layer: site.name, method: method.card.id, bytesBefore: site.bytes, ...after };
  if (!('rows' in order)) {
    const half = await halfPreview(await kernels, order, work.signal);
    return { ...common, ...half, milliseconds: answered() };
  }
  const quick = await quantizePreview(await kernels, order, work.signal);
  const { sqnrDb, before, after: then, levels, scaled, clipped, sample } = quick;
  return {
    ...common,
    sqnrDb,
    before,
    after: then,
    levels: levels.map(({ value, count }) => ({ value, count })),
    levelsOf: 'scale',
    scaled,
    clipped,
    sample,
    milliseconds: answered(),
  };
}

async function quantizePreview(kernels: Kernels, order: Order, signal: AbortSignal): Promise<QuantizePreview> {
  const weights = elementsOf(order);
  const stored = order.order === 'rows' ? order.rows : order.columns;
  const share = (budgetMs * pace) / weights;
  const sampleRows = Math.max(1, Math.floor(stored * share));
  const answer = await kernels.preview({ ...requestOf(order, signal), ...(share < 1 ? { sampleRows } : {}) });
  if (order.tensor === lastTensor) {
    const looked = answer.sample ? (weights * answer.sample.rows) / answer.sample.of : weights;
    pace = looked / Math.max(1, answer.milliseconds);
  }
  lastTensor = order.tensor;
  return answer;
}

/** Closes what stays warm; tests end with it. */
export async function closePreview(): Promise<void> {
  warm = null;
  lastTensor = null;
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

function refusedPreview(site: LayerSite, method: Method, refusal: Refusal, milliseconds: number): Preview {
  return {
    layer: site.name,
    method: method.card.id,
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
    refusal,
    milliseconds,
  };
}
