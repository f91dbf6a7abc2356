// Describes: what an engine build said about its methods and devices, so that a host starts without an engine.
import type { Sql } from './database';

export class Describes {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(build: string): unknown {
    const text = this.#sql.prepare('SELECT answer FROM describes WHERE build = ?').pluck().get(build);
    return text === undefined ? null : JSON.parse(text as string);
  }

  put(build: string, answer: unknown): void {
    this.#sql
      .prepare('INSERT OR REPLACE INTO describes (build, answer) VALUES (?, ?)')
      .run(build, JSON.stringify(answer));
  }
}
