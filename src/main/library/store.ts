// Store: artifacts under the hash of their content. What is there is whole: written elsewhere, synced, then renamed in.
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export class Store {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  folderOf(sha256: string): string {
    return join(this.root, sha256.slice(0, 2), sha256);
  }

  /** Takes a finished folder in; the same content is kept once. Answers where it is. Nothing is left of `folder`. */
  async adopt(folder: string, files: readonly string[], sha256: string): Promise<string> {
    const target = this.folderOf(sha256);
    if (await isThere(target)) {
      await rm(folder, { recursive: true, force: true });
      return target;
    }
    for (const file of files) await sync(join(folder, file), 'r+');
    for (const inner of new Set([...files.map((file) => dirname(join(folder, file))), folder])) await syncFolder(inner);
    await mkdir(dirname(target), { recursive: true });
    await move(folder, target);
    await syncFolder(dirname(target));
    await syncFolder(this.root);
    return target;
  }

  /** Bytes that were freed. */
  async remove(sha256: string): Promise<number> {
    const folder = this.folderOf(sha256);
    const bytes = await bytesIn(folder);
    await rm(folder, { recursive: true, force: true });
    return bytes;
  }

  async *everything(): AsyncGenerator<{ sha256: string; folder: string }> {
    for (const shelf of await names(this.root)) {
      for (const sha256 of await names(join(this.root, shelf))) {
        yield { sha256, folder: join(this.root, shelf, sha256) };
      }
    }
  }
}

/** Bytes of a file or of everything in a folder; 0 where there is nothing. */
export async function bytesIn(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (found === null) return 0;
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const name of await names(path)) bytes += await bytesIn(join(path, name));
  return bytes;
}

/** Names in a folder; none where there is no folder. */
export async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Windows refuses to rename what a virus scanner or a mapped file still holds: it lets go within a moment. */
export async function move(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (attempt === 10 || (code !== 'EBUSY' && code !== 'EPERM' && code !== 'EACCES')) throw error;
      await new Promise((resolve) => setTimeout(resolve, attempt * 20));
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

async function sync(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder survive a power cut; Windows has no such call. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform !== 'win32') await sync(folder, 'r');
}
