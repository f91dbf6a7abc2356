// Opens the workspace's one SQLite file so that a commit that returned survives a power cut, and brings it to today's schema.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { refuse } from '../../contract/words/refusal';
import { migrations } from './migrations';

export type Sql = Database.Database;

/** Several hosts may have the file open at once: WAL readers never wait, writers wait for each other up to `busyTimeoutMs`. */
const busyTimeoutMs = 10_000;

export function openDatabase(file: string): Sql {
  mkdirSync(dirname(file), { recursive: true });
  const existed = existsSync(file);
  const sql = new Database(file, { timeout: busyTimeoutMs });
  try {
    if (existed) checkSoundness(sql, file);
    sql.pragma('journal_mode = WAL');
    // FULL syncs the log at every commit: without it the last commits may be lost with the power.
    sql.pragma('synchronous = FULL');
    if (process.platform === 'darwin') sql.pragma('fullfsync = 1');
    sql.pragma('foreign_keys = ON');
    migrate(sql);
  } catch (error) {
    sql.close();
    throw error;
  }
  return sql;
}

export function closeDatabase(sql: Sql): void {
  // Another host may be reading: then the log simply stays for whoever closes last.
  sql.pragma('wal_checkpoint(TRUNCATE)');
  sql.close();
}

function checkSoundness(sql: Sql, file: string): void {
  let answer: unknown;
  try {
    answer = sql.pragma('quick_check(1)', { simple: true });
  } catch (error) {
    answer = error instanceof Error ? error.message : error;
  }
  if (answer !== 'ok') {
    refuse(
      'failed',
      `The history at ${file} is damaged (${String(answer)}).`,
      'Move that file away to begin a new history; models and artifacts stay where they are.',
    );
  }
}

/** Numbered steps, each in its own transaction; `user_version` is the number of the last one that holds. */
export function migrate(sql: Sql, steps: readonly string[] = migrations): void {
  const version = () => sql.pragma('user_version', { simple: true }) as number;
  if (version() > steps.length) {
    refuse(
      'unsupported',
      `This workspace was written by a newer Lathe (its history has version ${version()}, this Lathe knows ${steps.length}).`,
      'Update Lathe, or use another workspace.',
    );
  }
  // `immediate` takes the write lock first, so that of two hosts opening at once one migrates and the other finds it done.
  const step = sql.transaction((number: number) => {
    if (version() >= number) return;
    sql.exec(steps[number - 1]!);
    sql.pragma(`user_version = ${number}`);
  });
  for (let number = version() + 1; number <= steps.length; number++) step.immediate(number);
}
