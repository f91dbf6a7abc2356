// Reads the members of a zip archive one at a time, from the file, with every size checked before anything is allocated.
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { refuse } from '../../contract/words/refusal';
import { ByteStream } from './bytes';

export interface ZipMember {
  readonly name: string;
  readonly bytes: number;
  /** Unix mode from the archive, 0 where it has none; tells a link from a file. */
  readonly mode: number;
}

interface Located extends ZipMember {
  readonly method: number;
  readonly packedBytes: number;
  readonly headerAt: number;
}

const endSignature = 0x06054b50;
const end64Locator = 0x07064b50;
const end64Signature = 0x06064b50;
const directorySignature = 0x02014b50;
const localSignature = 0x04034b50;
const most = { members: 100_000, directoryBytes: 64 * 2 ** 20 };

/** Opened once; members stream from their place. The caller closes it. */
export class ZipFile {
  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly size: number,
    private readonly located: ReadonlyMap<string, Located>,
  ) {}

  get members(): readonly ZipMember[] {
    return [...this.located.values()];
  }

  static async open(path: string): Promise<ZipFile> {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      return new ZipFile(path, handle, size, await readDirectory(handle, size, basename(path)));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** A member's bytes in order. `end` is called when the stream closes. */
  async stream(name: string, end: () => Promise<void> = async () => {}): Promise<ByteStream> {
    const file = basename(this.path);
    const member = this.located.get(name);
    if (!member) refuse('not-found', `${file} has no ${name}.`);
    const head = await readAt(this.handle, member.headerAt, 30, file);
    if (head.readUInt32LE(0) !== localSignature)
      refuse('bad-dataset', `${file} is a damaged zip: ${name} is not where it says.`);
    const start = member.headerAt + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    if (start + member.packedBytes > this.size) refuse('bad-dataset', `${file} is cut short at ${name}.`);
    if (member.packedBytes === 0) return ByteStream.over(name, Readable.from([]), end);
    // Not createReadStream: destroying that one closes the handle, which other members still need.
    const raw = Readable.from(pieces(this.handle, start, member.packedBytes, file));
    const unpacked: Readable = member.method === 8 ? raw.pipe(createInflateRaw({ chunkSize: 1 << 18 })) : raw;
    if (member.method === 8) raw.on('error', (error) => unpacked.destroy(error));
    return ByteStream.over(`${file}:${name}`, unpacked, async () => {
      raw.destroy();
      unpacked.destroy();
      await end();
    });
  }

  /** A member on its own; closing the stream closes the archive. */
  static async openMember(path: string, name: string): Promise<ByteStream> {
    const zip = await ZipFile.open(path);
    try {
      return await zip.stream(name, () => zip.close());
    } catch (error) {
      await zip.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function* pieces(handle: FileHandle, start: number, length: number, file: string): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; at += 1 << 18) yield readAt(handle, start + at, Math.min(1 << 18, length - at), file);
}

async function readAt(handle: FileHandle, at: number, length: number, file: string): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, at);
  if (bytesRead < length) refuse('bad-dataset', `${file} is a damaged zip: it ends early.`);
  return buffer;
}

async function readDirectory(handle: FileHandle, size: number, file: string): Promise<Map<string, Located>> {
  // The end record is 22 bytes and a comment of at most 65,535.
  const tailLength = Math.min(size, 22 + 0xffff);
  const tail = await readAt(handle, size - tailLength, tailLength, file);
  let end = tailLength - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--;
  if (end < 0) refuse('bad-dataset', `${file} is not a zip archive.`);
  let count = tail.readUInt16LE(end + 10);
  let length = tail.readUInt32LE(end + 12);
  let at = tail.readUInt32LE(end + 16);
  if (end >= 20 && tail.readUInt32LE(end - 20) === end64Locator) {
    const record = await readAt(handle, Number(tail.readBigUInt64LE(end - 20 + 8)), 56, file);
    if (record.readUInt32LE(0) !== end64Signature) refuse('bad-dataset', `${file} is a damaged zip.`);
    count = Number(record.readBigUInt64LE(32));
    length = Number(record.readBigUInt64LE(40));
    at = Number(record.readBigUInt64LE(48));
  }
  if (count > most.members || length > most.directoryBytes || at + length > size) {
    refuse('bad-dataset', `${file} is a zip whose list of members cannot be true.`);
  }
  const directory = await readAt(handle, at, length, file);
  const members = new Map<string, Located>();
  for (let i = 0, p = 0; i < count; i++) {
    if (p + 46 > length || directory.readUInt32LE(p) !== directorySignature)
      refuse('bad-dataset', `${file} is a damaged zip.`);
    const nameLength = directory.readUInt16LE(p + 28);
    const extraLength = directory.readUInt16LE(p + 30);
    const next = p + 46 + nameLength + extraLength + directory.readUInt16LE(p + 32);
    if (next > length) refuse('bad-dataset', `${file} is a damaged zip.`);
    const name = directory.toString('utf8', p + 46, p + 46 + nameLength);
    const member = locate(
      directory,
      p,
      name,
      directory.subarray(p + 46 + nameLength, p + 46 + nameLength + extraLength),
    );
    // A deflated byte yields at most 1,032; 64 bytes allow for the smallest stream's own header.
    const largest = member.method === 8 ? member.packedBytes * 1032 + 64 : member.packedBytes;
    if (members.has(name)) refuse('bad-dataset', `${file} has two members called ${name}.`);
    if (member.method !== 0 && member.method !== 8)
      refuse('bad-dataset', `${file}: ${name} is packed by a method not read here.`);
    if (member.bytes > largest)
      refuse('bad-dataset', `${file}: ${name} announces ${member.bytes} bytes, which it cannot hold.`);
    if ((directory.readUInt16LE(p + 8) & 1) === 1) refuse('bad-dataset', `${file}: ${name} is encrypted.`);
    members.set(name, member);
    p = next;
  }
  return members;
}

function locate(directory: Buffer, p: number, name: string, extra: Buffer): Located {
  let packedBytes = directory.readUInt32LE(p + 20);
  let bytes = directory.readUInt32LE(p + 24);
  let headerAt = directory.readUInt32LE(p + 42);
  // zip64: the fields that read 0xffffffff follow here, in this order, eight bytes each.
  for (let e = 0; e + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(e + 2);
    if (extra.readUInt16LE(e) === 1) {
      let field = e + 4;
      const take = (now: number) => {
        if (now !== 0xffffffff || field + 8 > extra.length) return now;
        field += 8;
        return Number(extra.readBigUInt64LE(field - 8));
      };
      bytes = take(bytes);
      packedBytes = take(packedBytes);
      headerAt = take(headerAt);
    }
    e += 4 + length;
  }
  const mode = directory.readUInt8(p + 5) === 3 ? directory.readUInt32LE(p + 38) >>> 16 : 0;
  return { name, bytes, mode, method: directory.readUInt16LE(p + 10), packedBytes, headerAt };
}
