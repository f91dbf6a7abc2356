// Analytic bias correction (Nagel et al., 2019, §4.2): rounding weights by ε shifts an output by ε·E[x] on average; the bias takes it back.
import { elementCount } from '../../graph/graph';
import { type LayerSite, listLayers } from '../../graph/layers';
import { readFloats } from '../../graph/tensor';
import { consumers } from '../../graph/walk';
import { momentsOf } from '../../measure/moments';
import type { InputMoments } from '../../measure/moments-values';
import type { Subject, Target } from '../method';
import { everyRun, viewOf } from './equalization';
import type { Gathering } from './gathering';
import { requestOf } from './order';
import { planQdq } from './qdq-plan';
import { Rewrite } from './rewrite';
import { uniformOrder } from './uniform';
import type { Workshop } from './workshop';

/** The subject with the bias of every target corrected, where it has one of its own. E[x] comes from the moments of the float model. */
export async function correctBiases(
  subject: Subject,
  targets: readonly Target[],
  input: (name: string) => InputMoments,
  workshop: Workshop,
): Promise<Subject> {
  const { graph } = subject.model;
  const users = consumers(graph);
  const { products } = planQdq(subject, targets);
  const { gathering } = workshop;
  const moments = gathering ? await momentsOf(graph, subject.shapes, input) : null;
  const rewrite = new Rewrite(subject.model);
  for (const { site, params } of targets) {
    const bias = products.get(site.name)?.bias;
    if (!bias || !graph.initializers.has(bias.tensor.name) || users.get(bias.tensor.name)?.length !== 1) continue;
    const channels = elementCount(bias.tensor.dims);
    const data = await workshop.make(4 * channels, async () => {
      const values = Float64Array.from(await readFloats(bias.tensor));
      const known = moments?.get(site.node.inputs[0]!);
      const axis = site.op === 'Conv' ? 1 : (subject.shapes.get(site.node.inputs[0]!)?.shape?.length ?? 0) - 1;
      if (gathering && known && (known.axis === null || known.axis === axis)) {
        const mean = (i: number): number => known.mean[known.mean.length === 1 ? 0 : i]!;
        const shift = await meanShift(site, params.perChannel === true, mean, gathering);
        for (let i = 0; i < channels; i++) values[i] = values[i]! - shift[i]! / bias.factor;
      }
      return new Uint8Array(Float32Array.from(values).buffer);
    });
    rewrite.place(graph, { ...bias.tensor, data });
  }
  const model = rewrite.finish();
  return { model, shapes: subject.shapes, sites: listLayers(model, subject.shapes) };
}

/** Σ (ŵ − w)·E[x] of each output. */
async function meanShift(
  site: LayerSite,
  perChannel: boolean,
  mean: (input: number) => number,
  gathering: Gathering,
): Promise<Float64Array> {
  const order = uniformOrder(site, perChannel, 'mse');
  const { codes, scales } = await gathering.kernels.quantize(requestOf(order, gathering.signal));
  const weights = await readFloats(site.tensor);
  const view = viewOf(site);
  const shift = new Float64Array(view.rows);
  everyRun(view, (row, input, at) => {
    const step = scales[perChannel ? row : 0]!;
    let error = 0;
    for (let t = 0; t < view.taps; t++) error += ((codes[at + t]! << 24) >> 24) * step - weights[at + t]!;
    shift[row] = shift[row]! + error * mean(input);
  });
  return shift;
}
