// How weights alone are held in few bits, layer by layer: which operator computes on them, on which grid; or why it cannot.
import type { Refusal } from '../../../contract/words/refusal';
import type { LayerSite } from '../../graph/layers';
import type { Hessian, Rounding } from '../../kernels/kernels';
import type { LayerCut, Params, Subject, Target } from '../method';
import { isInView } from './hessians';
import { dequantizedAlready, insteadUse, keepIt, refusal, unfitType } from './judge';
import { computeType, isSeenAsStored, rightMatrix } from './matrix';
import { bytesNow, type Order, totalBytes } from './order';
import {
  blocksForm,
  type Grid,
  gatherOrder,
  matMulOrder,
  putGatherBlockQuantized,
  putMatMulNBits,
  rowsForm,
} from './packed';
import { hasPatches } from './patches';
import type { Rewrite } from './rewrite';
import type { Shelf } from './shelf';
import { putDequantized, type StoredPlan, storedPlan } from './stored';
import { weightOnlyCard } from './weight-only-card';

/** How a layer will be held: computed on packed, looked up packed, or unpacked on every run. */
export type WeightPlan =
  | { readonly kind: 'matmul'; readonly order: Order }
  | { readonly kind: 'table'; readonly order: Order }
  | { readonly kind: 'stored'; readonly order: Order; readonly stored: StoredPlan }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export const isGptq = (plan: WeightPlan): boolean => plan.kind !== 'refused' && plan.order.rounding === 'gptq';

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
export function isTiedToTable({ sites }: Subject, site: LayerSite): boolean {
  return sites.some((other) => other !== site && other.tensor === site.tensor && other.op === 'Gather');
}

/** Float zero points are had in products alone, inputs not everywhere; where a rounding does not fit, a narrowed range comes closest. */
function roundingOf(params: Params, fits: boolean): Rounding {
  const rounding = params.rounding as Rounding;
  return fits || rounding === 'nearest' ? rounding : 'mse';
}

export function planOf(subject: Subject, site: LayerSite, params: Params): WeightPlan {
  const refused = (refusal: Refusal): WeightPlan => ({ kind: 'refused', refusal });
  const already = dequantizedAlready(site);
  if (already) return refused(already);
  if (!weightOnlyCard.ops.includes(site.op))
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

function formPlan(subject: Subject, site: LayerSite, params: Params, scaleType: Order['scaleType']): WeightPlan {
  if (site.op === 'Gather') {
    const isTable = site.tensor.dims.length === 2 && site.channelAxis === 0 && isSeenAsStored(site);
    const columns = site.tensor.dims.at(-1) ?? 0;
    const refused = (sentence: string): WeightPlan => ({
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

/** Cuts a layer as planned; `hessian`: what its rounding needs, where it does. */
export async function putPlanned(
  { rewrite, shelf }: { readonly rewrite: Rewrite; readonly shelf: Shelf },
  subject: Subject,
  target: Target,
  targets: readonly Target[],
  hessian?: () => Promise<Hessian>,
): Promise<LayerCut['error']> {
  const { site, params } = target;
  const plan = planOf(subject, site, params);
  switch (plan.kind) {
    case 'refused':
      throw new Error(`${site.name} was planned although it does not fit: ${plan.refusal.sentence}`);
    case 'matmul': {
      const shelved = await shelf.quantized(site, plan.order, blocksForm(plan.order), hessian);
      const activations = params.activations as 'int8' | 'float32';
      putMatMulNBits(rewrite, { site, order: plan.order, shelved, activations, type: plan.order.scaleType });
      return shelved.loss;
    }
    case 'table': {
      const shared = headOver(subject, target, targets);
      const order = shared ?? plan.order;
      const shelved = await shelf.quantized(site, order, shared ? blocksForm(order) : rowsForm(order));
      putGatherBlockQuantized(rewrite, site, order, shelved);
      return shelved.loss;
    }
    case 'stored': {
      const shelved = await shelf.quantized(site, plan.order, plan.stored.form, hessian);
      putDequantized(rewrite, site, plan.stored, shelved);
      return shelved.loss;
    }
    default:
      return plan satisfies never;
  }
}

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
