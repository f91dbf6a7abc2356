// What History lists: runs, newest first, and under the oldest run of each model the model they come from.
import type { LibraryModel } from '../../../contract/words/model';
import type { Evaluation } from '../../../contract/words/quality';
import type { RunRow } from '../../../contract/words/run';

export type Entry =
  | { kind: 'run'; id: string; parent: string | null; row: RunRow }
  | { kind: 'model'; id: string; parent: null; model: LibraryModel; evaluation: Evaluation | null };

/** Runs made from an artifact hang on the run that made it; all others on their model. */
export function entriesOf(
  rows: readonly RunRow[],
  models: ReadonlyMap<string, LibraryModel>,
  every: readonly RunRow[] = rows,
): Entry[] {
  const maker = new Map(every.flatMap((row) => (row.artifactModelId ? [[row.artifactModelId, row.id] as const] : [])));
  const listed = new Set(rows.map((row) => row.id));
  const parentOf = (row: RunRow): string | null => {
    const made = maker.get(row.modelId);
    if (made && made !== row.id && listed.has(made)) return made;
    return models.has(row.modelId) ? row.modelId : null;
  };
  const oldest = new Map<string, number>();
  const parents = rows.map(parentOf);
  for (const [at, parent] of parents.entries()) if (parent && models.has(parent)) oldest.set(parent, at);
  const entries: Entry[] = [];
  for (const [at, row] of rows.entries()) {
    const parent = parents[at] ?? null;
    entries.push({ kind: 'run', id: row.id, parent, row });
    const model = parent && oldest.get(parent) === at ? models.get(parent) : undefined;
    if (model) entries.push({ kind: 'model', id: model.id, parent: null, model, evaluation: measuredBy(model, every) });
  }
  return entries;
}

/** A model is measured by an evaluation of it, or by any run of it that measured its parent on the way. */
function measuredBy(model: LibraryModel, rows: readonly RunRow[]): Evaluation | null {
  const row = rows.find((each) => each.modelId === model.id && each.document?.baseline);
  return row?.document?.baseline ?? null;
}

/** Everything this entry comes from, and everything that came of it. */
export function kinOf(entries: readonly Entry[], id: string | null): ReadonlySet<string> {
  if (id === null) return new Set();
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const kin = new Set<string>();
  for (let at = byId.get(id); at && !kin.has(at.id); at = at.parent === null ? undefined : byId.get(at.parent))
    kin.add(at.id);
  // Entries stand above what they come from, so one pass from below finds every child.
  const children = new Set([id]);
  for (const entry of [...entries].reverse())
    if (entry.parent !== null && children.has(entry.parent)) children.add(entry.id);
  return new Set([...kin, ...children]);
}
