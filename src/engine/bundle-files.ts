// Writing a bundle's files so that a power cut leaves all of it or nothing, and listing what a folder really holds.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileEntry } from '../contract/words/model';
import { refuse } from '../contract/words/refusal';

/** A folder under a temporary name; `finish` gives it its own, `abandon` leaves nothing. */
export class PendingFolder {
  readonly entries: FileEntry[] = [];
  private constructor(
    readonly path: string,
    private readonly out: string,
  ) {}

  static async create(out: string, bytesNeeded: number): Promise<PendingFolder> {
    await refuseTaken(out);
    const parent = dirname(out);
    await mkdir(parent, { recursive: true });
    await sweepAbandoned(out);
    const { bavail, bsize } = await statfs(parent);
    if (bavail * bsize < bytesNeeded) {
      refuse(
        'disk-full',
        `${parent} has ${bavail * bsize} bytes free, and the bundle needs about ${bytesNeeded}.`,
        'Free some space, or choose another disk.',
      );
    }
    const path = pendingName(out, process.pid);
    await rm(path, { recursive: true, force: true });
    await mkdir(path);
    return new PendingFolder(path, out);
  }

  /** Writes one file and waits until it is on the disk. `path` is relative and uses `/`. */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    await this.stream(path, [bytes]);
  }

  async copy(from: string, path: string): Promise<FileEntry> {
    return this.stream(path, createReadStream(from, { highWaterMark: 1 << 20 }));
  }

  /** A file that was written into the folder by other means. */
  async adopt(path: string): Promise<void> {
    const { sha256, bytes } = await hashFile(join(this.path, path));
    await syncFile(join(this.path, path));
    this.entries.push({ path, sha256, bytes });
  }

  private async stream(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<FileEntry> {
    const file = join(this.path, path);
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(file, 'wx');
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      for await (const piece of pieces) {
        hash.update(piece);
        await handle.writeFile(piece);
        bytes += piece.byteLength;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    const entry = { path, sha256: hash.digest('hex'), bytes };
    this.entries.push(entry);
    return entry;
  }

  async finish(): Promise<void> {
    for (const folder of await foldersIn(this.path)) await syncFile(folder);
    await refuseTaken(this.out);
    await rename(this.path, this.out);
    await syncFile(dirname(this.out));
  }

  async abandon(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

const pendingName = (out: string, pid: number) => join(dirname(out), `.${basename(out)}.lathe-part-${pid}`);

/** Leftovers of exports whose process is gone. */
async function sweepAbandoned(out: string): Promise<void> {
  const prefix = `.${basename(out)}.lathe-part-`;
  for (const name of await readdir(dirname(out))) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length));
    if (pid !== process.pid && Number.isInteger(pid) && !isAlive(pid)) {
      await rm(join(dirname(out), name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export async function refuseTaken(path: string): Promise<void> {
  const taken = await lstat(path).then(
    () => true,
    () => false,
  );
  if (taken) refuse('exists', `${path} is there already.`, 'Choose another name; a bundle never overwrites anything.');
}

/** Windows cannot sync a folder; everything else can. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => null);
  if (!handle) return;
  await handle.sync().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM' && error.code !== 'EINVAL') throw error;
  });
  await handle.close();
}

async function foldersIn(folder: string): Promise<string[]> {
  const inner: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) inner.push(...(await foldersIn(join(folder, entry.name))));
  }
  return [...inner, folder];
}

export async function hashFile(path: string, onPiece?: () => void): Promise<{ sha256: string; bytes: number }> {
  const hash: Hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    onPiece?.();
    hash.update(piece);
    bytes += piece.byteLength;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** The identity of several files: SHA-256 over the lines `sha256 bytes relative/path\n`, sorted by path; of one, its own. */
export function identityOf(files: readonly FileEntry[]): string {
  if (files.length === 1) return files[0]!.sha256;
  const hash = createHash('sha256');
  for (const file of [...files].sort(byPath)) hash.update(`${file.sha256} ${file.bytes} ${file.path}\n`);
  return hash.digest('hex');
}

export function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** What stops a path that a file names from leaving its folder: relative, `/` only, no `..`, no drive, no empty part. */
export function isContained(path: string): boolean {
  if (path === '' || path.length > 1024 || path.includes('\\') || path.includes('\0') || /^[a-z]:/i.test(path))
    return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

export interface Found {
  readonly path: string;
  readonly kind: 'file' | 'link' | 'other';
}

/** Everything below a folder but folders, links not followed. Null when there is more than a bundle ever has. */
export async function listEverything(folder: string, most: number): Promise<Found[] | null> {
  const found: Found[] = [];
  const walk = async (below: string): Promise<boolean> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        if (path.split('/').length > 64 || !(await walk(path))) return false;
        continue;
      }
      found.push({ path, kind: entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'link' : 'other' });
      if (found.length > most) return false;
    }
    return true;
  };
  return (await walk('')) ? found : null;
}
