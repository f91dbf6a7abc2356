// Changes: tells what became different in the history, whether this host wrote it or another one.
import type { RunLogLine } from '../../contract/words/run';
import type { Sql } from './database';
import type { RunLogs } from './run-logs';

export type Change =
  | { readonly noun: 'run' | 'model'; readonly kind: 'row' | 'removed'; readonly id: string }
  | { readonly noun: 'log'; readonly id: string; readonly line: RunLogLine };

/** How often the file is asked whether another host wrote to it. */
const pollMs = 400;

const tables = { run: 'runs', model: 'models' } as const;

export class Changes {
  readonly #sql: Sql;
  readonly #listeners = new Set<(change: Change) => void>();
  /** id → revision as last told. */
  readonly #told = { run: new Map<string, number>(), model: new Map<string, number>() };
  #logs: RunLogs | null = null;
  #lastLog = 0;
  #version = 0;
  #timer: NodeJS.Timeout | null = null;
  #waiting = false;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Called by whatever writes; everyone is told once the current step of work is over. */
  readonly touch = (): void => {
    if (this.#waiting || this.#listeners.size === 0) return;
    this.#waiting = true;
    setImmediate(() => {
      this.#waiting = false;
      this.#compare();
    });
  };

  subscribe(logs: RunLogs, listener: (change: Change) => void): () => void {
    if (this.#listeners.size === 0) {
      this.#logs = logs;
      this.#lastLog = logs.lastSeq();
      for (const noun of ['run', 'model'] as const) this.#told[noun] = this.#revisions(noun);
      this.#version = this.#dataVersion();
      this.#timer = setInterval(() => this.#poll(), pollMs);
      this.#timer.unref();
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** `data_version` changes exactly when another connection has committed. */
  #poll(): void {
    const version = this.#dataVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.#compare();
  }

  #compare(): void {
    if (this.#listeners.size === 0) return;
    // A run's last lines come before the row that says it is done.
    for (const { seq, runId, line } of this.#logs?.since(this.#lastLog) ?? []) {
      this.#lastLog = seq;
      this.#tell({ noun: 'log', id: runId, line });
    }
    for (const noun of ['run', 'model'] as const) {
      const now = this.#revisions(noun);
      const before = this.#told[noun];
      this.#told[noun] = now;
      for (const [id, revision] of now) if (before.get(id) !== revision) this.#tell({ noun, kind: 'row', id });
      for (const id of before.keys()) if (!now.has(id)) this.#tell({ noun, kind: 'removed', id });
    }
  }

  #tell(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  #revisions(noun: 'run' | 'model'): Map<string, number> {
    const rows = this.#sql.prepare(`SELECT id, revision FROM ${tables[noun]}`).all() as {
      id: string;
      revision: number;
    }[];
    return new Map(rows.map((row) => [row.id, row.revision]));
  }

  #dataVersion(): number {
    return this.#sql.pragma('data_version', { simple: true }) as number;
  }
}
