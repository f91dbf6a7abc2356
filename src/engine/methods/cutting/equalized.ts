// Writes an equalized model: the weights and biases of every joint, rescaled, in the place of the old ones.
import type { Tensor } from '../../graph/graph';
import { type LayerSite, listLayers } from '../../graph/layers';
import { readFloats } from '../../graph/tensor';
import { gainsOf } from '../../measure/gains';
import { momentsOf } from '../../measure/moments';
import { inputKinds } from '../../measure/moments-input';
import type { Subject } from '../method';
import { balanceCluster, besides, type Cluster, clustersOf, rescaled, rescaledBias } from './equalization';
import { type Joint, jointsOf } from './joints';
import { type Felt, leastNoise } from './least-noise';
import { Rewrite } from './rewrite';
import type { Workshop } from './workshop';

/** Equal ranges on both sides of every joint, or from there to the least noise that one grid a tensor makes at the outputs. */
export type Criterion = 'ranges' | 'noise';

/** A model's inputs as most are prepared: only the noise of the first layer hangs on it. */
const usualInput = inputKinds[0]!.moments;

/** What is known without data about what goes into a layer, and about how its errors are felt. */
async function feltIn({ model, shapes }: Subject): Promise<(site: LayerSite) => Felt | null> {
  const moments = await momentsOf(model.graph, shapes, usualInput);
  const gains = await gainsOf(model.graph, shapes);
  return (site) => {
    const [from, to] = [site.node.inputs[0]!, site.node.outputs[0]!];
    const [input, gain] = [moments.get(from), gains.get(to)];
    const [before, behind] = [shapes.get(from)?.shape, shapes.get(to)?.shape];
    if (!input || !gain || !before || !behind) return null;
    const isConv = site.op === 'Conv';
    const places = behind.slice(2).reduce<number>((all, dim) => all * (typeof dim === 'number' ? dim : 1), 1);
    return {
      input,
      gains: gain,
      places: isConv ? places : 1,
      inputAxis: isConv ? 1 : before.length - 1,
      outputAxis: isConv ? 1 : behind.length - 1,
    };
  };
}

export class Equalizer {
  private readonly homes = new Map<LayerSite, Cluster>();
  private readonly scales = new Map<Cluster, Promise<Float64Array[]>>();
  private readonly done = new Set<Tensor>();

  private felt: Promise<(site: LayerSite) => Felt | null> | null = null;

  constructor(
    private readonly subject: Subject,
    joints: readonly Joint[],
    private readonly criterion: Criterion,
  ) {
    for (const cluster of clustersOf(joints)) for (const layer of cluster.layers) this.homes.set(layer, cluster);
  }

  /** False where the layer's joints were given up because too many weights hang together. */
  takes(site: LayerSite): boolean {
    return this.homes.has(site);
  }

  /** True where its output channels are rescaled. */
  makes(site: LayerSite): boolean {
    const cluster = this.homes.get(site);
    return cluster !== undefined && besides(cluster, site).behind >= 0;
  }

  /** Puts the layer's new weights, and the biases that go with its outputs, where the old ones are. */
  async put(rewrite: Rewrite, site: LayerSite, workshop: Workshop): Promise<void> {
    const cluster = this.homes.get(site);
    if (!cluster) return;
    const scales = (): Promise<Float64Array[]> => {
      let found = this.scales.get(cluster);
      if (!found) this.scales.set(cluster, (found = this.settle(cluster)));
      return found;
    };
    const { before, behind } = besides(cluster, site);
    const joint = cluster.joints[before];
    await this.replace(rewrite, workshop, site.tensor, site.weight, async () => {
      const all = await scales();
      return rescaled(site, joint ? { joint, scales: all[before]! } : null, all[behind] ?? null);
    });
    for (const bias of cluster.joints[behind]?.biases ?? []) {
      if (this.done.has(bias)) continue;
      this.done.add(bias);
      await this.replace(rewrite, workshop, bias, bias.name, async () => rescaledBias(bias, (await scales())[behind]!));
    }
  }

  private async settle(cluster: Cluster): Promise<Float64Array[]> {
    const ranges = await balanceCluster(cluster);
    if (this.criterion === 'ranges') return ranges;
    this.felt ??= feltIn(this.subject);
    return leastNoise(cluster, ranges, await this.felt, (site) => readFloats(site.tensor));
  }

  private async replace(
    rewrite: Rewrite,
    workshop: Workshop,
    tensor: Tensor,
    name: string,
    compute: () => Promise<Float32Array>,
  ): Promise<void> {
    const data = await workshop.make(
      tensor.dims.reduce((a, b) => a * b, 4),
      async () => {
        const values = await compute();
        return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      },
    );
    rewrite.place(this.subject.model.graph, { name, dtype: tensor.dtype, dims: tensor.dims, data });
  }
}

/** The subject with every joint equalized whose layers are all chosen; the same subject where there is none. `rescaled`: layers whose outputs were. */
export async function equalizedSubject(
  subject: Subject,
  chosen: ReadonlySet<string>,
  workshop: Workshop,
  criterion: Criterion,
): Promise<{ subject: Subject; rescaled: ReadonlySet<string> }> {
  const joints = jointsOf(subject).list.filter(({ makers, readers }) =>
    [...makers, ...readers.map(({ site }) => site)].every(({ name }) => chosen.has(name)),
  );
  if (joints.length === 0) return { subject, rescaled: new Set() };
  const rewrite = new Rewrite(subject.model);
  const equalizer = new Equalizer(subject, joints, criterion);
  for (const site of subject.sites) await equalizer.put(rewrite, site, workshop);
  const model = rewrite.finish();
  return {
    subject: { model, shapes: subject.shapes, sites: listLayers(model, subject.shapes) },
    rescaled: new Set(subject.sites.filter((site) => equalizer.makes(site)).map(({ name }) => name)),
  };
}
