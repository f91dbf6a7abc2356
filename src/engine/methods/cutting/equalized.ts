// Writes an equalized model: the weights and biases of every joint, rescaled, in the place of the old ones.
import type { Tensor } from '../../graph/graph';
import { type LayerSite, listLayers } from '../../graph/layers';
import type { Subject } from '../method';
import { balanceCluster, besides, type Cluster, clustersOf, rescaled, rescaledBias } from './equalization';
import { type Joint, jointsOf } from './joints';
import { Rewrite } from './rewrite';
import type { Workshop } from './workshop';

export class Equalizer {
  private readonly homes = new Map<LayerSite, Cluster>();
  private readonly scales = new Map<Cluster, Promise<Float64Array[]>>();
  private readonly done = new Set<Tensor>();

  constructor(
    private readonly subject: Subject,
    joints: readonly Joint[],
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
      if (!found) this.scales.set(cluster, (found = balanceCluster(cluster)));
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
): Promise<{ subject: Subject; rescaled: ReadonlySet<string> }> {
  const joints = jointsOf(subject).list.filter(({ makers, readers }) =>
    [...makers, ...readers.map(({ site }) => site)].every(({ name }) => chosen.has(name)),
  );
  if (joints.length === 0) return { subject, rescaled: new Set() };
  const rewrite = new Rewrite(subject.model);
  const equalizer = new Equalizer(subject, joints);
  for (const site of subject.sites) await equalizer.put(rewrite, site, workshop);
  const model = rewrite.finish();
  return {
    subject: { model, shapes: subject.shapes, sites: listLayers(model, subject.shapes) },
    rescaled: new Set(subject.sites.filter((site) => equalizer.makes(site)).map(({ name }) => name)),
  };
}
