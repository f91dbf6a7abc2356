// Datasets: what was opened, and the fingerprint that says whether it is still the same.
import type { InputSpec, LibraryDataset } from '../../contract/words/dataset';
import type { Sql } from './database';
import { isPrefix, theOne } from './ids';
import type { KnownFile } from './models';

export interface DatasetRecord {
  readonly id: string;
  readonly path: string;
  readonly preset: Record<string, InputSpec> | null;
  readonly origin: LibraryDataset['origin'];
  readonly openedAt: string;
  readonly fingerprint: string;
  readonly summary: LibraryDataset['summary'];
  readonly files: readonly Omit<KnownFile, 'header'>[];
}

interface Row {
  id: string;
  path: string;
  preset: string;
  origin: LibraryDataset['origin'];
  opened_at: string;
  fingerprint: string;
  summary: string;
  files: string;
}

export class Datasets {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The same path and preset keep their id. */
  put(dataset: DatasetRecord): void {
    this.#sql
      .prepare(
        `INSERT INTO datasets (id, path, preset, origin, opened_at, fingerprint, summary, files) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (path, preset) DO UPDATE SET origin = excluded.origin, opened_at = excluded.opened_at,
           fingerprint = excluded.fingerprint, summary = excluded.summary, files = excluded.files`,
      )
      .run(
        dataset.id,
        dataset.path,
        presetKey(dataset.preset),
        dataset.origin,
        dataset.openedAt,
        dataset.fingerprint,
        JSON.stringify(dataset.summary),
        JSON.stringify(dataset.files),
      );
  }

  at(path: string, preset: Record<string, InputSpec> | null): DatasetRecord | null {
    const row = this.#sql
      .prepare('SELECT * FROM datasets WHERE path = ? AND preset = ?')
      .get(path, presetKey(preset)) as Row | undefined;
    return row ? toRecord(row) : null;
  }

  byPrefix(prefix: string): DatasetRecord | null {
    if (!isPrefix(prefix)) return null;
    const rows = this.#sql.prepare('SELECT * FROM datasets WHERE id GLOB ?').all(`${prefix}*`) as Row[];
    return theOne(prefix, rows.map(toRecord), 'dataset');
  }

  list(): DatasetRecord[] {
    const rows = this.#sql.prepare('SELECT * FROM datasets ORDER BY opened_at DESC, rowid DESC').all() as Row[];
    return rows.map(toRecord);
  }

  remove(id: string): void {
    this.#sql.prepare('DELETE FROM datasets WHERE id = ?').run(id);
  }
}

function presetKey(preset: Record<string, InputSpec> | null): string {
  return preset === null ? '' : JSON.stringify(preset);
}

function toRecord(row: Row): DatasetRecord {
  return {
    id: row.id,
    path: row.path,
    preset: row.preset === '' ? null : JSON.parse(row.preset),
    origin: row.origin,
    openedAt: row.opened_at,
    fingerprint: row.fingerprint,
    summary: JSON.parse(row.summary),
    files: JSON.parse(row.files),
  };
}
