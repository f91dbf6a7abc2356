// How much the loss would change without a channel, to first or second order, from gradients on train samples. Molchanov et al., arXiv 1906.10771.

import type { Model } from '../../graph/graph';
import type { ChannelGroup } from '../../graph/groups/groups';
import type { Trace } from '../../graph/groups/trace';
import { readFloats } from '../../graph/tensor';
import type { Feed } from '../../runtime/session';
import { objectiveOf } from '../../train/objective';
import type { Parameter } from '../../train/optimizer';
import { parametersOf, withStoredWeights } from '../../train/parameters';
import { openProgram, scalarFeed } from '../../train/program';
import { SampleStore } from '../../train/samples';
import type { Subject } from '../method';
import { addAlong, normalised, sumsOf, touches } from './channel-scores';
import type { Gathering } from './gathering';
import { answerOf, labelled, portsOf, taskOf } from './training';

export interface TaylorAsk {
  readonly samples: number;
  readonly kind: 'taylor' | 'taylor-second';
  /** Of the method, for a refusal. */
  readonly title: string;
}

/**
 * Mean over single samples of |Σ w·g| over the weights a unit has in each tensor: at a minimum the mean gradient says nothing, its size does.
 * Of second order |Σ (−w·g + ½·w²·g²)|, squares standing for the curvature.
 */
export async function taylorScores(
  subject: Subject,
  trace: Trace,
  groups: readonly ChannelGroup[],
  ask: TaylorAsk,
  gathering: Gathering,
): Promise<ReadonlyMap<number, number>> {
  const sums = sumsOf(groups);
  const model = withStoredWeights(subject.model);
  const touched = new Set(subject.sites.flatMap(({ weight }) => (touches(trace, weight, sums) ? [weight] : [])));
  const sites = subject.sites.filter(({ weight, graph }) => graph === subject.model.graph && touched.has(weight));
  const parameters = parametersOf(model, sites, subject.sites).filter(({ name }) => touched.has(name));
  const isSecond = ask.kind === 'taylor-second';
  await eachSample(model, parameters, ask, gathering, ({ name, dims }, w, g) => {
    const change = isSecond ? (i: number) => -w[i]! * g[i]! + 0.5 * (w[i]! * g[i]!) ** 2 : (i: number) => w[i]! * g[i]!;
    addAlong(trace, name, dims, sums, change, Math.abs);
  });
  return normalised(groups, sums, false);
}

/** Weights and gradients of the task's loss, sample by sample; a tensor the answers do not depend on has none. */
async function eachSample(
  model: Model,
  parameters: readonly Parameter[],
  { samples, title }: TaylorAsk,
  { training, folder, signal, tell }: Gathering,
  look: (parameter: Parameter, weights: Float32Array, gradient: Float32Array) => void,
): Promise<void> {
  const data = labelled(training, title);
  const part = { ...data.train, samples: Math.min(samples, data.train.samples) };
  const objective = objectiveOf(taskOf(data), answerOf(model.graph));
  const store = await SampleStore.read(data.dataset, part, portsOf(model.graph), { folder, signal });
  try {
    const draw = store.reader(1);
    const asked = { model, objective, parameters: parameters.map(({ name }) => name), folder };
    const program = await openProgram(asked, 'train', (await draw([0])).feeds);
    try {
      const fed: Record<string, Feed> = {};
      const outputs: Record<string, Feed> = { [program.loss]: scalarFeed() };
      const looks: (() => void)[] = [];
      for (const parameter of parameters) {
        const { name, dims, count } = parameter;
        const weights = await readFloats(model.graph.initializers.get(name)!);
        fed[name] = { dtype: 'float32', dims, data: weights };
        const output = program.gradients.get(name);
        if (!output) continue;
        const gradient = new Float32Array(count);
        outputs[output] = { dtype: 'float32', dims, data: gradient };
        looks.push(() => look(parameter, weights, gradient));
      }
      // Nothing is dropped: the loss is that of the model as it answers.
      for (const { name, dims } of program.masks)
        fed[name] = { dtype: 'float32', dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1) };
      for (let index = 0; index < store.count; index++) {
        signal.throwIfAborted();
        const drawn = await draw([index]);
        await program.run({ ...drawn.feeds, ...(await objective.feeds(drawn)), ...fed }, outputs);
        for (const one of looks) one();
        tell(title, index + 1, store.count);
      }
    } finally {
      await program.close();
    }
  } finally {
    await store.close();
  }
}
