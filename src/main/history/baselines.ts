// Baselines: the quality of a model as it is, measured once per dataset, limit and machine, and reused by later runs.
import type { Evaluation } from '../../contract/words/quality';
import type { Sql } from './database';

export interface BaselineKey {
  readonly modelSha256: string;
  /** The dataset's fingerprint. */
  readonly fingerprint: string;
  /** Samples looked at; null for all. */
  readonly limit: number | null;
  /** The engine and machine that measured it. */
  readonly build: string;
}

export class Baselines {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  put(key: BaselineKey, evaluation: Evaluation, measuredAt: string): void {
    this.#sql
      .prepare('INSERT OR REPLACE INTO baselines VALUES (?, ?, ?, ?, ?, ?)')
      .run(key.modelSha256, key.fingerprint, key.limit ?? 0, key.build, measuredAt, JSON.stringify(evaluation));
  }

  get(key: BaselineKey): { evaluation: Evaluation; measuredAt: string } | null {
    const row = this.#sql
      .prepare(
        'SELECT evaluation, measured_at FROM baselines WHERE model_sha256 = ? AND fingerprint = ? AND sample_limit = ? AND build = ?',
      )
      .get(key.modelSha256, key.fingerprint, key.limit ?? 0, key.build) as
      | { evaluation: string; measured_at: string }
      | undefined;
    return row ? { evaluation: JSON.parse(row.evaluation), measuredAt: row.measured_at } : null;
  }
}
