// The samples of a training, prepared once and then drawn in any order: in memory where they fit, in a file of the job's folder beyond that.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import type { Batch, Dataset, InputPort, TokenBatch } from '../data/index';
import { tokenFeeds } from '../data/token-batches';
import { type DataType, elementCount } from '../graph/graph';
import { freeMemoryBytes } from '../runtime/machine';
import type { Feed, FeedData, Feeds } from '../runtime/session';
import type { Part } from './training-data';

/** Samples are read this many at a time. */
const readTogether = 64;
export const mostInMemory = 2 ** 30;

/** One input of one sample: where in the sample's bytes it lies. */
interface Field {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly offset: number;
  readonly bytes: number;
  readonly make: new (length: number) => Exclude<FeedData, string[]>;
}

/** Windows of tokens, each filled up to `length` behind its end. */
export interface TokenRows {
  readonly length: number;
  /** [rows][length]. */
  readonly ids: Int32Array;
  /** [rows][length]: 1 for a token that the one before it should predict, else 0. */
  readonly scored: Float32Array;
}

/** A batch as a training feeds it. Its arrays are written anew by the next `fill`. */
export interface Drawn {
  /** Where the samples are from. */
  readonly part: Part;
  readonly feeds: Feeds;
  readonly labels: Int32Array | null;
  readonly targets: { readonly data: Float32Array; readonly width: number } | null;
  readonly tokens: TokenRows | null;
  /** Positions of the samples in their part. */
  readonly indices: readonly number[];
}

export interface StoreOptions {
  /** Where samples go that memory does not hold. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  readonly onRead?: (done: number, total: number) => void;
  /** Said where one sample cannot tell: the inputs have no batch axis. */
  readonly isBatchless?: boolean;
  /** Bytes of memory; default a quarter of what is free, 1 GiB at most. */
  readonly most?: number;
}

export class SampleStore {
  private constructor(
    readonly part: Part,
    readonly count: number,
    private readonly ports: readonly InputPort[],
    private readonly fields: readonly Field[],
    /** The model's inputs have no batch axis. */
    readonly isBatchless: boolean,
    private readonly memory: Uint8Array | null,
    private readonly file: { readonly handle: FileHandle; readonly path: string } | null,
    private readonly labels: Int32Array | null,
    private readonly targets: { readonly data: Float32Array; readonly width: number } | null,
    private readonly windows: { readonly length: number; readonly ids: Int32Array[]; readonly from: number[] } | null,
  ) {}

  /** Bytes of one prepared sample. */
  get sampleBytes(): number {
    return bytesOf(this.fields);
  }

  /** Reads and prepares every sample of a part for these inputs. */
  static async read(
    dataset: Dataset,
    part: Part,
    ports: readonly InputPort[],
    options: StoreOptions,
  ): Promise<SampleStore> {
    const reading = dataset.batches(part.split, ports, {
      batch: readTogether,
      from: part.from,
      limit: part.samples,
    });
    const filling = new Filling(part.samples, options);
    try {
      for await (const batch of reading) {
        options.signal?.throwIfAborted();
        await filling.add(batch);
        options.onRead?.(filling.done, part.samples);
      }
    } catch (error) {
      await filling.discard();
      throw error;
    }
    const { fields, isBatchless, memory, file, labels, targets, windows } = filling;
    return new SampleStore(part, filling.done, ports, fields, isBatchless, memory, file, labels, targets, windows);
  }

  /** Arrays for so many samples at a time; a call of the answer puts those samples into them. */
  reader(rows: number): (indices: ArrayLike<number>) => Promise<Drawn> {
    return this.windows ? this.tokenReader(rows, this.windows) : this.fieldReader(rows);
  }

  private fieldReader(rows: number): (indices: ArrayLike<number>) => Promise<Drawn> {
    const feeds: Record<string, Feed> = {};
    const bytes = this.fields.map((field) => {
      const data = new field.make(elementCount(field.dims) * rows);
      feeds[field.name] = {
        dtype: field.dtype,
        dims: this.isBatchless ? field.dims : [rows, ...field.dims],
        data,
      };
      return new Uint8Array(data.buffer);
    });
    const labels = this.labels && new Int32Array(rows);
    const width = this.targets?.width ?? 0;
    const targets = this.targets && { data: new Float32Array(rows * width), width };
    const size = this.sampleBytes;
    const spare = new Uint8Array(size);
    return async (indices) => {
      for (let row = 0; row < rows; row++) {
        const index = indices[row]!;
        const sample = this.memory ? this.memory.subarray(index * size, (index + 1) * size) : spare;
        if (this.file) await readFully(this.file.handle, spare, index * size);
        for (const [i, field] of this.fields.entries())
          bytes[i]!.set(sample.subarray(field.offset, field.offset + field.bytes), row * field.bytes);
        if (labels) labels[row] = this.labels![index]!;
        targets?.data.set(this.targets!.data.subarray(index * width, (index + 1) * width), row * width);
      }
      return { part: this.part, feeds, labels, targets, tokens: null, indices: Array.from(indices) };
    };
  }

  private tokenReader(
    rows: number,
    { length, ids: all, from }: NonNullable<SampleStore['windows']>,
  ): (indices: ArrayLike<number>) => Promise<Drawn> {
    return async (indices) => {
      const ids = new Int32Array(rows * length);
      const scored = new Float32Array(rows * length);
      for (let row = 0; row < rows; row++) {
        const index = indices[row]!;
        const window = all[index]!;
        ids.set(window, row * length);
        scored.fill(1, row * length + from[index]!, row * length + window.length);
      }
      const feeds = tokenFeeds(this.ports, ids, rows, length);
      const tokens = { length, ids, scored };
      return { part: this.part, feeds, labels: null, targets: null, tokens, indices: Array.from(indices) };
    };
  }

  /** Frees the file, where there is one. */
  async close(): Promise<void> {
    if (!this.file) return;
    await this.file.handle.close();
    await rm(this.file.path, { force: true });
  }
}

/** The store while it is being filled. */
class Filling {
  done = 0;
  fields: readonly Field[] = [];
  isBatchless = false;
  memory: Uint8Array | null = null;
  file: { handle: FileHandle; path: string } | null = null;
  labels: Int32Array | null = null;
  targets: { data: Float32Array; width: number } | null = null;
  windows: { length: number; ids: Int32Array[]; from: number[] } | null = null;

  constructor(
    private readonly total: number,
    private readonly options: StoreOptions,
  ) {}

  async add(batch: Batch): Promise<void> {
    if (batch.tokens) this.addWindows(batch.tokens);
    else await this.addFields(batch);
    this.done += batch.samples;
  }

  private addWindows({ ids, length, scoredFrom }: TokenBatch): void {
    this.windows ??= { length: 0, ids: [], from: [] };
    this.windows.length = Math.max(this.windows.length, length);
    for (const [row, from] of scoredFrom.entries()) {
      this.windows.ids.push(ids.slice(row * length, (row + 1) * length));
      this.windows.from.push(Math.max(1, from));
    }
  }

  private async addFields(batch: Batch): Promise<void> {
    if (this.done === 0) await this.begin(batch);
    const { samples } = batch;
    const size = bytesOf(this.fields);
    const packed = this.memory
      ? this.memory.subarray(this.done * size, (this.done + samples) * size)
      : new Uint8Array(samples * size);
    for (const field of this.fields) {
      const { data } = batch.feeds[field.name]!;
      if (Array.isArray(data)) return refuse('unsupported', `"${field.name}" takes texts, which cannot be trained on.`);
      if (data.byteLength !== samples * field.bytes)
        refuse('bad-dataset', `Samples differ in size at ${batch.index}.`, 'Give them one size with resize or crop.');
      const from = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      for (let row = 0; row < samples; row++)
        packed.set(from.subarray(row * field.bytes, (row + 1) * field.bytes), row * size + field.offset);
    }
    if (this.file) await this.file.handle.write(packed, 0, packed.byteLength, this.done * size);
    if (this.labels && batch.labels) this.labels.set(batch.labels, this.done);
    if (this.targets && batch.targets) this.targets.data.set(batch.targets.data, this.done * this.targets.width);
  }

  private async begin(batch: Batch): Promise<void> {
    // One sample came although more were asked for: the inputs have no place for a batch.
    this.isBatchless = this.options.isBatchless ?? (batch.samples === 1 && this.total > 1);
    let offset = 0;
    this.fields = Object.entries(batch.feeds).map(([name, { dtype, dims, data }]) => {
      if (Array.isArray(data)) return refuse('unsupported', `"${name}" takes texts, which cannot be trained on.`);
      const own = this.isBatchless ? dims : dims.slice(1);
      const bytes = elementCount(own) * data.BYTES_PER_ELEMENT;
      const make = data.constructor as Field['make'];
      const field: Field = { name, dtype, dims: own, offset, bytes, make };
      offset += bytes;
      return field;
    });
    const bytes = offset * this.total;
    if (bytes <= (this.options.most ?? Math.min(mostInMemory, freeMemoryBytes() / 4)))
      this.memory = new Uint8Array(bytes);
    else {
      const path = join(this.options.folder, `samples-${randomBytes(4).toString('hex')}.bin`);
      this.file = { handle: await open(path, 'wx+'), path };
    }
    if (batch.labels) this.labels = new Int32Array(this.total);
    if (batch.targets)
      this.targets = { data: new Float32Array(this.total * batch.targets.width), width: batch.targets.width };
  }

  async discard(): Promise<void> {
    await this.file?.handle.close();
    if (this.file) await rm(this.file.path, { force: true });
  }
}

const bytesOf = (fields: readonly Field[]): number => fields.reduce((sum, { bytes }) => sum + bytes, 0);

async function readFully(handle: FileHandle, into: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < into.byteLength; ) {
    const { bytesRead } = await handle.read(into, done, into.byteLength - done, at + done);
    if (bytesRead === 0) throw new Error('the file of prepared samples ends before a sample');
    done += bytesRead;
  }
}
