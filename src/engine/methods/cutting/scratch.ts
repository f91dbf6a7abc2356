// The job's scratch file: new weights go there one by one, so that memory holds the largest tensor and not the model. What is there is not made again.
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TensorData } from '../../graph/graph';
import type { QuantizeLoss } from '../../kernels/kernels';
import { smallestInFile } from './order';

/** What one order came to. */
export interface Made {
  readonly parts: readonly (Uint8Array | null)[];
  readonly loss: QuantizeLoss | null;
}

export interface Kept {
  readonly parts: readonly (TensorData | null)[];
  readonly loss: QuantizeLoss | null;
}

/** An order as a checkpoint remembers it: what it was, where its parts lie in the scratch file. */
interface Entry {
  readonly what: string;
  readonly parts: readonly (readonly [offset: number, length: number] | null)[];
  readonly loss: QuantizeLoss | null;
}

interface Checkpoint {
  readonly key: string;
  readonly at: string;
  readonly bytes: number;
  readonly entries: readonly Entry[];
}

/** The newest, and the one before it for the moment between two renames. */
export const checkpointFiles = ['checkpoint.json', 'checkpoint-before.json'] as const;
const usualPace = 5_000;

export interface ScratchOptions {
  /** Names what the run makes: a checkpoint under another key is not taken. Without it there are none. */
  readonly key?: string;
  /** Milliseconds between two checkpoints. */
  readonly pace?: number;
}

/** Bytes of new tensors, in one file that lives until the run has ended. */
export class Scratch {
  private readonly entries: Entry[] = [];
  private offset = 0;
  private saved = performance.now();
  private saving: Promise<void> | null = null;

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    private readonly options: ScratchOptions,
    /** Orders of the checkpoint that were not asked for yet, in their order. */
    private readonly waiting: Entry[],
  ) {
    this.offset = waiting.reduce((most, { parts }) => Math.max(most, ...parts.map((part) => end(part))), 0);
  }

  /** Goes on from a checkpoint beside the file where there is one of this key; else the file is begun anew. */
  static async open(file: string, options: ScratchOptions = {}): Promise<Scratch> {
    const checkpoint = options.key === undefined ? null : await lastCheckpoint(file, options.key);
    if (checkpoint) {
      const handle = await open(file, 'r+');
      await handle.truncate(checkpoint.bytes);
      return new Scratch(file, handle, options, [...checkpoint.entries]);
    }
    await rm(file, { force: true });
    return new Scratch(file, await open(file, 'wx'), options, []);
  }

  get bytes(): number {
    return this.offset;
  }

  /** How many orders an earlier engine made and this one need not. */
  get ready(): number {
    return this.waiting.length;
  }

  /**
   * What `make` makes, or what was made of the same order before the run was interrupted. A run gives the same orders in
   * the same sequence every time; from the first that differs on, everything is made anew.
   */
  async once(what: string, make: () => Promise<Made>): Promise<Kept> {
    const name = createHash('sha256').update(what).digest('hex').slice(0, 16);
    const known = this.waiting.shift();
    if (known?.what === name) {
      this.entries.push(known);
      return { parts: await Promise.all(known.parts.map((part) => this.read(part))), loss: known.loss };
    }
    this.waiting.length = 0;
    const { parts, loss } = await make();
    const places: Entry['parts'][number][] = [];
    const kept: (TensorData | null)[] = [];
    for (const part of parts) {
      const place = part && (await this.append(part));
      places.push(place);
      kept.push(part && place && this.dataAt(place, part));
    }
    this.entries.push({ what: name, parts: places, loss });
    this.save();
    return { parts: kept, loss };
  }

  /** Tensors that were put here are gone after this. */
  async remove(): Promise<void> {
    await this.saving;
    await this.handle.close();
    await rm(this.file, { force: true });
    for (const name of checkpointFiles) await rm(join(dirname(this.file), name), { force: true });
  }

  private async append(bytes: Uint8Array): Promise<readonly [number, number]> {
    const offset = this.offset;
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.byteLength - done, offset + done);
      done += bytesWritten;
    }
    this.offset += bytes.byteLength;
    return [offset, bytes.byteLength];
  }

  private dataAt([offset, length]: readonly [number, number], bytes: Uint8Array): TensorData {
    return length < smallestInFile ? { kind: 'bytes', bytes } : { kind: 'file', file: this.file, offset, length };
  }

  private async read(place: Entry['parts'][number]): Promise<TensorData | null> {
    if (place === null) return null;
    const [offset, length] = place;
    const bytes = new Uint8Array(length < smallestInFile ? length : 0);
    if (bytes.length > 0) await this.handle.read(bytes, 0, bytes.length, offset);
    return this.dataAt(place, bytes);
  }

  /** In the background: what is cut meanwhile waits for the next. A checkpoint that fails costs time after a crash, nothing else. */
  private save(): void {
    const { key, pace = usualPace } = this.options;
    if (key === undefined || this.saving || performance.now() - this.saved < pace) return;
    const checkpoint: Checkpoint = {
      key,
      at: new Date().toISOString(),
      bytes: this.offset,
      entries: [...this.entries],
    };
    this.saving = this.write(checkpoint)
      .catch(() => {})
      .finally(() => {
        this.saving = null;
        this.saved = performance.now();
      });
  }

  private async write(checkpoint: Checkpoint): Promise<void> {
    const folder = dirname(this.file);
    const [newest, before] = checkpointFiles.map((name) => join(folder, name)) as [string, string];
    // What it names must be on the disk before it is.
    await this.handle.datasync();
    const handle = await open(`${newest}.new`, 'w');
    try {
      await handle.writeFile(JSON.stringify(checkpoint));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(newest, before).catch(() => {});
    await rename(`${newest}.new`, newest);
  }
}

const end = (part: Entry['parts'][number]): number => (part ? part[0] + part[1] : 0);

async function lastCheckpoint(file: string, key: string): Promise<Checkpoint | null> {
  const scratch = await open(file, 'r').catch(() => null);
  if (!scratch) return null;
  const { size } = await scratch.stat().finally(() => scratch.close());
  for (const name of checkpointFiles) {
    try {
      const found = JSON.parse(await readFile(join(dirname(file), name), 'utf8')) as Checkpoint;
      if (found.key === key && found.bytes <= size) return found;
    } catch {
      // Not there, or cut off by a power failure: the one before it may be whole.
    }
  }
  return null;
}
