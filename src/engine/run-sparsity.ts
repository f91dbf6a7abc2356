// How many weights of the written model are zero: of the layers that a step pruned, read back from the artifact.
import { open as openOnnx } from './formats/onnx';
import { elementCount } from './graph/graph';
import { listLayers } from './graph/layers';
import type { Kernels } from './kernels';
import { weightStatistics } from './measure/weights';
import { methods } from './methods';
import type { LayerRecord } from './recipe-steps';

const pruning: ReadonlySet<string> = new Set(
  methods.filter(({ card }) => card.family === 'prune').map(({ card }) => card.id),
);

/** Zeros as a share of the weights, by layer; codes count as the numbers they stand for. */
export async function sparsitiesOf(
  path: string,
  records: ReadonlyMap<string, LayerRecord>,
  kernels: Kernels,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const pruned = [...records].filter(([, record]) => record.methods.some((id) => pruning.has(id)));
  const found = new Map<string, number>();
  if (pruned.length === 0) return found;
  const sites = new Map(listLayers((await openOnnx(path)).model).map((site) => [site.name, site]));
  for (const [name] of pruned) {
    const site = sites.get(name);
    const count = site ? elementCount(site.shape) : 0;
    if (site && count > 0) found.set(name, (await weightStatistics(kernels, site, signal)).zeros / count);
  }
  return found;
}
