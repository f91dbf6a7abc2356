// A layer with what is known of its weights, and the finding over all of them.
import type { Layer, Statistics } from '../../../contract/words/model';

export interface LayerRow extends Layer {
  stats?: Statistics | undefined;
  /** Share of the model's layer bytes, 0…1. */
  share: number;
}

export function layerRows(layers: readonly Layer[], stats: ReadonlyMap<string, Statistics>): LayerRow[] {
  const total = layers.reduce((sum, layer) => sum + layer.bytes, 0) || 1;
  return layers.map((layer) => ({
    ...layer,
    stats: stats.get(layer.name) ?? layer.stats,
    share: layer.bytes / total,
  }));
}

/** Above this kurtosis a few weights stretch the scale for all others. */
export const heavyKurtosis = 13;

export const isHeavy = (row: LayerRow): boolean => (row.stats?.kurtosis ?? 0) > heavyKurtosis;

export interface Finding {
  /** The fewest layers that carry at least two thirds of the bytes. */
  large: { layers: number; share: number };
  /** Layers with heavy tails, heaviest first. */
  heavy: LayerRow[];
  heavyShare: number;
}

const most = 2 / 3;

export function findingOf(rows: readonly LayerRow[]): Finding {
  let layers = 0;
  let share = 0;
  for (const row of [...rows].sort((one, other) => other.bytes - one.bytes)) {
    if (share >= most) break;
    layers++;
    share += row.share;
  }
  const heavy = rows.filter(isHeavy).sort((one, other) => (other.stats?.kurtosis ?? 0) - (one.stats?.kurtosis ?? 0));
  return { large: { layers, share }, heavy, heavyShare: heavy.reduce((sum, row) => sum + row.share, 0) };
}
