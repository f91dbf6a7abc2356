// Lanes of the lineage: each model is a root, each of its runs a dot on the lane of its recipe's first method; pure numbers.
import type { RunRow } from '../../../contract/words/run';

export interface LineageRow {
  id: string;
  lane: number;
  /** Lanes that pass through this row from a run above to their root below. */
  through: number[];
  hasArtifact: boolean;
}

export const laneCount = 4;

/** Lanes are by model, so that siblings stand under each other; rows come newest first. */
export function lineage(rows: readonly RunRow[]): LineageRow[] {
  const laneOf = new Map<string, number>();
  for (const row of rows) if (!laneOf.has(row.modelId)) laneOf.set(row.modelId, laneOf.size % laneCount);
  const last = new Map<string, number>();
  const first = new Map<string, number>();
  rows.forEach((row, at) => {
    last.set(row.modelId, at);
    if (!first.has(row.modelId)) first.set(row.modelId, at);
  });
  return rows.map((row, at) => ({
    id: row.id,
    lane: laneOf.get(row.modelId) ?? 0,
    through: [...laneOf]
      .filter(([model]) => (first.get(model) ?? 0) < at && at < (last.get(model) ?? 0) && model !== row.modelId)
      .map(([, lane]) => lane),
    hasArtifact: row.artifactModelId !== null,
  }));
}
