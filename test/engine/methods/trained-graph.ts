// The graph that quantization-aware training trained, with what the training came to: what the exported model must equal.
import type { Model } from '../../../src/engine/graph/graph';
import { withFakeActivations } from '../../../src/engine/methods/cutting/fake-activations';
import { FakeWeights } from '../../../src/engine/methods/cutting/fake-weights';
import { foldBatchNorms } from '../../../src/engine/methods/cutting/fold';
import { gridKey } from '../../../src/engine/methods/cutting/learned-grid';
import { planQdq } from '../../../src/engine/methods/cutting/qdq-plan';
import { weightOrder } from '../../../src/engine/methods/cutting/qdq-weight';
import {
  type RoundedWeight,
  trainQuantized,
  withFedWeights,
} from '../../../src/engine/methods/cutting/quantized-training';
import { settingsOf } from '../../../src/engine/methods/cutting/training-card';
import type { Workshop } from '../../../src/engine/methods/cutting/workshop';
import { chooseLayers, subjectOf } from '../../../src/engine/recipe-steps';

export interface TrainedGraph {
  readonly model: Model;
  readonly first: RoundedWeight;
  /** Of the first weight. */
  readonly scales: Float32Array;
}

/** Takes the steps that `apply` takes, up to the export: in the folder of such a run the training is gone on from its end. */
export async function trainedGraph(given: Model, params: object, workshop: Workshop): Promise<TrainedGraph> {
  const subject = await subjectOf(given);
  const { targets } = chooseLayers(subject, { method: 'qat', params: params as never }, '');
  const own = targets[0]!.params;
  const chosen = new Set(targets.map(({ site }) => site.name));
  const start = await withFedWeights((await foldBatchNorms(subject, chosen, workshop)).subject);
  const settled = (sites: typeof start.sites) =>
    targets.map((one) => ({ ...one, site: sites.find(({ name }) => name === one.site.name)! }));
  const plan = planQdq(start, settled(start.sites));
  const rounded = ({ site, params: of }: (typeof targets)[number]): RoundedWeight => ({
    site,
    bits: of.weightBits as 8,
    order: weightOrder(plan.products.get(site.name)!, of.perChannel === true),
  });
  const { subject: now, grids } = await trainQuantized(
    {
      ...{ title: 'test', subject: start, plan, samples: 128, learnsScales: own.scales === 'learned' },
      weights: settled(start.sites).map(rounded),
      settings: settingsOf(own),
    },
    workshop,
  );
  const weights = new FakeWeights(now.model, false);
  const keys = new Map<string, string>();
  for (const target of settled(now.sites)) {
    const { order } = rounded(target);
    keys.set(target.site.name, gridKey(order));
    weights.put(target.site, order, grids!.weights.get(gridKey(order))!);
  }
  const scaleOf = (layer: string) => weights.scales.get(keys.get(layer)!)!;
  const { model } = withFakeActivations({
    model: weights.finish(),
    plan: planQdq(now, settled(now.sites)),
    grids: grids!.activations,
    weightScale: ({ site }) => scaleOf(site.name).name,
    isPerChannel: ({ site }) => scaleOf(site.name).count > 1,
    learns: false,
  });
  const first = settled(now.sites).map(rounded)[0]!;
  return { model, first, scales: grids!.weights.get(gridKey(first.order))!.scales };
}
