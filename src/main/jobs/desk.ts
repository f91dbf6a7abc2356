// Desk: the warm engine for what must answer now. The newest preview wins, a sweep of statistics steps aside for it, and a death is mended by the next question.
import type { Statistics } from '../../contract/words/model';
import type { Preview } from '../../contract/words/recipe';
import type { TaskName, Tasks } from './engine-process';
import type { ForkEngine } from './forkers';
import { type AskOptions, EnginePipe } from './pipe';

/** After the last preview a sweep waits this long: a finger on a dial moves again. */
const quietMs = 400;

export interface Sweep {
  readonly path: string;
  /** Layers whose statistics are known; read again whenever the sweep goes on. */
  known(): readonly string[];
  onLayer(name: string, stats: Statistics): void;
}

export class Desk {
  readonly #fork: ForkEngine;
  readonly #onText: (text: string) => void;
  #pipe: EnginePipe | null = null;
  #closed = false;
  #preview: AbortController | null = null;
  #lastPreview = 0;
  #sweep: AbortController | null = null;
  #sweeps: Promise<unknown> = Promise.resolve();

  constructor(fork: ForkEngine, onText: (text: string) => void) {
    this.#fork = fork;
    this.#onText = onText;
  }

  get pid(): number | undefined {
    return this.#pipe?.pid;
  }

  ask<Name extends TaskName>(
    name: Name,
    ask: Tasks[Name]['ask'],
    options?: AskOptions,
  ): Promise<Tasks[Name]['answer']> {
    return this.#engine().ask(name, ask, options);
  }

  /** An older preview that has not answered yet is refused with `cancelled`. */
  async preview(ask: Tasks['preview']['ask'], signal?: AbortSignal): Promise<Preview> {
    this.#preview?.abort();
    const mine = new AbortController();
    this.#preview = mine;
    this.#lastPreview = Date.now();
    this.#sweep?.abort();
    try {
      return await this.ask('preview', ask, { signal: either(mine.signal, signal) });
    } finally {
      this.#lastPreview = Date.now();
      if (this.#preview === mine) this.#preview = null;
    }
  }

  /** Streams the statistics of every layer that is not known yet. Sweeps run one after another. */
  statistics(sweep: Sweep, signal: AbortSignal): Promise<void> {
    const turn = this.#sweeps.then(() => this.#run(sweep, signal));
    this.#sweeps = turn.catch(() => {});
    return turn;
  }

  async #run(sweep: Sweep, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      await this.#quiet();
      const aside = new AbortController();
      this.#sweep = aside;
      try {
        await this.ask(
          'statistics',
          { path: sweep.path, skip: sweep.known() },
          {
            signal: either(aside.signal, signal),
            onEvent: (event) => {
              if (event.kind === 'layer') sweep.onLayer(event.name, event.stats);
            },
          },
        );
        return;
      } catch (error) {
        if (!aside.signal.aborted) throw error;
      } finally {
        this.#sweep = null;
      }
    }
  }

  async #quiet(): Promise<void> {
    for (;;) {
      const wait = this.#preview ? quietMs : this.#lastPreview + quietMs - Date.now();
      if (wait <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pipe?.kill();
    await this.#pipe?.gone;
  }

  #engine(): EnginePipe {
    if (this.#closed) throw new Error('The desk is closed.');
    if (!this.#pipe?.alive) this.#pipe = new EnginePipe(this.#fork('desk'), this.#onText);
    return this.#pipe;
  }
}

function either(signal: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other ? AbortSignal.any([signal, other]) : signal;
}
