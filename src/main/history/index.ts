// History: everything a workspace remembers, in one SQLite file that several hosts may have open. The only room that knows SQLite.
import { join } from 'node:path';
import { Baselines } from './baselines';
import { type Change, Changes } from './changes';
import { closeDatabase, openDatabase } from './database';
import { Datasets } from './datasets';
import { Describes } from './describes';
import { Hosts } from './hosts';
import { Models } from './models';
import { RunLogs } from './run-logs';
import { Runs } from './runs';
import { Settings } from './settings';
import { Statistics } from './statistics';
import { Tickets } from './tickets';

/** A host shows that it lives this often, and looks whether others still do. */
const heartbeatMs = 5_000;

export interface History {
  readonly models: Models;
  readonly datasets: Datasets;
  readonly runs: Runs;
  readonly logs: RunLogs;
  readonly statistics: Statistics;
  readonly baselines: Baselines;
  readonly settings: Settings;
  readonly describes: Describes;
  readonly tickets: Tickets;
  readonly hosts: Hosts;
  /** Tells every change of rows and logs, those of other hosts included. Answers what ends it. */
  subscribe(listener: (change: Change) => void): () => void;
  /** Both or neither. */
  together<T>(work: () => T): T;
  close(): void;
}

export function openHistory(workspace: string, kind: string): History {
  const sql = openDatabase(join(workspace, 'history.sqlite'));
  const changes = new Changes(sql);
  const hosts = new Hosts(sql, kind);
  hosts.sweep();
  const heart = setInterval(() => {
    hosts.beat();
    if (hosts.sweep() > 0) changes.touch();
  }, heartbeatMs);
  heart.unref();
  const logs = new RunLogs(sql, changes.touch);
  return {
    models: new Models(sql, changes.touch),
    datasets: new Datasets(sql),
    runs: new Runs(sql, hosts.here, changes.touch),
    logs,
    statistics: new Statistics(sql),
    baselines: new Baselines(sql),
    settings: new Settings(sql),
    describes: new Describes(sql),
    tickets: new Tickets(sql, hosts.here),
    hosts,
    subscribe: (listener) => changes.subscribe(logs, listener),
    together: (work) => sql.transaction(work).immediate(),
    close() {
      clearInterval(heart);
      changes.close();
      hosts.leave();
      closeDatabase(sql);
    },
  };
}

export type { Change } from './changes';
