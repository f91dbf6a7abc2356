// Where a piece of a tensor comes from: a file read straight into the shared memory, the warm tensor, or bytes of the caller.
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Address, WasmMemory } from './kernel-set';

export type Source =
  | { readonly kind: 'file'; readonly file: string; readonly offset: number }
  /** Already in the shared memory, 64-byte aligned. */
  | { readonly kind: 'arena'; readonly address: Address }
  /** Only on the caller's thread. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** Thrown where a file is gone or ends before the tensor does; becomes a refusal on the caller's side. */
export class ChangedFile extends Error {}

// O_NOFOLLOW is missing on Windows. The path was resolved when the model was opened: a link there now is a swap.
const readOnly = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/** Reads pieces; keeps one file open between them. */
export class PieceReader {
  readonly #memory: WasmMemory;
  #open: { file: string; fd: number } | undefined;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
  }

  /** Copies `length` bytes at `from` of the source to `to`. */
  read(to: Address, source: Source, from: number, length: number): void {
    const into = new Uint8Array(this.#memory.buffer, to, length);
    switch (source.kind) {
      case 'arena':
        into.set(new Uint8Array(this.#memory.buffer, source.address + from, length));
        return;
      case 'bytes':
        into.set(source.bytes.subarray(from, from + length));
        return;
      case 'file': {
        const fd = this.#fileOf(source.file);
        for (let done = 0; done < length; ) {
          const read = readSync(fd, into, done, length - done, source.offset + from + done);
          if (read === 0) throw new ChangedFile(`${source.file} is shorter than when it was opened.`);
          done += read;
        }
        return;
      }
      default:
        source satisfies never;
    }
  }

  close(): void {
    if (this.#open) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #fileOf(file: string): number {
    if (this.#open?.file !== file) {
      this.close();
      this.#open = { file, fd: openRegular(file) };
    }
    return this.#open.fd;
  }
}

function openRegular(file: string): number {
  try {
    return openSync(file, readOnly);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ELOOP') throw error;
    throw new ChangedFile(`${file} is no longer where it was when the model was opened.`);
  }
}
