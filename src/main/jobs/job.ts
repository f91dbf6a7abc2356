// One job at the bench: its own engine process, its progress and log, and the two ways to end it early.
import { setTimeout as sleep } from 'node:timers/promises';
import { Refused } from '../../contract/words/refusal';
import type { Machine, Progress, RunLogLine } from '../../contract/words/run';
import type { CurvePoint } from '../../contract/words/training';
import type { History } from '../history';
import type { Library } from '../library';
import type { TaskEvent, TaskName, Tasks } from './engine-process';
import { Eta } from './eta';
import type { ForkEngine } from './forkers';
import type { LogFile } from './log-file';
import { MemoryMeter } from './memory';
import { EnginePipe } from './pipe';

/** What jobs work with. */
export interface Tools {
  readonly history: History;
  readonly library: Library;
  readonly fork: ForkEngine;
  readonly log: LogFile;
  /** Of this Lathe. */
  readonly version: string;
  /** Of the engine and this machine: what was measured under another is not reused. */
  readonly build: string;
  machine(): Promise<Machine>;
  /** Our other processes; their memory counts too. */
  otherPids(): readonly (number | undefined)[];
}

/** Who hears of a job while it works. */
export interface Telling {
  progress(progress: Progress): void;
  curve(point: CurvePoint): void;
}

/** Progress is told at most this often, and written down for other hosts at most that often. */
const tellMs = 100;
const writeMs = 2_000;
const logMs = 300;
/** How often a waiting job asks whether its turn has come. */
const turnMs = 100;

export class Job {
  /** The run's; null for a job that history does not show (an export). */
  readonly id: string | null;
  readonly #tools: Tools;
  readonly #ticket: number;
  readonly #abort = new AbortController();
  readonly #tell: Telling;
  readonly #curves: CurvePoint[] = [];
  readonly #eta = new Eta(performance.now());
  readonly #lines: RunLogLine[] = [];
  #pipe: EnginePipe | null = null;
  #stop: (() => void) | null = null;
  #stopAsked = false;
  #committed = false;
  #meter: MemoryMeter | null = null;
  #told = 0;
  #wrote = 0;
  #timers: NodeJS.Timeout[] = [];

  constructor(id: string | null, task: { what: string; writes?: string }, tools: Tools, telling: Telling) {
    this.id = id;
    this.#tools = tools;
    this.#tell = telling;
    this.#ticket = tools.history.tickets.draw(task.what, task.writes);
  }

  get cancelled(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Its engine's process, while there is one. */
  get pid(): number | undefined {
    return this.#pipe?.pid;
  }

  /** Every point of its training curves so far. */
  get curves(): readonly CurvePoint[] {
    return this.#curves;
  }

  get peakBytes(): number {
    return this.#meter?.peak ?? 0;
  }

  /** Waits until every earlier ticket of this workspace has been given back. */
  async turn(): Promise<void> {
    this.throwIfCancelled();
    while (!this.#tools.history.tickets.first(this.#ticket)) {
      await sleep(turnMs, undefined, { signal: this.#abort.signal }).catch(() => {});
      this.throwIfCancelled();
    }
  }

  /** Asks the job's engine, starting it if need be. */
  async ask<Name extends TaskName>(
    name: Name,
    ask: Tasks[Name]['ask'],
    onEvent?: (event: TaskEvent) => void,
  ): Promise<Tasks[Name]['answer']> {
    this.throwIfCancelled();
    this.#begin();
    const hear = (event: TaskEvent) => {
      this.#hear(event);
      onEvent?.(event);
    };
    const { answer, stop } = this.#pipe!.begin(name, ask, { onEvent: hear });
    this.#stop = stop;
    if (this.#stopAsked) stop();
    return answer;
  }

  /** What was gained is being recorded: a cancel comes too late from here on. */
  commit(): void {
    this.throwIfCancelled();
    this.#committed = true;
  }

  /** Ends it at once. */
  cancel(): void {
    if (this.#committed) return;
    this.#abort.abort();
    this.#pipe?.kill();
  }

  /** Asks it to end between steps; before it has begun there is nothing to keep. */
  stop(): void {
    this.#stopAsked = true;
    if (this.#stop) this.#stop();
    else if (this.#pipe === null) this.cancel();
  }

  /** The answer of something that cannot be interrupted, unless the job is cancelled meanwhile. */
  orCancelled<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(new Refused({ code: 'cancelled', sentence: 'This was cancelled.' }));
      if (this.cancelled) abort();
      this.#abort.signal.addEventListener('abort', abort, { once: true });
      answer.then(resolve, reject);
    });
  }

  throwIfCancelled(): void {
    if (this.cancelled) throw new Refused({ code: 'cancelled', sentence: 'This was cancelled.' });
  }

  log(level: RunLogLine['level'], text: string, layer?: string): void {
    this.#lines.push({ at: new Date().toISOString(), level, text, ...(layer === undefined ? {} : { layer }) });
  }

  /** Resolves when its process is gone. */
  async endEngine(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#meter?.stop();
    this.#pipe?.kill();
    await this.#pipe?.gone;
  }

  /** The bench is free for the next. */
  giveBack(): void {
    this.#tools.history.tickets.giveBack(this.#ticket);
  }

  /** Log lines go to history in batches: every commit waits for the disk. */
  flush(): void {
    if (this.id !== null) this.#tools.history.logs.append(this.id, this.#lines.splice(0));
  }

  #begin(): void {
    if (this.#pipe) return;
    const pipe = new EnginePipe(this.#tools.fork('bench'), (text) => this.#tools.log.write('bench engine', text));
    this.#pipe = pipe;
    this.#meter = new MemoryMeter(() => [process.pid, pipe.pid, ...this.#tools.otherPids()]);
    this.#timers = [setInterval(() => this.#show(), tellMs), setInterval(() => this.flush(), logMs)];
  }

  #hear(event: TaskEvent): void {
    switch (event.kind) {
      case 'stages':
        this.#eta.stages(event.stages);
        break;
      case 'progress':
        this.#eta.progress(event, performance.now());
        break;
      case 'log':
        this.log(event.level, event.text, event.layer);
        break;
      case 'curve':
        this.#curves.push(event.point);
        this.#tell.curve(event.point);
        break;
      case 'written':
        // Loading and running the artifact are stages of their own: the peak that a run reports ends where its files are written.
        this.#meter?.freeze();
        break;
      case 'layer':
      case 'doing':
        break;
      default:
        event satisfies never;
    }
  }

  #show(): void {
    const now = performance.now();
    if (now - this.#told < tellMs * 0.9) return;
    this.#told = now;
    const progress: Progress = {
      ...this.#eta.show(now),
      memoryBytes: this.#meter?.now ?? 0,
      peakBytes: this.peakBytes,
    };
    this.#tell.progress(progress);
    if (this.id === null || now - this.#wrote < writeMs) return;
    this.#wrote = now;
    this.#tools.history.runs.setProgress(this.id, progress);
  }
}
