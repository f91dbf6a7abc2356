// The job's scratch file: new weights go there one by one, so that memory holds the largest tensor and not the model.
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { TensorData } from '../../graph/graph';
import { smallestInFile } from './order';

/** Bytes of new tensors, in one file that lives until the artifact is written. */
export class Scratch {
  private offset = 0;

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
  ) {}

  /** Creates the file; it must not exist. */
  static async create(file: string): Promise<Scratch> {
    return new Scratch(file, await open(file, 'wx'));
  }

  get bytes(): number {
    return this.offset;
  }

  /** Takes the bytes over. */
  async put(bytes: Uint8Array): Promise<TensorData> {
    if (bytes.byteLength < smallestInFile) return { kind: 'bytes', bytes };
    const offset = this.offset;
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.byteLength - done, offset + done);
      done += bytesWritten;
    }
    this.offset += bytes.byteLength;
    return { kind: 'file', file: this.file, offset, length: bytes.byteLength };
  }

  /** Tensors that were put here are gone after this. */
  async remove(): Promise<void> {
    await this.handle.close();
    await rm(this.file, { force: true });
  }
}
