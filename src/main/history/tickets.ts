// Tickets: whose turn it is at the bench, over all hosts of a workspace. The lowest ticket of a living host holds the bench.
import type { Sql } from './database';

export class Tickets {
  readonly #sql: Sql;
  readonly #owner: string;

  constructor(sql: Sql, owner: string) {
    this.#sql = sql;
    this.#owner = owner;
  }

  /** `writes`: the path outside the workspace that the job is about to write. */
  draw(what: string, writes: string | null = null): number {
    const insert = this.#sql.prepare('INSERT INTO tickets (owner, what, writes) VALUES (?, ?, ?)');
    return Number(insert.run(this.#owner, what, writes).lastInsertRowid);
  }

  /** True when this ticket's turn has come. Tickets of hosts that are gone go with `Hosts.sweep`. */
  first(ticket: number): boolean {
    return this.#sql.prepare('SELECT min(id) FROM tickets').pluck().get() === ticket;
  }

  giveBack(ticket: number): void {
    this.#sql.prepare('DELETE FROM tickets WHERE id = ?').run(ticket);
  }
}
