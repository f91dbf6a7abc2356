// Writes a model to disk, one tensor at a time: what is held in memory is one buffer and the graph without its weights.
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import { type Model, storedBytes } from '../../graph/graph';
import { openTensorFile, readBytes, readExactly } from '../../graph/tensor';
import { allInside, encodeModel } from './encode-model';
import type { Encoder, Piece } from './encoder';
import { layOut, placeIn, tensorsOf } from './layout';

/** A protobuf message ends at 2^31 − 1 bytes. */
const largestMessage = 2 ** 31 - 1;
/** Above this, weights go to a data file: it can be mapped, and the runtime does not hold the model twice while loading. */
const externalAbove = 1_500_000_000;
const copyBytes = 4 * 2 ** 20;

export interface WriteOptions {
  /** Absolute; made when absent. */
  readonly folder: string;
  /** A plain file name; the data file is called `<file>.data`. */
  readonly file: string;
  /** `auto`: when the model would exceed 1.5 GB. `in-place`: weights that lie in files of the folder are named there, not copied. */
  readonly external?: 'auto' | 'never' | 'always' | 'in-place';
  readonly signal?: AbortSignal;
  /** Told now and then how many of the bytes are written. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes under temporary names, syncs, renames: in a fresh folder a reader sees the whole model or nothing.
 * Returns the files written, relative to `folder`, the model first.
 */
export async function write(model: Model, options: WriteOptions): Promise<string[]> {
  const { file, external = 'auto' } = options;
  checkFileName(file);
  await mkdir(options.folder, { recursive: true });
  const folder = await realpath(options.folder);
  const dataFile = `${file}.data`;
  checkSources(model, [join(folder, file), join(folder, dataFile)]);

  const inside = encodeModel(model, allInside);
  const isExternal = external === 'always' || (external === 'auto' && inside.length > externalAbove);
  const layout = isExternal ? layOut(model, dataFile) : null;
  const place = external === 'in-place' ? placeIn(folder) : layout?.place;
  const message = place ? encodeModel(model, place) : inside;
  if (message.length > largestMessage) tooLarge(message.length, isExternal);

  const copier = new Copier(options, message.length + (layout?.bytes ?? 0));
  const written: { temporary: string; final: string }[] = [];
  try {
    // The data file first: once the model file is there, everything it names is there.
    if (layout && layout.tensors.length > 0) {
      written.push(
        await writeFile(folder, dataFile, async (handle) => {
          for (const { tensor, offset } of layout.tensors) await copier.copy(tensor, handle, offset);
        }),
      );
    }
    written.push(
      await writeFile(folder, file, async (handle) => {
        let offset = 0;
        for (const piece of message.pieces()) offset = await copier.copy(piece, handle, offset);
      }),
    );
    for (const { temporary, final } of written) await rename(temporary, final);
    await syncFolder(folder);
  } catch (cause) {
    for (const { temporary } of written) await rm(temporary, { force: true });
    throw cause;
  } finally {
    await copier.close();
  }
  return written.length === 2 ? [file, dataFile] : [file];
}

/** A small model as bytes, its tensors inside. */
export async function encode(model: Model): Promise<Uint8Array> {
  const message: Encoder = encodeModel(model, allInside);
  if (message.length > largestMessage) tooLarge(message.length, false);
  const out = new Uint8Array(message.length);
  let at = 0;
  for (const piece of message.pieces()) {
    const bytes = piece instanceof Uint8Array ? piece : await readBytes(piece);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

function tooLarge(bytes: number, isExternal: boolean): never {
  const size = `${(bytes / 1e9).toFixed(1)} GB`;
  refuse(
    'unsupported',
    isExternal
      ? `Without its weights the model still takes ${size}, and an ONNX file ends at 2.1 GB.`
      : `The model takes ${size}, and an ONNX file ends at 2.1 GB.`,
    isExternal ? undefined : 'Write its weights to a data file beside it.',
  );
}

/** The name becomes a path and stands in the model file, so it must be plain on every system. */
function checkFileName(file: string): void {
  const isPlain = file.length > 0 && file.length <= 200 && !file.startsWith('.') && !/[/\\<>:"|?*\p{Cc}]/u.test(file);
  if (!isPlain) refuse('usage', `${JSON.stringify(file)} cannot be the name of a model file.`);
}

/** Weights are read while the model is written: a file must not be replaced by itself. */
function checkSources(model: Model, targets: readonly string[]): void {
  for (const tensor of tensorsOf(model)) {
    if (tensor.data.kind === 'file' && targets.includes(tensor.data.file)) {
      refuse('exists', `${tensor.data.file} holds weights of this model and cannot be overwritten by it.`);
    }
  }
}

async function writeFile(folder: string, file: string, fill: (handle: FileHandle) => Promise<void>) {
  const temporary = join(folder, `.${file}.${randomUUID()}.part`);
  const handle = await open(temporary, 'wx');
  try {
    await fill(handle);
    await handle.sync();
    await handle.close();
  } catch (cause) {
    await handle.close();
    await rm(temporary, { force: true });
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') {
      refuse('disk-full', `The disk is full; ${file} could not be written.`, 'Free some space and start again.');
    }
    throw cause;
  }
  return { temporary, final: join(folder, file) };
}

/** After this the new names survive a power cut. Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Copies pieces through one buffer; source files stay open until the end. */
class Copier {
  private readonly sources = new Map<string, FileHandle>();
  private readonly buffer = new Uint8Array(copyBytes);
  private readonly options: WriteOptions;
  private readonly total: number;
  private done = 0;

  constructor(options: WriteOptions, total: number) {
    this.options = options;
    this.total = total;
  }

  /** Returns the offset behind what was written. */
  async copy(piece: Piece, into: FileHandle, offset: number): Promise<number> {
    if (piece instanceof Uint8Array) return this.put(piece, into, offset);
    const { data } = piece;
    if (data.kind === 'bytes') return this.put(data.bytes, into, offset);
    if (data.kind === 'strings') throw new TypeError(`tensor ${piece.name} has no stored bytes to copy`);
    const source = await this.source(data.file);
    const length = storedBytes(piece);
    for (let at = 0; at < length; at += copyBytes) {
      const part = this.buffer.subarray(0, Math.min(copyBytes, length - at));
      await readExactly(source, part, data.offset + at, data.file);
      await this.put(part, into, offset + at);
    }
    return offset + length;
  }

  private async put(bytes: Uint8Array, into: FileHandle, offset: number): Promise<number> {
    for (let at = 0; at < bytes.length; ) {
      this.options.signal?.throwIfAborted();
      const length = Math.min(copyBytes, bytes.length - at);
      const { bytesWritten } = await into.write(bytes, at, length, offset + at);
      at += bytesWritten;
      this.done += bytesWritten;
      this.options.onProgress?.(this.done, this.total);
    }
    return offset + bytes.length;
  }

  private async source(file: string): Promise<FileHandle> {
    let handle = this.sources.get(file);
    if (!handle) {
      handle = await openTensorFile(file);
      this.sources.set(file, handle);
    }
    return handle;
  }

  async close(): Promise<void> {
    for (const handle of this.sources.values()) await handle.close();
  }
}
