// Run logs: what a run said while it worked, in order.
import type { RunLogLine } from '../../contract/words/run';
import type { Sql } from './database';

interface Row {
  seq: number;
  run_id: string;
  at: string;
  level: RunLogLine['level'];
  text: string;
  layer: string | null;
}

export class RunLogs {
  readonly #sql: Sql;
  readonly #changed: () => void;

  constructor(sql: Sql, changed: () => void) {
    this.#sql = sql;
    this.#changed = changed;
  }

  append(runId: string, lines: readonly RunLogLine[]): void {
    if (lines.length === 0) return;
    const insert = this.#sql.prepare('INSERT INTO run_logs (run_id, at, level, text, layer) VALUES (?, ?, ?, ?, ?)');
    this.#sql
      .transaction(() => {
        for (const line of lines) insert.run(runId, line.at, line.level, line.text, line.layer ?? null);
      })
      .immediate();
    this.#changed();
  }

  of(runId: string): RunLogLine[] {
    const rows = this.#sql.prepare('SELECT * FROM run_logs WHERE run_id = ? ORDER BY seq').all(runId) as Row[];
    return rows.map(toLine);
  }

  lastSeq(): number {
    return (this.#sql.prepare('SELECT max(seq) FROM run_logs').pluck().get() as number | null) ?? 0;
  }

  since(seq: number): { seq: number; runId: string; line: RunLogLine }[] {
    const rows = this.#sql.prepare('SELECT * FROM run_logs WHERE seq > ? ORDER BY seq').all(seq) as Row[];
    return rows.map((row) => ({ seq: row.seq, runId: row.run_id, line: toLine(row) }));
  }
}

function toLine(row: Row): RunLogLine {
  return { at: row.at, level: row.level, text: row.text, ...(row.layer === null ? {} : { layer: row.layer }) };
}
