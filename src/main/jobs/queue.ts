// Queue: the only writer of runs. One job at a time per workspace, whatever host it belongs to; each ends as done, failed or cancelled.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Refusal, refuse } from '../../contract/words/refusal';
import type { Progress } from '../../contract/words/run';
import type { CurvePoint } from '../../contract/words/training';
import { newId } from '../history/ids';
import type { NewRun, RunOutcome } from '../history/runs';
import { compress } from './compress';
import { evaluate } from './evaluation';
import { messageOf, refusalOf } from './failure';
import { Job, type Tools } from './job';
import { removeParts } from './parts';
import { EngineFailure } from './pipe';

/** How often other hosts' wishes for our runs are looked for while there are any. */
const wishMs = 250;

/** Hears of every run of this host while it works. */
export interface Listener {
  progress(id: string, progress: Progress): void;
  curve(id: string, point: CurvePoint): void;
}

export class Queue {
  readonly #tools: Tools;
  readonly #jobs = new Map<string, { readonly job: Job; readonly ended: Promise<void> }>();
  readonly #exports = new Set<Job>();
  readonly #listeners = new Set<Listener>();
  #wishes: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Memory of the engines at the bench counts for the storage page too. */
  get pids(): readonly (number | undefined)[] {
    return [...this.#jobs.values(), ...[...this.#exports].map((job) => ({ job }))].map(({ job }) => job.pid);
  }

  /** Queues a run and answers its id. */
  add(run: Omit<NewRun, 'id'>): string {
    if (this.#closed) refuse('failed', 'Lathe is closing.');
    const { history } = this.#tools;
    const id = newId();
    const job = history.together(() => {
      history.runs.insert({ ...run, id });
      return new Job(id, { what: `run ${id}` }, this.#tools, {
        progress: (progress) => {
          for (const listener of this.#listeners) listener.progress(id, progress);
        },
        curve: (point) => {
          for (const listener of this.#listeners) listener.curve(id, point);
        },
      });
    });
    const ended = this.#work(job)
      .catch((error) => this.#tools.log.write(`run ${id}`, String(error)))
      .finally(() => this.#jobs.delete(id));
    this.#jobs.set(id, { job, ended });
    this.#wishes ??= setInterval(() => this.#grant(), wishMs);
    return id;
  }

  /** Resolves when the run has ended; at once when it is not ours. */
  async ended(id: string): Promise<void> {
    await this.#jobs.get(id)?.ended;
  }

  /** Resolves when it has ended; a run of another host is asked to. */
  async cancel(id: string): Promise<void> {
    const own = this.#jobs.get(id);
    if (own) {
      own.job.cancel();
      await own.ended;
    } else this.#wish(id, 'cancel');
  }

  stop(id: string): void {
    const own = this.#jobs.get(id);
    if (own) own.job.stop();
    else this.#wish(id, 'stop');
  }

  /** Points of a run's training curves so far; none where it is not ours or has ended. */
  curves(id: string): readonly CurvePoint[] {
    return this.#jobs.get(id)?.job.curves ?? [];
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A job at the bench that history does not show: waits its turn, has its own engine, ends with the signal. */
  async aside<T>(
    task: { what: string; writes: string },
    work: (job: Job) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const job = new Job(null, task, this.#tools, { progress: () => {}, curve: () => {} });
    const cancel = () => job.cancel();
    this.#exports.add(job);
    try {
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) job.cancel();
      await job.turn();
      return await work(job);
    } finally {
      signal?.removeEventListener('abort', cancel);
      await job.endEngine();
      await removeParts(task.writes);
      job.giveBack();
      this.#exports.delete(job);
    }
  }

  /** Everything of ours is cancelled; resolves when all of it has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { job } of this.#jobs.values()) job.cancel();
    for (const job of this.#exports) job.cancel();
    await Promise.allSettled([...this.#jobs.values()].map(({ ended }) => ended));
    while (this.#exports.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    if (this.#wishes !== null) clearInterval(this.#wishes);
  }

  /** The row says that a run has ended when its engine is gone and its folder is swept, not before. */
  async #work(job: Job): Promise<void> {
    const { history, library } = this.#tools;
    const id = job.id!;
    let write: () => void;
    let resumable = false;
    try {
      await job.turn();
      const outcome = await this.#perform(job);
      write = () => history.runs.finish(id, outcome);
    } catch (error) {
      let refusal = this.#refusalOf(job, error);
      if (refusal.code === 'engine-died') {
        const { kind } = history.runs.get(id)!.row;
        resumable = (await library.checkpoint({ id, kind, state: 'failed', error: refusal })) !== null;
        if (resumable) refusal = { ...refusal, mend: `Resume it: what was cut is kept (lathe resume ${id}).` };
      }
      const cancelled = refusal.code === 'cancelled';
      if (!cancelled) job.log('bad', refusal.sentence);
      write = () => history.runs.end(id, cancelled ? 'cancelled' : 'failed', refusal);
    }
    await job.endEngine();
    if (!resumable) await rm(join(library.jobs, id), { recursive: true, force: true }).catch(() => {});
    try {
      job.flush();
      write();
    } finally {
      job.giveBack();
    }
  }

  async #perform(job: Job): Promise<RunOutcome> {
    const { history, library } = this.#tools;
    const run = history.runs.get(job.id!)!;
    const dataset = run.row.datasetId === null ? null : library.datasets.get(run.row.datasetId);
    const model = library.models.get(run.row.modelId);
    const hashing = library.models.hashed(model.id);
    // Whoever needs the hash gets the error.
    hashing.catch(() => {});
    await job.orCancelled(library.models.settled(model));
    // What was measured of the same content is looked up by its hash; without data nothing is, and the file is read once for both.
    if (dataset) await job.orCancelled(hashing);
    if (dataset) library.datasets.assertUnchanged(dataset);
    history.runs.start(run.row.id, dataset ? (await hashing).sha256 : model.sha256);
    return run.row.kind === 'evaluate'
      ? evaluate(job, run, await hashing, dataset!, this.#tools)
      : compress(job, run, { seen: model, hashing }, dataset, this.#tools);
  }

  #refusalOf(job: Job, error: unknown): Refusal {
    if (job.cancelled) return { code: 'cancelled', sentence: 'This run was cancelled. Nothing half-written was kept.' };
    const refusal = refusalOf(error);
    if (refusal) return refusal;
    const detail = error instanceof EngineFailure ? error.detail : error instanceof Error ? error.stack : undefined;
    this.#tools.log.write(`run ${job.id}`, detail ?? String(error));
    return { code: 'failed', sentence: `The run failed: ${messageOf(error)}` };
  }

  #wish(id: string, wish: 'cancel' | 'stop'): void {
    const run = this.#tools.history.runs.get(id) ?? refuse('not-found', `There is no run ${id}.`);
    if (run.row.state === 'queued' || run.row.state === 'running') this.#tools.history.runs.wish(id, wish);
  }

  #grant(): void {
    if (this.#jobs.size === 0 && this.#wishes !== null) {
      clearInterval(this.#wishes);
      this.#wishes = null;
      return;
    }
    for (const { id, wish } of this.#tools.history.runs.takeWishes()) {
      const own = this.#jobs.get(id);
      if (wish === 'cancel') own?.job.cancel();
      else own?.job.stop();
    }
  }
}
