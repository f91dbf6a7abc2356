// Runs: what was asked, what became of it, and who is at it. Only the queue writes here.
import type { Evaluation } from '../../contract/words/quality';
import type { Recipe } from '../../contract/words/recipe';
import type { Refusal } from '../../contract/words/refusal';
import type { Progress, RunDocument, RunRow, RunState } from '../../contract/words/run';
import type { Sql } from './database';
import { isPrefix, theOne } from './ids';

/** What a job was told besides model, recipe, dataset and seed. */
export interface RunAsk {
  readonly limit?: number;
  readonly split?: 'train' | 'validation' | 'calibration' | 'test';
  readonly batch?: number;
  readonly threads?: number;
  /** The model whose answers are compared with. */
  readonly againstId?: string;
  /** The run that this one repeats. */
  readonly replayOf?: string;
  /** The run from whose checkpoint this one goes on. */
  readonly resumes?: string;
}

export interface NewRun {
  readonly id: string;
  readonly kind: RunRow['kind'];
  readonly modelId: string;
  readonly model: string;
  readonly recipe: Recipe;
  readonly datasetId: string | null;
  readonly dataset: string | null;
  readonly seed: number;
  readonly parentId: string | null;
  readonly ask: RunAsk;
}

export interface RunRecord {
  readonly row: RunRow;
  readonly ask: RunAsk;
  readonly evaluation: Evaluation | null;
}

/** How a run ended well. */
export interface RunOutcome {
  readonly document: RunDocument | null;
  readonly evaluation: Evaluation | null;
  readonly artifactModelId: string | null;
  readonly bytes: number | null;
  readonly metric: string | null;
  readonly value: number | null;
}

/** The state machine; anything else is a bug of ours. */
const mayBecome: Record<RunState, readonly RunState[]> = {
  queued: ['running', 'failed', 'cancelled', 'interrupted'],
  running: ['done', 'failed', 'cancelled', 'interrupted'],
  done: [],
  failed: [],
  cancelled: [],
  interrupted: [],
};

interface Row {
  id: string;
  number: number;
  kind: RunRow['kind'];
  state: RunState;
  owner: string | null;
  owner_pid: number | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  model_id: string;
  model: string;
  model_sha256: string | null;
  recipe: string;
  dataset_id: string | null;
  dataset: string | null;
  seed: number;
  parent_id: string | null;
  ask: string;
  bytes: number | null;
  metric: string | null;
  value: number | null;
  artifact_model_id: string | null;
  progress: string | null;
  error: string | null;
  document: string | null;
  evaluation: string | null;
}

const select = 'SELECT runs.*, hosts.pid AS owner_pid FROM runs LEFT JOIN hosts ON hosts.id = runs.owner';

export class Runs {
  readonly #sql: Sql;
  readonly #here: string;
  readonly #changed: () => void;

  constructor(sql: Sql, here: string, changed: () => void) {
    this.#sql = sql;
    this.#here = here;
    this.#changed = changed;
  }

  /** Queues it under the workspace's next number; this host owns it. */
  insert(run: NewRun): void {
    this.#sql
      .prepare(
        `INSERT INTO runs (id, number, kind, state, owner, created_at, model_id, model, recipe, dataset_id, dataset, seed, parent_id, ask)
         VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM runs), ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        run.id,
        run.kind,
        this.#here,
        new Date().toISOString(),
        run.modelId,
        run.model,
        JSON.stringify(run.recipe),
        run.datasetId,
        run.dataset,
        run.seed,
        run.parentId,
        JSON.stringify(run.ask),
      );
    this.#changed();
  }

  /** The model's hash may still be on its way; `finish` brings it. */
  start(id: string, modelSha256: string | null): void {
    this.#move(id, 'running', 'started_at = ?, model_sha256 = ?', new Date().toISOString(), modelSha256);
  }

  finish(id: string, outcome: RunOutcome): void {
    this.#move(
      id,
      'done',
      'finished_at = ?, model_sha256 = coalesce(?, model_sha256), document = ?, evaluation = ?, artifact_model_id = ?, bytes = ?, metric = ?, value = ?, progress = NULL',
      new Date().toISOString(),
      outcome.document?.run.modelSha256 ?? null,
      outcome.document === null ? null : JSON.stringify(outcome.document),
      outcome.evaluation === null ? null : JSON.stringify(outcome.evaluation),
      outcome.artifactModelId,
      outcome.bytes,
      outcome.metric,
      outcome.value,
    );
  }

  end(id: string, state: 'failed' | 'cancelled', error: Refusal): void {
    this.#move(
      id,
      state,
      'finished_at = ?, error = ?, progress = NULL',
      new Date().toISOString(),
      JSON.stringify(error),
    );
  }

  setProgress(id: string, progress: Progress): void {
    this.#sql
      .prepare("UPDATE runs SET progress = ?, revision = revision + 1 WHERE id = ? AND state = 'running'")
      .run(JSON.stringify(progress), id);
    this.#changed();
  }

  get(id: string): RunRecord | null {
    const row = this.#sql.prepare(`${select} WHERE runs.id = ?`).get(id) as Row | undefined;
    return row ? this.#record(row) : null;
  }

  byPrefix(prefix: string): RunRecord | null {
    if (!isPrefix(prefix)) return null;
    const rows = this.#sql.prepare(`${select} WHERE runs.id GLOB ?`).all(`${prefix}*`) as Row[];
    return theOne(
      prefix,
      rows.map((row) => this.#record(row)),
      'run',
    );
  }

  /** Newest first. */
  list(filter: { limit?: number | undefined; modelId?: string | undefined } = {}): RunRecord[] {
    const rows = this.#sql
      .prepare(
        `${select} WHERE @model IS NULL OR model_id = @model OR artifact_model_id = @model ORDER BY number DESC LIMIT @limit`,
      )
      .all({ model: filter.modelId ?? null, limit: filter.limit ?? -1 }) as Row[];
    return rows.map((row) => this.#record(row));
  }

  /** Whether a run that has not ended yet reads this model or dataset. */
  uses(id: string): boolean {
    return (
      this.#sql
        .prepare(
          "SELECT 1 FROM runs WHERE state IN ('queued', 'running') AND (model_id = @id OR dataset_id = @id OR ask ->> 'againstId' = @id) LIMIT 1",
        )
        .pluck()
        .get({ id }) === 1
    );
  }

  /** Asks the host that owns a run to cancel or stop it; a cancel is not softened by a later stop. */
  wish(id: string, wish: 'cancel' | 'stop'): void {
    this.#sql
      .prepare(
        "INSERT INTO wishes (run_id, wish) VALUES (?, ?) ON CONFLICT (run_id) DO UPDATE SET wish = excluded.wish WHERE wish <> 'cancel'",
      )
      .run(id, wish);
    this.#changed();
  }

  /** What other hosts asked of runs owned here; each is answered once. */
  takeWishes(): { id: string; wish: 'cancel' | 'stop' }[] {
    const mine = 'SELECT run_id AS id, wish FROM wishes JOIN runs ON runs.id = run_id WHERE owner = ?';
    if (this.#sql.prepare(`${mine} LIMIT 1`).get(this.#here) === undefined) return [];
    return this.#sql
      .transaction(() => {
        const wishes = this.#sql.prepare(mine).all(this.#here) as { id: string; wish: 'cancel' | 'stop' }[];
        for (const { id } of wishes) this.#sql.prepare('DELETE FROM wishes WHERE run_id = ?').run(id);
        return wishes;
      })
      .immediate();
  }

  #move(id: string, to: RunState, set: string, ...values: (string | number | null)[]): void {
    const from = this.#sql.prepare('SELECT state FROM runs WHERE id = ?').pluck().get(id) as RunState | undefined;
    if (from === undefined || !mayBecome[from].includes(to)) {
      throw new Error(`run ${id} cannot become ${to}: it is ${from ?? 'not there'}`);
    }
    this.#sql.prepare(`UPDATE runs SET state = ?, revision = revision + 1, ${set} WHERE id = ?`).run(to, ...values, id);
    this.#changed();
  }

  #record(row: Row): RunRecord {
    const parse = <T>(text: string | null): T | null => (text === null ? null : (JSON.parse(text) as T));
    const unfinished = row.state === 'queued' || row.state === 'running';
    return {
      ask: JSON.parse(row.ask),
      evaluation: parse(row.evaluation),
      row: {
        id: row.id,
        number: row.number,
        state: row.state,
        createdAt: row.created_at,
        startedAt: row.started_at,
        finishedAt: row.finished_at,
        modelId: row.model_id,
        model: row.model,
        modelSha256: row.model_sha256,
        recipe: JSON.parse(row.recipe),
        datasetId: row.dataset_id,
        dataset: row.dataset,
        seed: row.seed,
        ...(row.parent_id === null ? {} : { parentId: row.parent_id }),
        bytes: row.bytes,
        metric: row.metric,
        value: row.value,
        progress: parse(row.progress),
        error: parse(row.error),
        document: parse(row.document),
        artifactModelId: row.artifact_model_id,
        kind: row.kind,
        owner: unfinished && row.owner_pid !== null ? { pid: row.owner_pid, here: row.owner === this.#here } : null,
      },
    };
  }
}
