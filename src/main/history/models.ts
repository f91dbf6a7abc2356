// Models: what was opened, from where, and what it was found to contain.
import type { FileEntry, Layer, LibraryModel } from '../../contract/words/model';
import type { Sql } from './database';
import { isPrefix, theOne } from './ids';

/** A file as it was when it was opened; `header` is the hash of its first bytes. */
export interface KnownFile {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly header: string;
}

/** `summary.path` is where the user found it; `path` is the real path that recognises it. */
export interface ModelRecord {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly origin: LibraryModel['origin'];
  readonly runId: string | null;
  readonly openedAt: string;
  /** Hash over the files' paths, sizes, times and headers. */
  readonly header: string;
  readonly sha256: string | null;
  readonly summary: LibraryModel['summary'];
  readonly layers: readonly Layer[];
  readonly operators: LibraryModel['operators'];
  readonly notes: readonly string[];
  readonly files: readonly KnownFile[];
  /** Every file with its own hash, relative to the model's folder; null until hashed. */
  readonly entries: readonly FileEntry[] | null;
}

interface Row {
  id: string;
  path: string;
  name: string;
  origin: LibraryModel['origin'];
  run_id: string | null;
  opened_at: string;
  header: string;
  sha256: string | null;
  summary: string;
  layers: string;
  operators: string;
  notes: string;
  files: string;
  entries: string | null;
}

export class Models {
  readonly #sql: Sql;
  readonly #changed: () => void;

  constructor(sql: Sql, changed: () => void) {
    this.#sql = sql;
    this.#changed = changed;
  }

  insert(model: ModelRecord): void {
    this.#sql
      .prepare(
        `INSERT INTO models (id, path, name, origin, run_id, opened_at, header, sha256, summary, layers, operators, notes, files, entries)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        model.id,
        model.path,
        model.name,
        model.origin,
        model.runId,
        model.openedAt,
        model.header,
        model.sha256,
        JSON.stringify(model.summary),
        JSON.stringify(model.layers),
        JSON.stringify(model.operators),
        JSON.stringify(model.notes),
        JSON.stringify(model.files),
        model.entries === null ? null : JSON.stringify(model.entries),
      );
    this.#changed();
  }

  /** Its content is known from now on. */
  setIdentity(id: string, sha256: string, entries: readonly FileEntry[]): void {
    this.#sql
      .prepare('UPDATE models SET sha256 = ?, entries = ?, revision = revision + 1 WHERE id = ?')
      .run(sha256, JSON.stringify(entries), id);
    this.#changed();
  }

  /** Its files were seen again with the same content and other times. */
  setFiles(id: string, header: string, files: readonly KnownFile[]): void {
    this.#sql
      .prepare('UPDATE models SET header = ?, files = ?, revision = revision + 1 WHERE id = ?')
      .run(header, JSON.stringify(files), id);
    this.#changed();
  }

  setOpenedAt(id: string, openedAt: string): void {
    this.#sql.prepare('UPDATE models SET opened_at = ?, revision = revision + 1 WHERE id = ?').run(openedAt, id);
    this.#changed();
  }

  get(id: string): ModelRecord | null {
    const row = this.#sql.prepare('SELECT * FROM models WHERE id = ?').get(id) as Row | undefined;
    return row ? toRecord(row) : null;
  }

  /** By a real path, newest first: the same path may have held different content. */
  atPath(path: string): ModelRecord[] {
    return this.#many('WHERE path = ? ORDER BY opened_at DESC, rowid DESC', path);
  }

  bySha256(sha256: string): ModelRecord[] {
    return this.#many('WHERE sha256 = ? ORDER BY opened_at DESC, rowid DESC', sha256);
  }

  /** By the beginning of an id, of the id of the run that made it, or of a SHA-256 (then the newest with that content). */
  byPrefix(prefix: string): ModelRecord | null {
    if (!isPrefix(prefix)) return null;
    const named = this.#many(
      'WHERE id GLOB ? OR id IN (SELECT artifact_model_id FROM runs WHERE id GLOB ?) ORDER BY opened_at DESC',
      `${prefix}*`,
      `${prefix}*`,
    );
    if (named.length > 0) return theOne(prefix, named, 'model');
    const alike = this.#many('WHERE sha256 GLOB ? ORDER BY opened_at DESC, rowid DESC', `${prefix}*`);
    return theOne(prefix, [...new Map(alike.reverse().map((model) => [model.sha256, model])).values()], 'model');
  }

  list(): ModelRecord[] {
    return this.#many('ORDER BY opened_at DESC, rowid DESC');
  }

  remove(id: string): void {
    this.#sql.prepare('DELETE FROM models WHERE id = ?').run(id);
    this.#changed();
  }

  #many(where: string, ...values: string[]): ModelRecord[] {
    return (this.#sql.prepare(`SELECT * FROM models ${where}`).all(...values) as Row[]).map(toRecord);
  }
}

function toRecord(row: Row): ModelRecord {
  return {
    id: row.id,
    path: row.path,
    name: row.name,
    origin: row.origin,
    runId: row.run_id,
    openedAt: row.opened_at,
    header: row.header,
    sha256: row.sha256,
    summary: { ...JSON.parse(row.summary), sha256: row.sha256 },
    layers: JSON.parse(row.layers),
    operators: JSON.parse(row.operators),
    notes: JSON.parse(row.notes),
    files: JSON.parse(row.files),
    entries: row.entries === null ? null : JSON.parse(row.entries),
  };
}
