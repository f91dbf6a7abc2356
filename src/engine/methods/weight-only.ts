// Weight-only quantization: weights in 2, 4 or 8 bits with a scale for each small group; activations stay float.
import type { Refusal } from '../../contract/words/refusal';
import type { LayerSite } from '../graph/layers';
import type { Rounding } from '../kernels/kernels';
import { hessiansFor, isInView } from './cutting/hessians';
import { dequantizedAlready, insteadUse, keepIt, refusal, unfitType } from './cutting/judge';
import { computeType, isSeenAsStored, rightMatrix } from './cutting/matrix';
import { bytesNow, type Order, totalBytes } from './cutting/order';
import {
  blocksForm,
  type Grid,
  gatherOrder,
  isSlowBlock,
  matMulOrder,
  putGatherBlockQuantized,
  putMatMulNBits,
  rowsForm,
} from './cutting/packed';
import { hasPatches } from './cutting/patches';
import { Rewrite } from './cutting/rewrite';
import { keptBeside, Shelf } from './cutting/shelf';
import { putDequantized, type StoredPlan, storedPlan } from './cutting/stored';
import { weightOnlyCard as card } from './cutting/weight-only-card';
import type { LayerCut, Method, Params, Subject, Target } from './method';

/** How a layer will be held: computed on packed, looked up packed, or unpacked on every run. */
type Plan =
  | { readonly kind: 'matmul'; readonly order: Order }
  | { readonly kind: 'table'; readonly order: Order }
  | { readonly kind: 'stored'; readonly order: Order; readonly stored: StoredPlan }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const isGptq = (plan: Plan): boolean => plan.kind !== 'refused' && plan.order.rounding === 'gptq';

/** A group longer than a channel is the channel. */
function gridFor(params: Params, columns: number, rounding: Rounding): Grid {
  const { bits, groupSize, symmetric } = params as unknown as Grid;
  return {
    bits,
    groupSize: columns <= groupSize ? 0 : groupSize,
    symmetric: symmetric && rounding !== 'hqq',
    ...(rounding === 'nearest' ? {} : { rounding }),
  };
}

/** One copy of the weights serves a head and the table of embeddings, rounded as the table can be. */
function isTiedToTable({ sites }: Subject, site: LayerSite): boolean {
  return sites.some((other) => other !== site && other.tensor === site.tensor && other.op === 'Gather');
}

/** Float zero points are had in products alone, inputs not everywhere; where a rounding does not fit, a narrowed range comes closest. */
function roundingOf(params: Params, fits: boolean): Rounding {
  const rounding = params.rounding as Rounding;
  return fits || rounding === 'nearest' ? rounding : 'mse';
}

function planOf(subject: Subject, site: LayerSite, params: Params): Plan {
  const refused = (refusal: Refusal): Plan => ({ kind: 'refused', refusal });
  const already = dequantizedAlready(site);
  if (already) return refused(already);
  if (!card.ops.includes(site.op))
    return refused(refusal(site, `weight-only does not know ${site.op}.`, insteadUse('float16')));
  const type = computeType(site, subject.shapes);
  const unfit = unfitType(site, type);
  if (unfit) return refused(unfit);
  const scaleType = type as Order['scaleType'];
  if (params.activations === 'float32' && params.bits !== 4)
    return refused(
      refusal(
        site,
        `${params.bits} bits have no fast kernel with float32 activations.`,
        'Use int8 activations, or 4 bits.',
      ),
    );
  const plan = formPlan(subject, site, params, scaleType);
  if (plan.kind !== 'refused' && totalBytes(plan.order) >= bytesNow(plan.order)) {
    const [after, before] = [totalBytes(plan.order), bytesNow(plan.order)];
    return refused(refusal(site, `With its scales it would take ${after} bytes, and it takes ${before} now.`, keepIt));
  }
  return plan;
}

function formPlan(subject: Subject, site: LayerSite, params: Params, scaleType: Order['scaleType']): Plan {
  if (site.op === 'Gather') {
    const isTable = site.tensor.dims.length === 2 && site.channelAxis === 0 && isSeenAsStored(site);
    const columns = site.tensor.dims.at(-1) ?? 0;
    const refused = (sentence: string): Plan => ({
      kind: 'refused',
      refusal: refusal(site, sentence, insteadUse('float16')),
    });
    if (!isTable) return refused('The runtime looks up packed weights only along the rows of a two-dimensional table.');
    if ((columns * Number(params.bits)) % 8 !== 0)
      return refused(`A row of ${columns} weights in ${params.bits} bits does not fill whole bytes.`);
    return { kind: 'table', order: gatherOrder(site, gridFor(params, columns, roundingOf(params, false)), scaleType) };
  }
  const matrix = site.op === 'MatMul' || site.op === 'Gemm' ? rightMatrix(site) : null;
  const rank = subject.shapes.get(site.node.inputs[0] ?? '')?.shape?.length;
  if (matrix && rank !== 1) {
    const tied = isTiedToTable(subject, site);
    if (params.rounding === 'hqq' && params.bits === 8 && !tied) {
      const sentence = 'The runtime takes zero points between the levels in 2 and 4 bits only.';
      return { kind: 'refused', refusal: refusal(site, sentence, 'Round to nearest or mse, or choose 4 bits.') };
    }
    const rounding = roundingOf(params, !tied && (params.rounding !== 'gptq' || isInView(subject.model, site)));
    return { kind: 'matmul', order: matMulOrder(site, matrix, gridFor(params, matrix.columns, rounding), scaleType) };
  }
  const rounding = roundingOf(params, params.rounding === 'gptq' && hasPatches(site) && isInView(subject.model, site));
  const { columns } = storedPlan(site, gridFor(params, Infinity, rounding), scaleType).order;
  const stored = storedPlan(site, gridFor(params, columns, rounding), scaleType);
  return { kind: 'stored', order: stored.order, stored };
}

function warningsOf(plan: Plan, op: string, params: Params, tied: boolean): string[] {
  if (plan.kind === 'refused') return [];
  const { columns } = plan.order;
  const warnings: string[] = [];
  if (plan.kind === 'stored') warnings.push('Smaller, not faster here: the runtime unpacks it to float on every run.');
  if (columns < Number(params.groupSize))
    warnings.push(
      `${columns} weights a channel, fewer than a group of ${params.groupSize}: one scale per channel used.`,
    );
  const { rounding = 'nearest' } = plan.order;
  if (rounding !== params.rounding) warnings.push(fallbackOf(plan, op, params, tied));
  if (rounding === 'hqq')
    warnings.push(
      'Zero points between the levels have no fast kernel here: 6 (2 bits) to 20 times (4 bits) slower than without.',
    );
  if (plan.kind === 'matmul' && isSlowBlock(plan.order))
    warnings.push('2 bits in groups of 16 have no fast kernel here: much slower than groups of 32.');
  return warnings;
}

function fallbackOf({ kind }: Plan, op: string, { rounding }: Params, tied: boolean): string {
  const instead = 'mse is used instead.';
  if (tied) return `It shares its weights with a table, which ${rounding} cannot round: ${instead}`;
  if (rounding === 'hqq') return `Only MatMul and Gemm take zero points between the levels: ${instead}`;
  if (kind === 'table') return `A table has no inputs that gptq could make use of: ${instead}`;
  if (op === 'Conv') return `gptq is for convolutions of all channels over one or two axes, in sight: ${instead}`;
  if (kind === 'matmul') return `Its inputs cannot be seen inside a subgraph or behind a transposition: ${instead}`;
  return `gptq is for MatMul, Gemm and Conv: ${instead}`;
}

export const weightOnly: Method = {
  card,

  needs({ rounding }) {
    return rounding === 'gptq' ? ['weights', 'data'] : ['weights'];
  },

  samplesOf: ({ rounding, samples }) => (rounding === 'gptq' ? Number(samples) : 0),

  fits(subject, site, params) {
    const plan = planOf(subject, site, params);
    return plan.kind === 'refused' ? plan.refusal : null;
  },

  warnings(subject, site, params) {
    const tied = site.op !== 'Gather' && isTiedToTable(subject, site);
    return warningsOf(planOf(subject, site, params), site.op, params, tied);
  },

  async *apply(subject, targets, workshop) {
    const rewrite = new Rewrite(subject.model);
    const shelf = new Shelf(subject, rewrite, workshop);
    const cut = new Set(targets.map(({ site }) => site.name));
    const plans = targets.map(({ site, params }) => planOf(subject, site, params));
    const inView = targets.filter((_, i) => isGptq(plans[i]!));
    await using hessians = hessiansFor(subject, inView, workshop.gathering);
    for (const [i, target] of targets.entries()) {
      const { site, params } = target;
      const plan = plans[i]!;
      const notes = keptBeside(subject, site, cut);
      let loss: LayerCut['error'] = null;
      switch (plan.kind) {
        case 'refused':
          throw new Error(`${site.name} was planned although it does not fit: ${plan.refusal.sentence}`);
        case 'matmul': {
          const hessian = hessians && isGptq(plan) ? () => hessians.of(site, () => rewrite.finish()) : undefined;
          const shelved = await shelf.quantized(site, plan.order, blocksForm(plan.order), hessian);
          const activations = params.activations as 'int8' | 'float32';
          putMatMulNBits(rewrite, { site, order: plan.order, shelved, activations, type: plan.order.scaleType });
          loss = shelved.loss;
          break;
        }
        case 'table': {
          const shared = headOver(subject, target, targets);
          const order = shared ?? plan.order;
          const shelved = await shelf.quantized(site, order, shared ? blocksForm(order) : rowsForm(order));
          putGatherBlockQuantized(rewrite, site, order, shelved);
          loss = shelved.loss;
          break;
        }
        case 'stored': {
          const hessian = hessians && isGptq(plan) ? () => hessians.of(site, () => rewrite.finish()) : undefined;
          const shelved = await shelf.quantized(site, plan.order, plan.stored.form, hessian);
          putDequantized(rewrite, site, plan.stored, shelved);
          loss = shelved.loss;
          break;
        }
        default:
          plan satisfies never;
      }
      yield { layer: site.name, error: loss, notes };
    }
    return rewrite.finish();
  },
};

/**
 * The order of a MatMul over the same table (a tied head), where both are cut alike and rows fill whole blocks: one copy of
 * the codes then serves both.
 */
function headOver(subject: Subject, { site, params }: Target, targets: readonly Target[]): Order | null {
  for (const head of targets) {
    if (head.site.tensor !== site.tensor || head.site === site) continue;
    const plan = planOf(subject, head.site, head.params);
    if (plan.kind !== 'matmul' || plan.order.order !== 'rows' || plan.order.layout.kind !== 'blocks') continue;
    const alike = (['bits', 'groupSize', 'symmetric'] as const).every((key) => head.params[key] === params[key]);
    if (alike && plan.order.columns % plan.order.layout.block === 0) return plan.order;
  }
  return null;
}
