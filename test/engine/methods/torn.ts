// What equalization is tried with: channels torn apart without changing the function, and how far apart they are.
import { withInitializers } from '../../../src/engine/graph/edit';
import type { Model, Tensor } from '../../../src/engine/graph/graph';
import type { LayerSite } from '../../../src/engine/graph/layers';
import { floatTensor, readFloats } from '../../../src/engine/graph/tensor';
import type { Kernels } from '../../../src/engine/kernels';
import { channelsOf, everyRun, viewOf } from '../../../src/engine/methods/cutting/equalization';
import { type Joint, jointsOf } from '../../../src/engine/methods/cutting/joints';
import { subjectOf } from '../../../src/engine/recipe-steps';
import type { Feeds } from '../../../src/engine/runtime/session';
import { randomNumbers } from '../models';
import { withCut } from './bench';
import { answers, held } from './fake';

export const equalizing =
  (kernels: Kernels) =>
  (given: Model, criterion: 'ranges' | 'noise' = 'ranges'): Promise<Model> =>
    withCut(kernels, given, [{ method: 'equalize', params: { criterion } }], ({ taken }) => held(taken.subject.model));

/** The largest weight of each channel on either side of a joint. */
async function ranges(joint: Joint): Promise<{ made: Float64Array; read: Float64Array }> {
  const made = new Float64Array(joint.channels);
  const read = new Float64Array(joint.channels);
  const widest = (weights: Float32Array, at: number, taps: number): number =>
    Math.max(...weights.subarray(at, at + taps).map(Math.abs));
  for (const site of joint.makers) {
    const [weights, view] = [await readFloats(site.tensor), viewOf(site)];
    everyRun(view, (row, _, at) => {
      made[row] = Math.max(made[row]!, widest(weights, at, view.taps));
    });
  }
  for (const { site } of joint.readers) {
    const [weights, view] = [await readFloats(site.tensor), viewOf(site)];
    const channel = channelsOf(joint, site);
    everyRun(view, (_, input, at) => {
      read[channel(input)] = Math.max(read[channel(input)]!, widest(weights, at, view.taps));
    });
  }
  return { made, read };
}

/** I6: the largest weight of every output is that of the input it feeds. The largest relative difference. */
export async function apart(of: Model): Promise<number> {
  let most = 0;
  for (const joint of jointsOf(await subjectOf(of)).list) {
    const { made, read } = await ranges(joint);
    for (let i = 0; i < made.length; i++)
      if (made[i]! > 0 && read[i]! > 0) most = Math.max(most, Math.abs(Math.log(made[i]! / read[i]!)));
  }
  return most;
}

/** Channels of every joint multiplied by 2^U(−6, 6) where they are made and divided by it where they are read: the same function. */
export async function distorted(given: Model, seed: number): Promise<Model> {
  const next = randomNumbers(seed);
  const changed = new Map<Tensor, Float32Array>();
  const scale = async (tensor: Tensor, each: (values: Float32Array) => void): Promise<void> => {
    const values = changed.get(tensor) ?? (await readFloats(tensor));
    each(values);
    changed.set(tensor, values);
  };
  for (const joint of jointsOf(await subjectOf(given)).list) {
    const factors = Float64Array.from({ length: joint.channels }, () => 2 ** (12 * next() - 6));
    const runs = (site: LayerSite, factor: (row: number, input: number) => number) =>
      scale(site.tensor, (weights) => {
        const view = viewOf(site);
        everyRun(view, (row, input, at) => {
          for (let t = 0; t < view.taps; t++) weights[at + t] = weights[at + t]! * factor(row, input);
        });
      });
    for (const site of joint.makers) await runs(site, (row) => factors[row]!);
    for (const { site } of joint.readers) {
      const channel = channelsOf(joint, site);
      await runs(site, (_, input) => 1 / factors[channel(input)]!);
    }
    for (const bias of joint.biases)
      await scale(bias, (values) => {
        for (let i = 0; i < values.length; i++) values[i] = values[i]! * factors[i]!;
      });
  }
  const tensors = [...changed].map(([{ name, dims }, values]) => floatTensor(name, dims, values));
  return { ...given, graph: withInitializers(given.graph, tensors) };
}

export async function nearness(is: Model, should: Model, feeds: Feeds): Promise<number> {
  const [a, b] = [await answers(is, feeds), await answers(should, feeds)];
  let most = 0;
  for (const [name, values] of Object.entries(b)) {
    const size = values.reduce((widest, one) => Math.max(widest, Math.abs(one)), 0);
    for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]! - a[name]![i]!) / size);
  }
  return most;
}
