// Pipe: questions and answers over one engine process, and a sentence for everyone who waits when it dies.
import { Refused } from '../../contract/words/refusal';
import type { FromEngine, TaskEvent, TaskName, Tasks } from './engine-process';
import type { EngineEnd, EnginePort } from './forkers';

/** A failure that the engine itself reported: ours or the world's. */
export class EngineFailure extends Error {
  /** For the log only. */
  readonly detail: string;
  constructor(sentence: string, detail: string) {
    super(sentence);
    this.name = 'EngineFailure';
    this.detail = detail;
  }
}

export interface AskOptions {
  onEvent?: (event: TaskEvent) => void;
  /** Aborting refuses with `cancelled` at once and asks the engine to give the task up. */
  signal?: AbortSignal;
}

interface Waiting {
  readonly name: TaskName;
  readonly onEvent: ((event: TaskEvent) => void) | undefined;
  resolve(answer: unknown): void;
  reject(error: Error): void;
  doing: string | null;
}

const working: Record<TaskName, string> = {
  describe: 'starting',
  open: 'opening the model',
  statistics: 'reading the weights',
  checkRecipe: 'checking the recipe',
  forecast: 'predicting the run',
  preview: 'previewing a layer',
  openDataset: 'opening the dataset',
  evaluate: 'evaluating the model',
  run: 'running the recipe',
  fit: 'checking whether the model fits',
  bundleParts: 'planning the bundle',
  bundle: 'writing the bundle',
  verify: 'verifying the bundle',
};

export class EnginePipe {
  readonly #port: EnginePort;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #ended: EngineEnd | null = null;
  #killed = false;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;

  constructor(port: EnginePort, onText: (text: string) => void) {
    this.#port = port;
    port.onMessage((message) => this.#receive(message));
    port.onText(onText);
    this.gone = new Promise((resolve) => {
      port.onExit((end) => {
        this.#ended = end;
        for (const waiting of this.#waiting.values()) waiting.reject(this.#death(waiting, end));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  get alive(): boolean {
    return this.#ended === null && !this.#killed;
  }

  get pid(): number | undefined {
    return this.#ended === null ? this.#port.pid : undefined;
  }

  /** Asks one task. There is no timeout: a task ends with an answer, a refusal, a failure, or the engine's death. */
  async ask<Name extends TaskName>(
    name: Name,
    ask: Tasks[Name]['ask'],
    options: AskOptions = {},
  ): Promise<Tasks[Name]['answer']> {
    return this.begin(name, ask, options).answer;
  }

  /** As `ask`, and gives the handle to end it between steps. */
  begin<Name extends TaskName>(
    name: Name,
    ask: Tasks[Name]['ask'],
    { onEvent, signal }: AskOptions = {},
  ): { answer: Promise<Tasks[Name]['answer']>; stop(): void } {
    const id = this.#next++;
    const answer = new Promise<Tasks[Name]['answer']>((resolve, reject) => {
      const waiting: Waiting = { name, onEvent, resolve: resolve as (answer: unknown) => void, reject, doing: null };
      if (this.#ended !== null) {
        reject(this.#death(waiting, this.#ended));
        return;
      }
      this.#waiting.set(id, waiting);
      this.#port.send({ kind: 'task', id, name, ask });
      const abort = () => {
        if (!this.#waiting.delete(id)) return;
        this.#port.send({ kind: 'abort', id });
        reject(new Refused({ code: 'cancelled', sentence: 'A newer request replaced this one.' }));
      };
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
    return { answer, stop: () => this.#port.send({ kind: 'stop', id }) };
  }

  kill(): void {
    this.#killed = true;
    if (this.#ended === null) this.#port.kill();
  }

  #receive(message: FromEngine): void {
    if (message.kind === 'ready') return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.kind === 'event') {
      if (message.event.kind === 'doing') waiting.doing = message.event.what;
      waiting.onEvent?.(message.event);
      return;
    }
    this.#waiting.delete(message.id);
    switch (message.kind) {
      case 'answer':
        waiting.resolve(message.answer);
        return;
      case 'refused':
        waiting.reject(new Refused(message.refusal));
        return;
      case 'failed':
        waiting.reject(new EngineFailure(message.sentence, message.detail));
        return;
      default:
        message satisfies never;
    }
  }

  #death(waiting: Waiting, end: EngineEnd): Error {
    if (this.#killed) return new Refused({ code: 'cancelled', sentence: 'This was cancelled.' });
    const what = waiting.doing ?? working[waiting.name];
    const where = /^\w+ing\b/.test(what) ? `while ${what}` : `at ${what}`;
    return new Refused({
      code: 'engine-died',
      sentence: `The engine stopped ${where}. ${causeOf(end)} Your model, history and other runs are untouched.`,
    });
  }
}

function causeOf({ code, signal }: EngineEnd): string {
  switch (signal) {
    case 'SIGABRT':
      return 'The runtime aborted.';
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGILL':
    case 'SIGFPE':
      return `The runtime crashed (${signal}).`;
    case 'SIGKILL':
      return 'Something outside ended it; the system does so when memory runs out.';
    case null:
      // A shell's and Electron's way of saying that a signal ended it.
      if (code === 134) return 'The runtime aborted.';
      return code === null ? 'It could not be started.' : `It ended with code ${code}.`;
    default:
      return `It was ended by ${signal}.`;
  }
}
