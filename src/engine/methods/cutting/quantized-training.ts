// Training through rounding: what is rounded and on which grids, the graph that is trained, and the grids that come out of it.
import { refuse } from '../../../contract/words/refusal';
import { withInitializers } from '../../graph/edit';
import type { Model, Tensor } from '../../graph/graph';
import { type LayerSite, listLayers } from '../../graph/layers';
import { inferShapes } from '../../graph/shapes';
import { observeRanges } from '../../measure/activations';
import type { TrainSettings } from '../../train/ask';
import { type Trained, train } from '../../train/loop';
import { objectiveOf } from '../../train/objective';
import type { Parameter } from '../../train/optimizer';
import { parametersOf, withStoredWeights } from '../../train/parameters';
import type { Subject } from '../method';
import { type FakeActivations, withFakeActivations } from './fake-activations';
import { type FakeScale, FakeWeights } from './fake-weights';
import type { Gathering } from './gathering';
import { gridKey, type LearnedGrid, learnedScale, startGrid } from './learned-grid';
import type { Bits, Order } from './order';
import { type ActivationGrid, activationGrid } from './qdq-grid';
import type { QdqPlan } from './qdq-plan';
import { observedValues } from './qdq-write';
import { answerOf, labelled, portsOf, recordOf, taskOf, zerosOf } from './training';
import type { Workshop } from './workshop';

/** A weight that is rounded while it trains. */
export interface RoundedWeight {
  readonly site: LayerSite;
  readonly order: Order;
  readonly bits: Bits;
}

export interface QuantizedTraining {
  readonly title: string;
  readonly subject: Subject;
  /** In the order of the graph. */
  readonly weights: readonly RoundedWeight[];
  /** Integer products; null where activations stay float. */
  readonly plan: QdqPlan | null;
  readonly settings: TrainSettings;
  /** Scales are trained too. */
  readonly learnsScales: boolean;
  /** Calibration samples for the ranges that activations start with. */
  readonly samples: number;
}

export interface Grids {
  /** By `gridKey`. */
  readonly weights: ReadonlyMap<string, LearnedGrid>;
  /** By value. */
  readonly activations: ReadonlyMap<string, ActivationGrid>;
}

/** What the runtime computes on integers everywhere: int8 is not fused on x64 where a value is used twice. */
export const activationKind = { type: 'uint8', symmetric: false } as const;

/** Every weight can be fed: the subject whose weights stand in Constant nodes has them as initializers. */
export async function withFedWeights(subject: Subject): Promise<Subject> {
  const model = withStoredWeights(subject.model);
  return model === subject.model ? subject : settled(model);
}

async function settled(model: Model): Promise<Subject> {
  const shapes = await inferShapes(model);
  return { model, shapes, sites: listLayers(model, shapes) };
}

/**
 * The subject with trained weights, still float, and the grids they were trained on. Null grids where nothing is computed: sizes do not
 * depend on them.
 */
export async function trainQuantized(
  ask: QuantizedTraining,
  workshop: Workshop,
): Promise<{ readonly subject: Subject; readonly grids: Grids | null; readonly untouched: ReadonlySet<string> }> {
  const { subject, weights } = ask;
  const { model } = subject;
  const parameters = parametersOf(
    model,
    weights.map(({ site }) => site),
    subject.sites,
  );
  const made = workshop.gathering ? await trainFake(ask, parameters, workshop.gathering) : null;
  const tensors: Tensor[] = [];
  for (const { name, count } of parameters) {
    const data = await workshop.make(4 * count, async () => bytesOf(made!.trained.weights.get(name)!));
    tensors.push({ ...model.graph.initializers.get(name)!, data });
  }
  const own = new Set(parameters.map(({ name }) => name));
  for (const [name, values] of made?.trained.weights ?? []) {
    const before = model.graph.initializers.get(name);
    if (own.has(name) || !before) continue;
    tensors.push({ ...before, data: await workshop.make(values.byteLength, async () => bytesOf(values)) });
  }
  return {
    subject: await settled({ ...model, graph: withInitializers(model.graph, tensors) }),
    grids: made?.grids ?? null,
    untouched: new Set(made?.trained.untouched),
  };
}

async function trainFake(
  ask: QuantizedTraining,
  parameters: readonly Parameter[],
  gathering: Gathering,
): Promise<{ trained: Trained; grids: Grids }> {
  const { title, subject, settings } = ask;
  const data = labelled(gathering.training, title);
  const starts = new Map<string, LearnedGrid>();
  for (const { order, bits } of ask.weights) {
    const known = starts.get(gridKey(order));
    if (known && known.bits !== bits)
      refuse(
        'bad-recipe',
        `${order.tensor.name} is used by layers of ${known.bits} and of ${bits} bits, and is one weight.`,
        'Give layers that share a weight the same bits.',
      );
    starts.set(gridKey(order), known ?? (await startGrid(gathering.kernels, order, bits, gathering.signal)));
  }
  const rounded = new FakeWeights(subject.model, ask.learnsScales);
  for (const { site, order } of ask.weights) rounded.put(site, order, starts.get(gridKey(order))!);
  const weightsRounded = rounded.finish();
  const around = ask.plan && (await roundedAround(ask, ask.plan, weightsRounded, rounded, gathering));
  const { model } = around?.fake ?? { model: weightsRounded };
  const scales = [...rounded.scales.values(), ...(around?.fake.scales.values() ?? [])];
  const factors = scales.flatMap(({ factor }) => (factor ? [factor] : []));
  const { graph } = subject.model;
  const trained = await train({
    model,
    ports: portsOf(graph),
    parameters: [...parameters, ...factors],
    objective: objectiveOf(taskOf(data), answerOf(graph)),
    data,
    settings,
    seed: gathering.seed,
    folder: gathering.folder,
    signal: gathering.signal,
    held: await zerosOf(graph, parameters),
    stopping: gathering.stopping,
    tell: gathering.tellTraining,
    tellReading: gathering.tell,
    curve: gathering.curve,
  });
  gathering.learnt(recordOf(trained, title));
  const factorsOf = (scale: FakeScale | undefined): Float32Array | null =>
    (scale?.factor && trained.weights.get(scale.factor.name)) ?? null;
  const orders = new Map(ask.weights.map(({ order }) => [gridKey(order), order]));
  return {
    trained,
    grids: {
      weights: new Map(
        [...starts].map(([key, grid]) => [
          key,
          learnedGrid(grid, factorsOf(rounded.scales.get(key)), orders.get(key)!),
        ]),
      ),
      activations: new Map(
        [...(around?.grids ?? [])].map(([value, grid]) => {
          const [factor = 1] = factorsOf(around!.fake.scales.get(value)) ?? [];
          return [value, { ...grid, scale: learnedScale(grid.scale, factor) }];
        }),
      ),
    },
  };
}

/** Ranges are those of activations behind rounded weights. */
async function roundedAround(
  { weights, samples, learnsScales: learns, title }: QuantizedTraining,
  plan: QdqPlan,
  model: Model,
  rounded: FakeWeights,
  { calibration, folder, signal, tell }: Gathering,
): Promise<{ fake: FakeActivations; grids: ReadonlyMap<string, ActivationGrid> }> {
  if (!calibration) throw new Error('activations were to be quantized without calibration samples');
  const { ranges } = await observeRanges({
    model,
    values: observedValues(plan),
    rule: { kind: 'minmax' },
    calibration,
    samples,
    folder,
    signal,
    onSample: (done, total) => tell(`${title}, sample ${done} of ${total}`, done, total),
  });
  const grids = new Map([...ranges].map(([value, range]) => [value, activationGrid(range, activationKind)]));
  const keys = new Map(weights.map(({ site, order }) => [site, gridKey(order)]));
  const scaleOf = (site: LayerSite): FakeScale => rounded.scales.get(keys.get(site)!)!;
  const fake = withFakeActivations({
    model,
    plan,
    grids,
    learns,
    weightScale: ({ site }) => scaleOf(site).name,
    isPerChannel: ({ site }) => scaleOf(site).count > 1,
  });
  return { fake, grids };
}

/** Factors lie as the graph has them, scales as [N][groups]. */
function learnedGrid(grid: LearnedGrid, factors: Float32Array | null, order: Order): LearnedGrid {
  if (!factors) return grid;
  const { rows } = order;
  const groups = grid.scales.length / rows;
  const factorAt = (i: number): number =>
    factors[order.order === 'rows' ? i : (i % groups) * rows + Math.floor(i / groups)]!;
  return { ...grid, scales: grid.scales.map((scale, i) => learnedScale(scale, factorAt(i))) };
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
