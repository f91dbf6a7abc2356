// Statistics of layers, kept under the content they were measured on: a known model's histograms are never computed twice.
import type { Statistics as LayerStatistics } from '../../contract/words/model';
import type { Sql } from './database';

export class Statistics {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  put(key: string, layers: ReadonlyMap<string, LayerStatistics>): void {
    const insert = this.#sql.prepare('INSERT OR REPLACE INTO statistics (key, layer, stats) VALUES (?, ?, ?)');
    this.#sql
      .transaction(() => {
        for (const [layer, stats] of layers) insert.run(key, layer, JSON.stringify(stats));
      })
      .immediate();
  }

  of(key: string): Map<string, LayerStatistics> {
    const rows = this.#sql.prepare('SELECT layer, stats FROM statistics WHERE key = ?').all(key) as {
      layer: string;
      stats: string;
    }[];
    return new Map(rows.map((row) => [row.layer, JSON.parse(row.stats)]));
  }

  /** What was measured before the content's hash was known now belongs to it. */
  rekey(from: string, to: string): void {
    this.#sql
      .transaction(() => {
        this.#sql.prepare('UPDATE OR IGNORE statistics SET key = ? WHERE key = ?').run(to, from);
        this.#sql.prepare('DELETE FROM statistics WHERE key = ?').run(from);
      })
      .immediate();
  }
}
