// Weight-only quantization: weights in 2, 4 or 8 bits with a scale for each small group; activations stay float.
import { hessiansFor } from './cutting/hessians';
import { hasFloatZeros } from './cutting/order';
import { isSlowBlock } from './cutting/packed';
import { Rewrite } from './cutting/rewrite';
import { keptBeside, Shelf } from './cutting/shelf';
import { weightOnlyCard as card } from './cutting/weight-only-card';
import { isGptq, isTiedToTable, planOf, putPlanned, type WeightPlan } from './cutting/weight-only-plan';
import { movedZeros } from './cutting/zeros';
import type { Method, Params, Target } from './method';

const betweenLevels = 'hqq puts zero between two levels. Round a pruned layer to nearest, by mse or gptq.';

function warningsOf(plan: WeightPlan, op: string, params: Params, tied: boolean): string[] {
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

function fallbackOf({ kind }: WeightPlan, op: string, { rounding }: Params, tied: boolean): string {
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
    const isRoundedByInputs = ({ site, params }: Target): boolean => isGptq(planOf(subject, site, params));
    await using hessians = hessiansFor(subject, targets.filter(isRoundedByInputs), workshop.gathering);
    for (const target of targets) {
      const { site } = target;
      const hessian =
        hessians && isRoundedByInputs(target) ? () => hessians.of(site, () => rewrite.finish()) : undefined;
      const error = await putPlanned({ rewrite, shelf }, subject, target, targets, hessian);
      const plan = planOf(subject, site, target.params);
      const isBetween = plan.kind !== 'refused' && hasFloatZeros(plan.order);
      const moved = isBetween ? await movedZeros(site.tensor, workshop.gathering, betweenLevels) : [];
      yield { layer: site.name, error, notes: [...keptBeside(subject, site, cut), ...moved] };
    }
    return rewrite.finish();
  },
};
