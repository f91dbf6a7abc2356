// The file a model is read from: a window that moves over it, so that gigabytes of weights are stepped over, never loaded.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { refuse } from '../../../contract/words/refusal';
import type { TensorData } from '../../graph/graph';
import { type Budget, limits } from './limits';

// Big enough that a graph of 10,000 nodes is a dozen reads, small enough that stepping over 1,000 tensors reads 64 MB at most.
const windowBytes = 64 * 1024;
// A pipe or a device named model.onnx must not hang the reader: it opens at once and is then seen not to be a file.
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

export class Source {
  /** What sentences call it. */
  readonly name: string;
  readonly size: number;
  /** Absolute path; null when the bytes are in memory. */
  readonly file: string | null;
  private readonly descriptor: number | null;
  private window: Buffer;
  private windowStart = 0;

  private constructor(name: string, file: string | null, descriptor: number | null, size: number, window: Buffer) {
    this.name = name;
    this.file = file;
    this.descriptor = descriptor;
    this.size = size;
    this.window = window;
  }

  /** `file` is absolute and resolved. The caller closes the source. */
  static open(file: string, name: string): Source {
    const descriptor = openSync(file, openFlags);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) {
      closeSync(descriptor);
      refuse('bad-model', `${name} is not a file.`);
    }
    return new Source(name, file, descriptor, stat.size, Buffer.alloc(0));
  }

  static over(bytes: Uint8Array, name: string): Source {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Source(name, null, null, bytes.byteLength, view);
  }

  byte(position: number): number {
    const at = position - this.windowStart;
    if (at >= 0 && at < this.window.length) return this.window[at]!;
    return this.view(position, 1)[0]!;
  }

  /** `length` bytes at `position`, valid until the next read. The caller has checked both against the size. */
  view(position: number, length: number): Buffer {
    const at = position - this.windowStart;
    if (at >= 0 && at + length <= this.window.length) return this.window.subarray(at, at + length);
    if (this.descriptor === null) throw new RangeError(`bytes ${position}+${length} of ${this.size}`);
    const window = Buffer.allocUnsafeSlow(Math.min(Math.max(windowBytes, length), this.size - position));
    let filled = 0;
    while (filled < window.length) {
      const read = readSync(this.descriptor, window, filled, window.length - filled, position + filled);
      if (read === 0) refuse('changed', `${this.name} became shorter while it was being read.`);
      filled += read;
    }
    this.window = window;
    this.windowStart = position;
    return window.subarray(0, length);
  }

  /** A copy that stays. */
  bytes(position: number, length: number): Uint8Array {
    return new Uint8Array(this.view(position, length));
  }

  /** The same range as tensor data: small ones in memory, the rest left where they are. */
  tensorData(position: number, length: number, budget: Budget): TensorData {
    if (this.file !== null && length > limits.smallTensorBytes) {
      return { kind: 'file', file: this.file, offset: position, length };
    }
    budget.keep(length);
    return { kind: 'bytes', bytes: this.bytes(position, length) };
  }

  close(): void {
    if (this.descriptor !== null) closeSync(this.descriptor);
  }
}
