// Reads a dataset's files in order and in pieces, gzipped or not, and never more than was announced.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Refused, refuse } from '../../contract/words/refusal';
import type { SeenFile } from '../tasks';

/** Deflate cannot expand a byte into more than 1,032: what announces more is lying. */
const largestExpansion = 1032;

/** Values in one sample: 64 Mi, so that a lying header cannot ask for the machine's memory. */
export const mostValuesPerSample = 2 ** 26;

/** Samples in one split; their labels are held in memory, four bytes each. */
export const mostSamples = 2 ** 26;

/** A regular file as it is now; links are followed, since the user named it. */
export async function seeFile(path: string): Promise<SeenFile> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'EACCES'
      ? refuse('bad-dataset', `${basename(path)} may not be read.`, 'Give yourself the right to read it.')
      : refuse('not-found', `${path} is not there.`, 'Check the path; paths inside dataset.json are relative to it.'),
  );
  if (!facts.isFile()) refuse('bad-dataset', `${basename(path)} is not a file.`);
  return { path, bytes: facts.size, mtimeMs: facts.mtimeMs };
}

/** Bytes of a file in order. Sniffs gzip by its magic, not by its name. */
export class ByteStream {
  private readonly chunks: AsyncIterator<Buffer>;
  private held: Buffer = Buffer.alloc(0);

  private constructor(
    private readonly name: string,
    private readonly source: Readable,
    private readonly end: () => Promise<void>,
  ) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  static async open(file: SeenFile, at = 0): Promise<ByteStream> {
    const handle = await openUnchanged(file);
    try {
      const gzipped = (await sniff(handle)) === 'gzip';
      const raw = handle.createReadStream({ start: gzipped ? 0 : at, highWaterMark: 1 << 18, autoClose: false });
      const source: Readable = gzipped ? raw.pipe(createGunzip({ chunkSize: 1 << 18 })) : raw;
      if (gzipped) raw.on('error', (error) => source.destroy(error));
      const stream = new ByteStream(basename(file.path), source, async () => {
        raw.destroy();
        source.destroy();
        await handle.close();
      });
      if (gzipped) await stream.skip(at);
      return stream;
    } catch (error) {
      await handle.close().catch(() => {});
      throw error;
    }
  }

  /** Over a stream that someone else opened: a member of an archive. */
  static over(name: string, source: Readable, end: () => Promise<void>): ByteStream {
    return new ByteStream(name, source, end);
  }

  /** Exactly `length` bytes; a view that is valid until the next read. */
  async read(length: number): Promise<Uint8Array> {
    const bytes = await this.upTo(length);
    if (bytes.byteLength < length) refuse('bad-dataset', `${this.name} ends before all its samples.`, cutShort);
    return bytes;
  }

  /** At most `length` bytes, fewer at the end. */
  async upTo(length: number): Promise<Uint8Array> {
    const parts: Buffer[] = [this.held];
    let have = this.held.byteLength;
    while (have < length) {
      const next = await this.next();
      if (!next) break;
      parts.push(next);
      have += next.byteLength;
    }
    const held = parts.length === 1 ? this.held : Buffer.concat(parts, have);
    this.held = held.subarray(Math.min(length, have));
    // A plain view: Buffer's own `slice` would not copy.
    return new Uint8Array(held.buffer, held.byteOffset, Math.min(length, have));
  }

  async skip(length: number): Promise<void> {
    let left = length;
    while (left > 0) {
      if (this.held.byteLength === 0) {
        const next = await this.next();
        if (!next) refuse('bad-dataset', `${this.name} ends before all its samples.`, cutShort);
        this.held = next;
      }
      const step = Math.min(left, this.held.byteLength);
      this.held = this.held.subarray(step);
      left -= step;
    }
  }

  private async next(): Promise<Buffer | null> {
    try {
      const step = await this.chunks.next();
      return step.done ? null : step.value;
    } catch (error) {
      if (error instanceof Refused) throw error;
      return refuse('bad-dataset', `${this.name} is damaged: ${(error as Error).message}.`, cutShort);
    }
  }

  async close(): Promise<void> {
    this.source.on('error', () => {});
    await this.end();
  }
}

const cutShort = 'Fetch or copy the file again; it seems cut short.';

async function openUnchanged(file: SeenFile): Promise<FileHandle> {
  const handle = await open(file.path, 'r').catch(() =>
    refuse('not-found', `${file.path} is gone.`, 'Open the dataset again.'),
  );
  const now = await handle.stat();
  if (now.size !== file.bytes || now.mtimeMs !== file.mtimeMs) {
    await handle.close();
    refuse('changed', `${basename(file.path)} changed since the dataset was opened.`, 'Open the dataset again.');
  }
  return handle;
}

async function sniff(handle: FileHandle): Promise<'gzip' | 'plain'> {
  const magic = Buffer.alloc(2);
  const { bytesRead } = await handle.read(magic, 0, 2, 0);
  return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b ? 'gzip' : 'plain';
}

/**
 * Refuses a file that cannot hold the bytes its header announces, before anything of that size is allocated.
 * A gzipped file is only held to deflate's greatest expansion; what is missing shows when it is read.
 */
export async function holdsAnnounced(file: SeenFile, announced: number, what: string): Promise<void> {
  const handle = await openUnchanged(file);
  try {
    const most = (await sniff(handle)) === 'gzip' ? file.bytes * largestExpansion : file.bytes;
    if (announced > most) {
      const size = file.bytes.toLocaleString('en');
      refuse(
        'bad-dataset',
        `${basename(file.path)} announces ${what} and has ${size} bytes, too few for that.`,
        cutShort,
      );
    }
  } finally {
    await handle.close();
  }
}
