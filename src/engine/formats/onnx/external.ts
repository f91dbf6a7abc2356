// External data: the files a model's tensors lie in. A location is the file's claim, so it is checked against the disk, never trusted.
import { type BigIntStats, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import type { TensorData } from '../../graph/graph';
import { limits } from './limits';
import type { ResolveExternal } from './message';

/** Keys of `docs/ExternalData.md`. `checksum` speaks of a file that we do not rewrite; ORT's `prepacked_*` is a cache of its own. */
const knownKeys: ReadonlySet<string> = new Set(['location', 'offset', 'length', 'checksum', 'basepath']);

interface DataFile {
  /** Where the location points, beside the model as the user named it. */
  readonly named: string;
  /** The same, links resolved. */
  readonly real: string;
  readonly size: number;
  /** Ranges taken so far, start → length, for the overlap check. */
  readonly ranges: Map<number, number>;
  claimed: number;
}

export class ExternalFiles {
  private readonly model: string;
  private readonly modelName: string;
  private readonly folder: string;
  private readonly allowed: readonly string[];
  private readonly files = new Map<string, DataFile>();

  /** `model` is absolute, as the user named it; the model file itself may be a link (in a Hugging Face cache all files are). */
  constructor(model: string) {
    this.model = model;
    this.modelName = basename(model);
    this.folder = dirname(model);
    const real = realpathSync(this.folder);
    this.allowed = [real, dirname(realpathSync(model)), ...blobsBeside(real)];
  }

  /** Data files seen, beside the model as the user named it. */
  get named(): readonly string[] {
    return [...this.files.values()].map((file) => file.named);
  }

  readonly resolve: ResolveExternal = (tensor, dtype, entries, expectedBytes): TensorData => {
    for (const key of entries.keys()) {
      if (!knownKeys.has(key) && !key.startsWith('prepacked_')) {
        this.no(`tensor ${tensor} has external data with the key ${key}, which ONNX does not know`);
      }
    }
    if (entries.get('basepath')) this.no(`tensor ${tensor} moves its data to another folder with a basepath`);
    const location = entries.get('location');
    if (!location) this.no(`tensor ${tensor} does not say which file its data is in`);
    const file = this.file(location, tensor);
    const offset = this.number(entries.get('offset') ?? '0', 'offset', tensor);
    const length = this.number(entries.get('length') ?? String(expectedBytes), 'length', tensor);
    if (length !== expectedBytes) {
      this.no(
        `tensor ${tensor}, ${dtype}, takes ${comma(expectedBytes)} bytes and claims ${comma(length)} of ${location}`,
      );
    }
    if (offset + length > file.size) {
      this.no(
        `tensor ${tensor} claims bytes ${comma(offset)} to ${comma(offset + length)} of ${location}, which has ${comma(file.size)}`,
        'Fetch the data file again; it may have been cut off on the way.',
      );
    }
    this.claim(file, offset, length, location);
    return { kind: 'file', file: file.real, offset, length };
  };

  /** Equal ranges are tied weights; ranges that overlap in part are nothing a writer makes. */
  checkOverlaps(): void {
    for (const file of this.files.values()) {
      let end = 0;
      for (const [start, length] of [...file.ranges].sort(([a], [b]) => a - b)) {
        if (start < end) this.no(`two tensors overlap in ${basename(file.named)} at byte ${comma(start)}`);
        end = start + length;
      }
    }
  }

  private claim(file: DataFile, offset: number, length: number, location: string): void {
    if (length === 0) return;
    const before = file.ranges.get(offset);
    if (before !== undefined && before !== length)
      this.no(`two tensors overlap in ${location} at byte ${comma(offset)}`);
    file.ranges.set(offset, length);
    file.claimed += length;
    if (file.claimed > file.size * limits.sharing) {
      this.no(`tensors claim ${comma(file.claimed)} bytes of ${location}, which has ${comma(file.size)}`);
    }
  }

  private file(location: string, tensor: string): DataFile {
    const known = this.files.get(location);
    if (known) return known;
    if (this.files.size >= limits.externalFiles)
      this.no(`it names more than ${comma(limits.externalFiles)} data files`);
    checkLocation(location, tensor, (why) => this.no(why));
    const named = join(this.folder, location);
    const found = this.find(named) ?? this.find(join(dirname(realpathSync(this.model)), location));
    if (!found) {
      refuse(
        'bad-model',
        `${this.modelName} keeps its weights in ${location}, which is not beside it.`,
        `Put ${location} into the same folder.`,
      );
    }
    if (!this.allowed.some((folder) => contains(folder, found.real))) {
      this.no(`${location} is a link that leads out of the model's folder, to ${found.real}`);
    }
    if (!found.stat.isFile()) this.no(`${location} is not a file`);
    const file: DataFile = { named, real: found.real, size: Number(found.stat.size), ranges: new Map(), claimed: 0 };
    this.files.set(location, file);
    return file;
  }

  private find(path: string): { real: string; stat: BigIntStats } | null {
    try {
      const real = realpathSync(path);
      return { real, stat: statSync(real, { bigint: true }) };
    } catch (cause) {
      if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return null;
      this.no(`${basename(path)} cannot be opened (${(cause as NodeJS.ErrnoException).code})`);
    }
  }

  private number(text: string, key: string, tensor: string): number {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      this.no(`tensor ${tensor} has external data with the ${key} ${JSON.stringify(text.slice(0, 40))}`);
    }
    return value;
  }

  private no(why: string, mend?: string): never {
    refuse('bad-model', `${this.modelName} cannot be opened: ${why}.`, mend);
  }
}

/** For a model that came as bytes: it has no folder to look in. */
export const noExternalFiles: ResolveExternal = (tensor) =>
  refuse('bad-model', `Tensor ${tensor} keeps its data in another file, and this model came without one.`);

/** A relative POSIX path below the model's folder, before the disk is looked at. */
export function checkLocation(location: string, tensor: string, no: (why: string) => never): void {
  // onnxruntime marks memory addresses of its own process with this prefix; in a file it is an attack.
  if (location.includes('_ORT_MEM_ADDR_')) no(`tensor ${tensor} names an address in memory as its data file`);
  if (location.includes('\0')) no(`tensor ${tensor} names a data file with a zero byte in it`);
  const parts = location.split(/[\\/]/);
  if (isAbsolute(location) || parts[0] === '' || /^[A-Za-z]:/.test(location)) {
    no(
      `tensor ${tensor} names the absolute path ${location} as its data file; ONNX allows files beside the model only`,
    );
  }
  if (parts.includes('..')) {
    no(`tensor ${tensor} names ${location} as its data file, which leads out of the model's folder`);
  }
}

/** `…/snapshots/<revision>/…` of a Hugging Face cache has its files in `…/blobs`, as links. */
function blobsBeside(folder: string): string[] {
  const parts = folder.split(sep);
  const at = parts.lastIndexOf('snapshots');
  return at > 0 && parts.length > at + 1 ? [[...parts.slice(0, at), 'blobs'].join(sep)] : [];
}

function contains(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== '' && !isAbsolute(way) && way.split(sep)[0] !== '..';
}

function comma(value: number): string {
  return value.toLocaleString('en');
}
