// Lanes of the lineage: a branch is what was made of one parent by one method; it runs down to its parent's row. Pure numbers.
import type { Entry } from './entries';

export interface LineageRow {
  /** Where this row's own mark stands. */
  lane: number;
  /** A run with an artifact, one without, a model. */
  mark: 'dot' | 'ring' | 'square';
  /** Pieces of lines in this row. */
  lines: { lane: number; piece: 'whole' | 'upper' | 'lower' }[];
  /** Lanes that bend into this row's mark from above. */
  joins: number[];
}

export const laneCount = 5;

interface Branch {
  parent: number;
  /** Row of the newest and of the oldest member. */
  top: number;
  bottom: number;
  lane: number;
}

const methodOf = (entry: Entry): string =>
  entry.kind === 'run' ? (entry.row.recipe.steps[0]?.method ?? entry.row.kind) : '';

/** Entries newest first, every parent below its children. */
export function lineage(entries: readonly Entry[]): LineageRow[] {
  const rowOf = new Map(entries.map((entry, at) => [entry.id, at]));
  const branches = new Map<string, Branch>();
  const branchOf = entries.map((entry, at) => {
    const parent = entry.parent === null ? undefined : rowOf.get(entry.parent);
    if (entry.kind === 'model' || parent === undefined) return null;
    const key = `${parent}:${methodOf(entry)}`;
    const branch = branches.get(key) ?? { parent, top: at, bottom: at, lane: 0 };
    branch.bottom = at;
    branches.set(key, branch);
    return branch;
  });
  assignLanes([...branches.values()]);

  const rows = entries.map((entry, at): LineageRow => {
    const own = branchOf[at];
    const beneath = [...branches.values()].filter((branch) => branch.parent === at);
    // A parent stands under its leftmost branch; a run stands in its own.
    const lane = own ? own.lane : beneath.length > 0 ? Math.min(...beneath.map((branch) => branch.lane)) : 0;
    const mark = entry.kind === 'model' ? 'square' : entry.row.artifactModelId === null ? 'ring' : 'dot';
    return { lane, mark, lines: [], joins: [] };
  });
  for (const { parent, top, lane } of branches.values()) {
    rows[top]?.lines.push({ lane, piece: 'lower' });
    for (let at = top + 1; at < parent; at++) rows[at]?.lines.push({ lane, piece: 'whole' });
    const end = rows[parent];
    if (!end) continue;
    if (end.lane === lane) end.lines.push({ lane, piece: 'upper' });
    else end.joins.push(lane);
  }
  return rows;
}

/** The lowest lane that is free all the way down to the parent; the oldest branch of a parent first, so that it runs straight. */
function assignLanes(branches: readonly Branch[]): void {
  const placed: Branch[] = [];
  for (const branch of [...branches].sort((a, b) => b.parent - a.parent || b.bottom - a.bottom)) {
    const busy = new Set(
      placed.filter((other) => other.top <= branch.parent && branch.top <= other.parent).map((other) => other.lane),
    );
    let lane = 0;
    while (busy.has(lane)) lane++;
    // More branches than lanes share the last one.
    branch.lane = Math.min(lane, laneCount - 1);
    placed.push(branch);
  }
}
