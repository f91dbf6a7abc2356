// What every training method does around the loop: which tensors train, the loop itself, and the new weights put back under their names.
import { refuse } from '../../../contract/words/refusal';
import type { TrainingRecord } from '../../../contract/words/training';
import type { InputPort } from '../../data/index';
import { withInitializers } from '../../graph/edit';
import { elementCount, type Graph, type Model, type Tensor, type Value } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { readFloats } from '../../graph/tensor';
import { answerOutput } from '../../measure/answers';
import type { SessionPort } from '../../runtime/session';
import type { TrainSettings } from '../../train/ask';
import { type Trained, train } from '../../train/loop';
import { type Objective, objectiveOf } from '../../train/objective';
import type { Parameter } from '../../train/optimizer';
import { parametersOf, withStoredWeights } from '../../train/parameters';
import type { TrainingData } from '../../train/training-data';
import type { LayerCut, Params, Subject, Target } from '../method';
import type { Gathering } from './gathering';
import type { Workshop } from './workshop';
import { prunedShare } from './zeros';

export interface HowToTrain {
  readonly title: string;
  settings(params: Params): TrainSettings;
  /** Zeros of sparse tensors stay zeros. */
  keepsZeros(params: Params): boolean;
  /** What it makes small; the loss of the task unless told. */
  goal?(asked: GoalAsk): Promise<Goal>;
}

export interface GoalAsk {
  readonly subject: Subject;
  readonly sites: readonly LayerSite[];
  readonly params: Params;
  readonly data: TrainingData;
  readonly gathering: Gathering;
}

export interface Goal {
  readonly objective: Objective;
  /** Train along, and are not part of the model. */
  readonly beside: readonly Tensor[];
  /** Said of every layer. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

/** Trains the targets' parameters and yields every target; the model that comes back differs in initializers alone. */
export async function* trainLayers(
  subject: Subject,
  targets: readonly Target[],
  workshop: Workshop,
  how: HowToTrain,
): AsyncGenerator<LayerCut, Model> {
  const params = oneSetting(targets, how.title);
  if (!params) return subject.model;
  const model = withStoredWeights(subject.model);
  const sites = targets.map(({ site }) => site);
  const parameters = parametersOf(model, sites, subject.sites);
  const { gathering } = workshop;
  const asked = { subject: { ...subject, model }, sites, params };
  const { trained, notes: common } = gathering
    ? await trainOnce(asked, parameters, how, gathering)
    : { trained: null, notes: [] };
  const tensors: Tensor[] = [];
  for (const { name, count } of parameters) {
    const data = await workshop.make(count * 4, async () => bytesOf(trained!.weights.get(name)!));
    tensors.push({ ...model.graph.initializers.get(name)!, data });
  }
  const own = new Set(tensors.map(({ name }) => name));
  for (const [name, values] of trained?.weights ?? []) {
    const before = model.graph.initializers.get(name);
    if (own.has(name) || !before) continue;
    const data = await workshop.make(values.byteLength, async () => bytesOf(values));
    tensors.push({ ...before, data });
  }
  const untouched = new Set(trained?.untouched);
  for (const site of sites) {
    const notes = untouched.has(site.weight)
      ? ['The answers do not depend on its weights; they stay as they are.']
      : [];
    yield { layer: site.name, error: null, notes: [...common, ...notes] };
  }
  return { ...model, graph: withInitializers(model.graph, tensors) };
}

/** Parameters of a training hold for all of its layers; null where there are no layers. */
export function oneSetting(targets: readonly Target[], title: string): Params | null {
  const [first, ...others] = targets;
  if (!first) return null;
  const text = JSON.stringify(first.params);
  if (others.some(({ params }) => JSON.stringify(params) !== text))
    refuse(
      'bad-recipe',
      `${title} has one setting for all of its layers; overrides are not possible.`,
      'Choose the layers with patterns, in several steps where they need several settings.',
    );
  return first.params;
}

async function trainOnce(
  asked: Omit<GoalAsk, 'data' | 'gathering'>,
  parameters: readonly Parameter[],
  how: HowToTrain,
  gathering: Gathering,
): Promise<{ trained: Trained; notes: readonly string[] }> {
  const { params } = asked;
  const data = how.goal ? given(gathering.training) : labelled(gathering.training, how.title);
  const { model } = asked.subject;
  const goal = how.goal ? await how.goal({ ...asked, data, gathering }) : ownGoal(data, model.graph);
  try {
    const beside = goal.beside.map(({ name, dims }) => ({ name, dims, count: elementCount(dims), decays: true }));
    const trained = await train({
      model: { ...model, graph: withInitializers(model.graph, goal.beside) },
      ports: portsOf(model.graph),
      parameters: [...parameters, ...beside],
      objective: goal.objective,
      data,
      settings: how.settings(params),
      seed: gathering.seed,
      folder: gathering.folder,
      signal: gathering.signal,
      held: how.keepsZeros(params) ? await zerosOf(model.graph, parameters) : new Map(),
      stopping: gathering.stopping,
      tell: gathering.tellTraining,
      tellReading: gathering.tell,
      curve: gathering.curve,
    });
    gathering.learnt(recordOf(trained, how.title));
    return { trained, notes: goal.notes };
  } finally {
    await goal.close();
  }
}

function ownGoal(data: TrainingData, graph: Graph): Goal {
  return { objective: objectiveOf(taskOf(data), answerOf(graph)), beside: [], notes: [], close: async () => {} };
}

function given(data: TrainingData | null): TrainingData {
  if (!data) throw new Error('a training was begun without samples');
  return data;
}

/** The samples with their labels, or the refusal where there are none. */
export function labelled(found: TrainingData | null, title: string): TrainingData {
  const data = given(found);
  if (!data.isLabelled)
    refuse(
      'bad-dataset',
      `${title} needs labels, and the train split of ${data.dataset.summary.name} has none.`,
      'Name them in dataset.json: "labels".',
      'splits.train.labels',
    );
  return data;
}

export function taskOf({ task }: TrainingData): Exclude<TrainingData['task'], 'none'> {
  if (task === 'none') throw new Error('a dataset without a task has labels');
  return task;
}

/** What the graph must be fed. */
export function portsOf(graph: Graph): InputPort[] {
  return graph.inputs.filter(({ name }) => !graph.initializers.has(name)).map(portOf);
}

/** The output that a loss is put behind: the first of scores; of language models the logits. */
export function answerOf(graph: Graph): string {
  const named = graph.outputs.find(({ name }) => name === 'logits');
  return (named ?? answerOutput(graph.outputs.map(portOf))).name;
}

function portOf({ name, type }: Value): SessionPort {
  return type?.kind === 'tensor'
    ? { name, dtype: type.dtype, shape: type.shape ?? [] }
    : { name, dtype: null, shape: [] };
}

/** Places of the zeros of every pruned parameter. Biases and whole tensors often begin at zero; those were not pruned. */
export async function zerosOf(graph: Graph, parameters: readonly Parameter[]): Promise<Map<string, Uint32Array>> {
  const found = new Map<string, Uint32Array>();
  for (const { name, count, decays } of parameters) {
    if (!decays) continue;
    const values = await readFloats(graph.initializers.get(name)!);
    let zeros = 0;
    for (const value of values) if (value === 0) zeros++;
    if (zeros <= count * prunedShare || zeros === count) continue;
    const places = new Uint32Array(zeros);
    let at = 0;
    values.forEach((value, i) => {
      if (value === 0) places[at++] = i;
    });
    found.set(name, places);
  }
  return found;
}

export function recordOf(trained: Trained, title: string): TrainingRecord {
  const { curves, steps, plannedSteps, epochs, ending, bestStep, bestLevel, parentLevel, resumedAt } = trained;
  return {
    title,
    curves: curves.map(({ series, points }) => ({ series, points: points.map((point) => [...point]) })),
    steps,
    plannedSteps,
    epochs,
    stoppedEarly: ending === 'early',
    ending,
    bestStep,
    bestLevel,
    parentLevel,
    ...(resumedAt === null ? {} : { resumedAt }),
  };
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
