// Numbers that go with samples, in one file of the job's folder: written once in the order of the samples, found again after an interruption.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { openTensorFile, readExactly } from '../graph/tensor';

/** Up to this they are in memory as well. */
const mostInMemory = 2 ** 28;
const readAtOnce = 2 ** 22;

/** float32 little-endian, row after row; then the CRC-32 of them, uint32 little-endian. */
export class KeptRows {
  private constructor(
    private readonly file: string,
    readonly width: number,
    private readonly memory: Float32Array | null,
  ) {}

  /** The rows of an earlier attempt; null where they are not there, or not whole. */
  static async find(file: string, count: number, most = mostInMemory): Promise<KeptRows | null> {
    const handle = await open(file, 'r').catch(() => null);
    if (!handle) return null;
    try {
      const bytes = (await handle.stat()).size - 4;
      const width = bytes / 4 / count;
      if (!Number.isInteger(width) || width <= 0) return null;
      const whole = bytes <= most ? new Float32Array(bytes / 4) : null;
      let sum = 0;
      for (let at = 0; at < bytes; at += readAtOnce) {
        const length = Math.min(readAtOnce, bytes - at);
        const piece = whole ? new Uint8Array(whole.buffer, at, length) : new Uint8Array(length);
        await readExactly(handle, piece, at, file);
        sum = crc32(piece, sum);
      }
      const end = Buffer.alloc(4);
      await readExactly(handle, end, bytes, file);
      return end.readUInt32LE() === sum ? new KeptRows(file, width, whole) : null;
    } finally {
      await handle.close();
    }
  }

  /** Writes what `rows` gives, all of one width; on failure there is no file. */
  static async write(file: string, rows: AsyncIterable<Float32Array>): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    const beside = `${file}.part`;
    const handle = await open(beside, 'w');
    try {
      let sum = 0;
      const put = async (piece: Uint8Array): Promise<void> => {
        for (let done = 0; done < piece.byteLength; )
          done += (await handle.write(piece, done, piece.byteLength - done)).bytesWritten;
      };
      for await (const values of rows) {
        const piece = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        sum = crc32(piece, sum);
        await put(piece);
      }
      const end = Buffer.alloc(4);
      end.writeUInt32LE(sum);
      await put(end);
      await handle.sync();
      await handle.close();
      await rename(beside, file);
    } catch (error) {
      await handle.close().catch(() => {});
      await rm(beside, { force: true });
      throw error;
    }
  }

  /** The rows at these places, one after another. */
  async at(indices: readonly number[]): Promise<Float32Array> {
    const { width, memory } = this;
    const out = new Float32Array(indices.length * width);
    if (memory) {
      for (const [row, index] of indices.entries())
        out.set(memory.subarray(index * width, (index + 1) * width), row * width);
      return out;
    }
    const handle = await openTensorFile(this.file);
    try {
      for (const [row, index] of indices.entries())
        await readExactly(handle, new Uint8Array(out.buffer, row * width * 4, width * 4), index * width * 4, this.file);
      return out;
    } finally {
      await handle.close();
    }
  }
}
