// LoRA: thin matrices beside frozen weights learn from the train split; merged into the weights afterwards, or kept apart.
import type { AdapterSet } from '../../contract/words/adapter';
import type { Refusal } from '../../contract/words/refusal';
import type { TensorData } from '../graph/graph';
import { type LayerSite, listLayers } from '../graph/layers';
import { wallAt } from '../train/trainable';
import { isAmong, isQuantized, sidesOf, type TargetSet } from './cutting/adapted-layers';
import { apart, type Base, merged } from './cutting/adapted-model';
import {
  adapterRandom,
  bytesOf,
  emptyFactors,
  type LearntAdapter,
  trainAdapters,
  trainee,
} from './cutting/adapter-training';
import { nameAdapters, type Scaling } from './cutting/adapters';
import { insteadUse, keepIt, refusal } from './cutting/judge';
import { quantizedStarts } from './cutting/loftq-base';
import { loraCard as card } from './cutting/lora-card';
import { computeType, rightMatrix } from './cutting/matrix';
import { oneSetting } from './cutting/training';
import { settingsOf } from './cutting/training-card';
import { planOf } from './cutting/weight-only-plan';
import type { Workshop } from './cutting/workshop';
import type { Method, Params, Subject, Target } from './method';

/** What LoftQ makes of a layer is what weight-only would, rounded to nearest. */
const basePlan = (subject: Subject, site: LayerSite, { bits, groupSize }: Params) =>
  planOf(subject, site, {
    ...({ bits, groupSize } as Params),
    ...{ rounding: 'nearest', symmetric: true, activations: 'int8', samples: 0 },
  });

const isMerging = (params: Params): boolean => params.merge === true && params.init === 'zero';

function whyNot(subject: Subject, site: LayerSite, params: Params): Refusal | null {
  const sides = sidesOf(site);
  if (!sides)
    return refusal(
      site,
      `Adapters go beside a MatMul, Gemm or MatMulNBits with a plain matrix on the right; this is a ${site.op}.`,
      'Exclude it, or train it with finetune.',
    );
  if (site.scope.length > 0) return refusal(site, 'It stands inside a branch or a loop.', 'Adapt the layers outside.');
  if (!isAmong(site, params.targets as TargetSet))
    return refusal(site, 'Its name is not one of the targets.', 'Choose all linear layers to adapt it as well.');
  if (Number(params.rank) >= Math.min(sides.inputs, sides.outputs))
    return refusal(
      site,
      `An adapter of rank ${params.rank} is no thinner than ${sides.inputs} × ${sides.outputs} weights.`,
      'Lower the rank, or exclude it.',
    );
  const type = computeType(site, subject.shapes);
  if (type !== 'float32')
    return refusal(site, `It computes in ${type ?? 'an unknown type'}, and training in float32.`, keepIt);
  const wall = wallAt(subject.model, site);
  if (wall) return refusal(site, `${wall}, which has no gradient.`, 'Adapt layers behind it, or leave it out.');
  const other = subject.sites.find((one) => one !== site && one.tensor === site.tensor);
  if (other && (isMerging(params) || params.init === 'loftq'))
    return refusal(
      site,
      `${other.name} has the same weights, and would change with it.`,
      'Start at zero and keep the adapters apart, or exclude it.',
    );
  if (params.init !== 'loftq') return null;
  if (isQuantized(site))
    return refusal(
      site,
      'LoftQ chooses codes and adapter together, and its weights are codes already.',
      'Leave out the quantizer before this step, or start at zero.',
    );
  const plan = basePlan(subject, site, params);
  if (plan.kind === 'refused') return plan.refusal;
  return plan.kind === 'matmul'
    ? null
    : refusal(site, 'It cannot be computed on packed weights.', insteadUse('float16'));
}

/** A layer whose adapter cannot become part of its weights without rounding them anew. */
const staysApart = (site: LayerSite): boolean =>
  isQuantized(site) || site.tensor.dtype !== 'float32' || rightMatrix(site) === null;

export const lora: Method = {
  card,

  learns: (params) => ({ settings: settingsOf(params), needsLabels: true, passes: 2 }),

  trains(subject, targets) {
    const params = oneSetting(targets, card.title)!;
    const sites = targets.map(({ site }) => site);
    const set = nameAdapters(subject.model, sites, scalingFrom(params), params.dora === true);
    return trainee(subject.model, sites, set, (one) => {
      const data = (count: number): TensorData => bytesOf(new Float32Array(count));
      const { inputs, outputs, magnitude } = one;
      const length = magnitude ? { magnitude: data(outputs), squares: data(outputs) } : {};
      return { a: data(inputs * set.rank), b: data(set.rank * outputs), ...length };
    });
  },

  fits: whyNot,

  warnings(_, site, params) {
    if (params.init === 'loftq')
      return ['Its adapter belongs beside the codes that LoftQ chooses here, not beside the weights as they were.'];
    if (!isMerging(params) || !staysApart(site)) return [];
    return [
      `Its weights are in ${site.bits} bits, and merging would round them again: the adapters of this step are kept apart.`,
    ];
  },

  async *apply(subject, targets, workshop) {
    const params = oneSetting(targets, card.title);
    if (!params) return subject.model;
    const given = targets.map(({ site }) => site);
    const base =
      params.init === 'loftq' ? await loftqBase(subject, targets, params, workshop) : plainBase(subject, given);
    const set = nameAdapters(base.model, base.sites, scalingFrom(params), params.dora === true);
    const learnt = await learn(base, set, params, workshop);
    const isMerged = isMerging(params) && !given.some(staysApart);
    const made = isMerged ? await merged(base, set, learnt, workshop) : await apart(base, set, learnt, workshop);
    for (const [i, { site }] of targets.entries())
      yield { layer: site.name, error: base.errors?.[i] ?? null, notes: made.notes[i]! };
    return made.model;
  },
};

const scalingFrom = ({ rank, alpha, rankStabilised }: Params): Scaling => ({
  rank: Number(rank),
  alpha: Number(alpha),
  rankStabilised: rankStabilised === true,
});

const plainBase = ({ model }: Subject, sites: readonly LayerSite[]): Base => ({ model, sites });

async function loftqBase(
  subject: Subject,
  targets: readonly Target[],
  params: Params,
  workshop: Workshop,
): Promise<Base> {
  const orders = targets.map(({ site }) => {
    const plan = basePlan(subject, site, params);
    if (plan.kind !== 'matmul') throw new Error(`${site.name} was planned although it does not fit`);
    return { site, order: plan.order };
  });
  const made = await quantizedStarts(subject, orders, scalingFrom(params), workshop);
  const now = new Map(listLayers(made.model).map((site) => [site.name, site]));
  return { ...made, sites: targets.map(({ site }) => now.get(site.name)!) };
}

async function learn(
  { model, sites, starts }: Base,
  set: AdapterSet,
  params: Params,
  { gathering }: Workshop,
): Promise<LearntAdapter[] | null> {
  if (!gathering) return null;
  const begun = starts ?? set.adapters.map((one, i) => emptyFactors(one, set.rank, adapterRandom(gathering.seed, i)));
  const settings = settingsOf(params);
  const asked = { base: model, sites, set, starts: begun, settings, title: card.title, gathering };
  return trainAdapters(asked);
}
