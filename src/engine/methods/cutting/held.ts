// Values of many samples, kept between two pieces of a model: in memory while they are few, in files of the job's folder beyond that.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataType } from '../../graph/graph';
import type { Feed, FeedData } from '../../runtime/session';

/** Above this values go to files. */
const mostInMemory = 128 * 2 ** 20;

interface Place {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly at: number;
  readonly bytes: number;
}

interface Row {
  readonly feeds: (Feed | Place)[];
  file: FileHandle | null;
  path: string;
  written: number;
  inMemory: number;
}

type Numbers = Exclude<FeedData, string[]>;
const arrays: Partial<Record<DataType, new (buffer: ArrayBuffer) => Numbers>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

export class Held {
  private readonly rows = new Map<string, Row>();
  private inMemory = 0;

  constructor(
    private readonly folder: string,
    private readonly most = mostInMemory,
  ) {}

  get names(): IterableIterator<string> {
    return this.rows.keys();
  }

  has(name: string): boolean {
    return this.rows.has(name);
  }

  /** The value of the next sample; samples come in order. */
  async push(name: string, feed: Feed): Promise<void> {
    let row = this.rows.get(name);
    if (!row) this.rows.set(name, (row = { feeds: [], file: null, path: '', written: 0, inMemory: 0 }));
    const { data } = feed;
    if (Array.isArray(data) || this.inMemory + data.byteLength <= this.most) {
      const bytes = Array.isArray(data) ? 0 : data.byteLength;
      row.feeds.push(feed);
      row.inMemory += bytes;
      this.inMemory += bytes;
      return;
    }
    if (!row.file) {
      row.path = join(this.folder, `held-${randomBytes(4).toString('hex')}.bin`);
      row.file = await open(row.path, 'wx+');
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await row.file.write(bytes, done, bytes.byteLength - done, row.written + done);
      done += bytesWritten;
    }
    row.feeds.push({ dtype: feed.dtype, dims: feed.dims, at: row.written, bytes: bytes.byteLength });
    row.written += bytes.byteLength;
  }

  async read(name: string, sample: number): Promise<Feed> {
    const row = this.rows.get(name);
    const feed = row?.feeds[sample];
    if (!row || !feed) throw new Error(`${name} of sample ${sample} is not held`);
    if ('data' in feed) return feed;
    const buffer = new ArrayBuffer(feed.bytes);
    const bytes = new Uint8Array(buffer);
    for (let done = 0; done < feed.bytes; ) {
      const { bytesRead } = await row.file!.read(bytes, done, feed.bytes - done, feed.at + done);
      if (bytesRead === 0) throw new Error(`${row.path} ends before its values`);
      done += bytesRead;
    }
    const Numbers = arrays[feed.dtype];
    if (!Numbers) throw new Error(`values of type ${feed.dtype} cannot be held`);
    return { dtype: feed.dtype, dims: feed.dims, data: new Numbers(buffer) };
  }

  async drop(name: string): Promise<void> {
    const row = this.rows.get(name);
    if (!row) return;
    this.rows.delete(name);
    this.inMemory -= row.inMemory;
    await row.file?.close();
    if (row.path) await rm(row.path, { force: true });
  }

  async close(): Promise<void> {
    for (const name of [...this.rows.keys()]) await this.drop(name);
  }
}
