// Quantization-aware training: the chosen layers go on learning while their weights, and activations, are rounded as the exported model rounds them.
import type { Refusal } from '../../contract/words/refusal';
import type { Model } from '../graph/graph';
import type { LayerSite } from '../graph/layers';
import { whyFrozen } from '../train/trainable';
import { foldBatchNorms } from './cutting/fold';
import { keptNorms } from './cutting/fold-find';
import { onLearnedGrids } from './cutting/learned-workshop';
import { qatCard as card } from './cutting/qat-card';
import { integerRefusal, refuseMixed, saturates } from './cutting/qdq-fit';
import type { ActivationGrid } from './cutting/qdq-grid';
import { planQdq, type QdqPlan } from './cutting/qdq-plan';
import { type IntegerBits, weightOrder } from './cutting/qdq-weight';
import { QdqWriter } from './cutting/qdq-write';
import { activationKind, type RoundedWeight, trainQuantized, withFedWeights } from './cutting/quantized-training';
import { Rewrite } from './cutting/rewrite';
import { keptBeside, Shelf } from './cutting/shelf';
import { settingsOf } from './cutting/training-card';
import { planOf, putPlanned } from './cutting/weight-only-plan';
import type { Workshop } from './cutting/workshop';
import type { LayerCut, Method, Params, Subject, Target } from './method';

const onIntegers = ({ activationBits }: Params): boolean => activationBits === 8;
const bitsOf = ({ weightBits }: Params): IntegerBits => weightBits as IntegerBits;

/** Weight-only's parameters for the same grid. */
function weightOnlyParams({ weightBits, groupSize, kernel }: Params): Params {
  const activations = weightBits === 4 ? kernel! : 'int8';
  return { bits: weightBits!, groupSize: groupSize!, rounding: 'nearest', symmetric: true, activations };
}

const weightTarget = ({ site, params }: Target): Target => ({ site, params: weightOnlyParams(params) });

export const qat: Method = {
  card,

  needs: (params) => (onIntegers(params) ? card.needs : ['weights', 'gradients']),

  learns: (params) => ({ settings: settingsOf(params), needsLabels: true, passes: 3 }),

  samplesOf: (params) => (onIntegers(params) ? Number(params.samples) : 0),

  fits(subject, site, params) {
    return quantizedRefusal(subject, site, params) ?? whyFrozen(subject.model, site);
  },

  warnings(subject, site, params) {
    if (onIntegers(params)) return saturates();
    const { kind } = planOf(subject, site, weightOnlyParams(params));
    return kind === 'stored' ? ['Smaller, not faster here: the runtime unpacks it to float on every run.'] : [];
  },

  async *apply(subject, targets, workshop) {
    const params = targets[0]?.params;
    if (!params) return subject.model;
    refuseMixed(targets, card.id, ['weightBits', 'groupSize', 'perChannel']);
    const chosen = new Set(targets.map(({ site }) => site.name));
    const { subject: folded, folded: joined } = await foldBatchNorms(subject, chosen, workshop);
    const start = await withFedWeights(folded);
    const before = settledTargets(start, targets);
    const plan = onIntegers(params) ? planQdq(start, before) : null;
    const {
      subject: now,
      grids,
      untouched,
    } = await trainQuantized(
      {
        title: card.title,
        subject: start,
        weights: before.map((target) => roundedWeight(start, target, plan)),
        plan,
        settings: settingsOf(params),
        learnsScales: params.scales === 'learned',
        samples: Number(params.samples),
      },
      workshop,
    );
    const rounding = grids ? onLearnedGrids(workshop, grids.weights) : workshop;
    const after = settledTargets(now, targets);
    const kept = keptNorms(start, chosen);
    const notesOf = ({ name, weight }: LayerSite): string[] => [
      ...(joined.has(name) ? ['BatchNormalization is folded into it.'] : []),
      ...kept.filter(({ layer }) => layer === name).map(({ sentence }) => sentence),
      ...(untouched.has(weight) ? ['The answers do not depend on its weights; they are rounded as they are.'] : []),
    ];
    if (!plan) return yield* exportPacked(now, after, rounding, notesOf);
    return yield* exportIntegers(now, after, rounding, notesOf, grids?.activations);
  },
};

type Notes = (site: LayerSite) => string[];

/** As static int8 writes them. `grids` of activations; absent in a forecast. */
async function* exportIntegers(
  subject: Subject,
  targets: readonly Target[],
  workshop: Workshop,
  notesOf: Notes,
  grids: ReadonlyMap<string, ActivationGrid> | undefined,
): AsyncGenerator<LayerCut, Model> {
  const plan = planQdq(subject, targets);
  const writer = new QdqWriter(subject, plan, activationKind, null, workshop, 'nearest', grids);
  await writer.joins();
  for (const { site, params } of targets) {
    const cut = await writer.product(plan.products.get(site.name)!, params.perChannel === true, bitsOf(params));
    yield { ...cut, notes: [...notesOf(site), ...cut.notes] };
  }
  return writer.finish();
}

/** As weight-only writes them. */
async function* exportPacked(
  subject: Subject,
  targets: readonly Target[],
  workshop: Workshop,
  notesOf: Notes,
): AsyncGenerator<LayerCut, Model> {
  const rewrite = new Rewrite(subject.model);
  const shelf = new Shelf(subject, rewrite, workshop);
  const chosen = new Set(targets.map(({ site }) => site.name));
  const cuts = targets.map(weightTarget);
  for (const target of cuts) {
    const { site } = target;
    const error = await putPlanned({ rewrite, shelf }, subject, target, cuts);
    yield { layer: site.name, error, notes: [...notesOf(site), ...keptBeside(subject, site, chosen)] };
  }
  return rewrite.finish();
}

function quantizedRefusal(subject: Subject, site: LayerSite, params: Params): Refusal | null {
  if (onIntegers(params)) return integerRefusal(subject, site, params.perChannel === true, bitsOf(params));
  const plan = planOf(subject, site, weightOnlyParams(params));
  return plan.kind === 'refused' ? plan.refusal : null;
}

/** The targets as the model holds them now. */
function settledTargets({ sites }: Subject, targets: readonly Target[]): Target[] {
  const now = new Map(sites.map((site) => [site.name, site]));
  return targets.map(({ site, params }) => ({ site: now.get(site.name)!, params }));
}

/** What the exporter will order of it. */
function roundedWeight(subject: Subject, { site, params }: Target, plan: QdqPlan | null): RoundedWeight {
  const bits = bitsOf(params);
  if (plan) return { site, bits, order: weightOrder(plan.products.get(site.name)!, params.perChannel === true) };
  const planned = planOf(subject, site, weightOnlyParams(params));
  if (planned.kind === 'refused') throw new Error(`${site.name} fitted before: ${planned.refusal.sentence}`);
  return { site, bits, order: planned.order };
}
