// Hasher: asks the hashing thread for the SHA-256 of files, in order; the thread starts when it is first needed.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Refused } from '../../contract/words/refusal';
import type { FromHasher, ToHasher } from './hash-worker';

export interface FileToHash {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

interface Waiting {
  readonly onProgress: ((bytes: number) => void) | undefined;
  resolve(sha256: readonly string[]): void;
  reject(error: Error): void;
}

export class Hasher {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #next = 1;

  /** Hex digests in the order of the files; refuses with `changed` when a file is not, or does not stay, as it was seen. */
  hash(
    files: readonly FileToHash[],
    { onProgress, signal }: { onProgress?: (bytes: number) => void; signal?: AbortSignal } = {},
  ): Promise<readonly string[]> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { onProgress, resolve, reject });
      this.#send({ kind: 'hash', id, files: files.map(({ path, bytes, mtimeMs }) => ({ path, bytes, mtimeMs })) });
      signal?.addEventListener(
        'abort',
        () => {
          if (!this.#waiting.delete(id)) return;
          this.#send({ kind: 'cancel', id });
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  async close(): Promise<void> {
    this.#waiting.clear();
    await this.#worker?.terminate();
    this.#worker = null;
  }

  #send(message: ToHasher): void {
    this.#worker ??= this.#start();
    if (message.kind === 'hash') this.#worker.ref();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(programPath());
    worker.on('message', (message: FromHasher) => this.#receive(message));
    worker.on('error', (error) => {
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
      this.#worker = null;
    });
    worker.unref();
    return worker;
  }

  #receive(message: FromHasher): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.kind === 'progress') {
      waiting.onProgress?.(message.bytes);
      return;
    }
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    try {
      switch (message.kind) {
        case 'done':
          waiting.resolve(message.sha256);
          return;
        case 'changed':
          throw new Refused({
            code: 'changed',
            sentence: `${basename(message.path)} changed since it was opened.`,
            mend: 'Open it again when nothing writes to it any more.',
          });
        case 'failed':
          throw Object.assign(new Error(message.message), { code: message.code, path: message.path });
        default:
          message satisfies never;
      }
    } catch (error) {
      waiting.reject(error as Error);
    }
  }
}

/** Beside the entry when built (this file may be in a chunk one folder below); the source itself in tests, which Node runs as it is. */
function programPath(): string {
  const here = import.meta.dirname;
  const built = [join(here, 'hash-worker.js'), join(here, '..', 'hash-worker.js')]
    // A package keeps the files of threads beside its archive.
    .flatMap((path) => [path.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked'), path])
    .find((path) => existsSync(path));
  return built ?? join(here, 'hash-worker.ts');
}
