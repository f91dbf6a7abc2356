// Runs a task's pieces on the kernel threads, one task at a time; on the caller's thread where there are none or only one piece.
import { Worker } from 'node:worker_threads';
import { refuse } from '../../contract/words/refusal';
import { Arena } from './arena';
import { Bench } from './bench';
import type { WasmModule } from './kernel-set';
import { ChangedFile } from './source';
import { starters, type TaskName, type Tasks } from './tasks';
import type { Share } from './tasks/task';
import type { FromThread, Start, ToThread } from './thread';

export interface Errand<Name extends TaskName> {
  readonly name: Name;
  readonly ask: Tasks[Name]['ask'];
  readonly pieces: number;
  readonly signal?: AbortSignal;
  /** Called in any order. */
  onPiece?(index: number, piece: Tasks[Name]['piece']): void;
  /** The source is the caller's bytes, which threads cannot see. */
  readonly here?: boolean;
}

type End = Tasks[TaskName]['end'];
const pause = () => new Promise<void>((resume) => setImmediate(resume));

export class Pool {
  readonly arena: Arena;
  readonly threads: number;
  readonly #module: WasmModule | null;
  readonly #worker: URL | null;
  readonly #bench: Bench;
  #workers: Worker[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #closed = false;

  constructor(module: WasmModule | null, worker: URL | null, threads: number) {
    this.threads = worker ? threads : 0;
    this.arena = new Arena(this.threads + 1);
    this.#module = module;
    this.#worker = worker;
    this.#bench = new Bench(this.arena.memory, module);
  }

  /** Waits for what was asked before, then works alone with the arena: slots and the warm tensor are one user's at a time. */
  alone<Answer>(signal: AbortSignal | undefined, work: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#last.then(() => {
      if (this.#closed) throw new Error('the kernels are closed');
      signal?.throwIfAborted();
      return work();
    });
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** Only inside `alone`. Answers what each thread had at the end. */
  async run<Name extends TaskName>(errand: Errand<Name>): Promise<Tasks[Name]['end'][]> {
    errand.signal?.throwIfAborted();
    try {
      const inline = this.threads === 0 || errand.pieces <= 1 || errand.here;
      const ends = inline ? [await this.#runHere(errand)] : await this.#runOnThreads(errand);
      errand.signal?.throwIfAborted();
      return ends;
    } catch (error) {
      if (error instanceof ChangedFile) refuse('changed', error.message, 'Open the model again.');
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = this.#workers;
    this.#workers = [];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  async #runHere<Name extends TaskName>(errand: Errand<Name>): Promise<Tasks[Name]['end']> {
    const bench = this.#bench;
    const slot = this.arena.slot(0);
    bench.moveTo(slot.start, slot.bytes);
    try {
      const start = starters[errand.name] as (
        bench: Bench,
        ask: Tasks[Name]['ask'],
      ) => Share<Tasks[Name]['piece'], Tasks[Name]['end']>;
      const share = start(bench, errand.ask);
      let paused = performance.now();
      for (let index = 0; index < errand.pieces; index++) {
        // Done before the optional call, which would skip it with its argument.
        const piece = share.piece(index);
        errand.onPiece?.(index, piece);
        if (performance.now() - paused < 15) continue;
        await pause();
        errand.signal?.throwIfAborted();
        paused = performance.now();
      }
      return share.end();
    } finally {
      bench.reader.close();
    }
  }

  #runOnThreads<Name extends TaskName>(errand: Errand<Name>): Promise<Tasks[Name]['end'][]> {
    const workers = this.#startThreads();
    const id = this.#nextId++;
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const giveUp = () => Atomics.store(shared, 1, 1);
    errand.signal?.addEventListener('abort', giveUp, { once: true });
    const ends: End[] = [];
    let failure: Error | undefined;

    const parts = workers.map(
      (worker, index) =>
        new Promise<void>((resolve, reject) => {
          const finish = (error?: Error) => {
            worker.off('message', take);
            worker.off('error', lost);
            worker.off('exit', gone);
            worker.unref();
            if (error) reject(error);
            else resolve();
          };
          const take = (answer: FromThread) => {
            if (answer.id !== id) return;
            if (answer.kind === 'piece') {
              errand.onPiece?.(answer.index, answer.piece as Tasks[Name]['piece']);
              return;
            }
            if (answer.kind === 'end') ends.push(answer.end as End);
            else failure ??= answer.changed ? new ChangedFile(answer.error.message) : answer.error;
            finish();
          };
          const lost = (error: Error) => {
            giveUp();
            this.#workers = this.#workers.filter((other) => other !== worker);
            finish(error);
          };
          const gone = () =>
            lost(new Error(this.#closed ? 'the kernels are closed' : 'a kernel thread ended by itself'));
          worker.on('message', take);
          worker.on('error', lost);
          worker.on('exit', gone);
          // Held while it works, so that the process does not end under an answer that is awaited.
          worker.ref();
          const { name, ask, pieces } = errand;
          worker.postMessage({ id, name, ask, pieces, shared, slot: this.arena.slot(index + 1) } satisfies ToThread);
        }),
    );
    return Promise.allSettled(parts).then((settled) => {
      errand.signal?.removeEventListener('abort', giveUp);
      for (const part of settled) if (part.status === 'rejected') throw part.reason;
      if (failure) throw failure;
      return ends as Tasks[Name]['end'][];
    });
  }

  #startThreads(): Worker[] {
    const workerData: Start = { memory: this.arena.memory, module: this.#module };
    while (this.#workers.length < this.threads) {
      const worker = new Worker(this.#worker!, { workerData, name: 'lathe kernels' });
      worker.unref();
      this.#workers.push(worker);
    }
    return this.#workers;
  }
}
