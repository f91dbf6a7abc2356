// Hosts: which processes have this workspace open; sweeps those that are gone and marks their runs as interrupted.
import type { Sql } from './database';
import { newId } from './ids';
import { isAlive, type Owner, thisOwner } from './owner';

interface HostRow extends Owner {
  readonly id: string;
  readonly heartbeat: number;
}

export class Hosts {
  readonly #sql: Sql;
  /** This host's row. */
  readonly here: string = newId();
  /** Paths that hosts which are gone were about to write outside the workspace. */
  readonly abandoned: string[] = [];

  constructor(sql: Sql, kind: string) {
    this.#sql = sql;
    const { pid, started, boot } = thisOwner();
    sql
      .prepare('INSERT INTO hosts (id, kind, pid, started, boot, heartbeat) VALUES (?, ?, ?, ?, ?, ?)')
      .run(this.here, kind, pid, started, boot, Date.now());
  }

  beat(): void {
    this.#sql.prepare('UPDATE hosts SET heartbeat = ? WHERE id = ?').run(Date.now(), this.here);
  }

  /** Takes every host that is gone off the list: its tickets are given up, its unfinished runs are interrupted. */
  sweep(): number {
    const gone = this.#gone();
    if (gone.length === 0) return this.#interrupt(null);
    return this.#sql
      .transaction(() => {
        let interrupted = this.#interrupt(null);
        for (const host of gone) {
          interrupted += this.#interrupt(host);
          this.abandoned.push(...this.#writesOf(host));
          this.#sql.prepare('DELETE FROM hosts WHERE id = ?').run(host.id);
        }
        return interrupted;
      })
      .immediate();
  }

  /** Null: runs whose host left without ending them, because the disk was full. */
  #interrupt(host: HostRow | null): number {
    const runs = this.#sql
      .prepare("SELECT id, state, progress FROM runs WHERE owner IS ? AND state IN ('queued', 'running')")
      .all(host?.id ?? null) as { id: string; state: string; progress: string | null }[];
    const update = this.#sql.prepare(
      "UPDATE runs SET state = 'interrupted', finished_at = ?, error = ?, progress = NULL, revision = revision + 1 WHERE id = ?",
    );
    const at = new Date(host?.heartbeat ?? Date.now());
    for (const run of runs) {
      const stage = run.progress === null ? null : (JSON.parse(run.progress) as { text?: string }).text;
      const during =
        run.state === 'queued' ? 'while this run was waiting' : stage ? `during: ${stage}` : 'during this run';
      const error = {
        code: 'failed',
        sentence: `Lathe ended ${host ? 'after' : 'before'} ${clock(at)}, ${during}. Nothing half-written is in the library.`,
        mend: 'Resume it where it left a checkpoint, or start it again: the same recipe and seed give the same bytes.',
      };
      update.run(at.toISOString(), JSON.stringify(error), run.id);
    }
    return runs.length;
  }

  #writesOf(host: HostRow): string[] {
    const writes = 'SELECT writes FROM tickets WHERE owner = ? AND writes IS NOT NULL';
    return this.#sql.prepare(writes).pluck().all(host.id) as string[];
  }

  /** Says goodbye; called when every job of ours has ended. */
  leave(): void {
    this.#sql.prepare('DELETE FROM hosts WHERE id = ?').run(this.here);
  }

  #all(): HostRow[] {
    return this.#sql.prepare('SELECT * FROM hosts').all() as HostRow[];
  }

  #gone(): HostRow[] {
    const now = Date.now();
    return this.#all().filter((host) => host.id !== this.here && !isAlive(host, now));
  }
}

function clock(at: Date): string {
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}
