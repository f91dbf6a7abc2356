// One upload session: the files of one model or dataset, streamed to disk and resumable; the disk is the only state.
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { refuse } from '../../../contract/words/refusal';
import { safePath } from './names';

/** What stays free on the disk: history and the runs in progress need some. */
const spareBytes = 256e6;
const mostFiles = 4096;
const mostSessions = 64;
const staleAfterMs = 24 * 3600_000;

/** What a browser announces: a name for the whole and every file with its size. */
export const announcement = z.strictObject({
  name: z.string().min(1).max(255),
  files: z
    .array(
      z.strictObject({
        path: z.string().min(1).max(4096),
        bytes: z
          .number()
          .int()
          .nonnegative()
          .max(2 ** 46),
      }),
    )
    .min(1)
    .max(mostFiles),
});
type Announcement = z.infer<typeof announcement>;

export interface UploadFile {
  readonly path: string;
  readonly bytes: number;
  /** Bytes that are on the disk: where to resume. */
  readonly offset: number;
}

export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly files: readonly UploadFile[];
}

/** Layout: `<folder>/<id>/session.json` and `<folder>/<id>/files/<relative path>`. */
export class Uploads {
  readonly #folder: string;
  readonly #freeBytes: () => Promise<number>;
  /** What comes in now, by `<id>/<index>`. */
  readonly #writing = new Map<string, Readable>();
  readonly #completing = new Set<string>();

  constructor(folder: string, freeBytes = () => freeBytesOf(folder)) {
    this.#folder = folder;
    this.#freeBytes = freeBytes;
  }

  async start(asked: Announcement): Promise<Upload> {
    const files = asked.files.map(({ path, bytes }) => ({ path: safePath(path), bytes }));
    const bad = files.findIndex((file) => file.path === null);
    if (bad >= 0) refuse('usage', `${JSON.stringify(asked.files[bad]?.path)} is not a name inside the upload.`);
    const paths = files.map((file) => file.path ?? '');
    const folded = new Set(paths.map((path) => path.toLowerCase()));
    if (folded.size < paths.length) refuse('usage', 'Two files of the upload have the same name.');
    for (const path of folded)
      for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1))
        if (folded.has(path.slice(0, at))) refuse('usage', `${path} is both a file and a folder.`);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    await this.#needSpace(bytes);
    if ((await this.#ids()).length >= mostSessions) refuse('busy', `${mostSessions} uploads are already open.`);
    const id = randomBytes(16).toString('hex');
    const session = { name: safePath(basename(asked.name)) ?? 'upload', files };
    await mkdir(join(this.#folder, id, 'files'), { recursive: true });
    await writeFile(join(this.#folder, id, 'session.json'), JSON.stringify(session));
    for (const path of paths) {
      const target = join(this.#folder, id, 'files', path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, '', { flag: 'wx' });
    }
    return this.get(id);
  }

  async get(id: string): Promise<Upload> {
    if (!/^[0-9a-f]{32}$/.test(id)) refuse('not-found', 'There is no such upload.');
    const text = await readFile(join(this.#folder, id, 'session.json'), 'utf8').catch(() =>
      refuse('not-found', 'There is no such upload: it was cancelled, completed, or left for a day.'),
    );
    const session = JSON.parse(text) as Announcement;
    const files = await Promise.all(
      session.files.map(async ({ path, bytes }) => {
        const offset = (await stat(join(this.#folder, id, 'files', path))).size;
        return { path, bytes, offset };
      }),
    );
    return { id, name: session.name, files };
  }

  /**
   * Appends what comes in to file number `index`, which must be `offset` bytes long already. What was received when the
   * stream breaks stays, so the next call goes on there. Answers the new length.
   */
  async append(id: string, index: number, offset: number, bytes: number, body: Readable): Promise<number> {
    const upload = await this.get(id);
    const file = upload.files[index] ?? refuse('not-found', `The upload has no file ${index}.`);
    const key = `${id}/${index}`;
    if (this.#writing.has(key) || this.#completing.has(id)) refuse('busy', `${file.path} is being written.`);
    if (offset !== file.offset) refuse('changed', `${file.path} goes on at byte ${file.offset}.`);
    if (offset + bytes > file.bytes) refuse('usage', `${file.path} was announced with ${file.bytes} bytes.`);
    this.#writing.set(key, body);
    try {
      await this.#needSpace(bytes);
      await write(join(this.#folder, id, 'files', file.path), body, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') refuse('disk-full', `The disk is full: ${file.path}.`);
      throw error;
    } finally {
      this.#writing.delete(key);
    }
    return offset + bytes;
  }

  /** Hands the finished file (or the folder, for several) to `register`; the session is gone afterwards. */
  async complete(id: string, register: (path: string, name: string) => Promise<string>): Promise<string> {
    const upload = await this.get(id);
    const short = upload.files.find((file) => file.offset < file.bytes);
    if (short) refuse('usage', `${short.path} has ${short.offset} of ${short.bytes} bytes.`);
    if (this.#completing.has(id) || this.#isWriting(id)) refuse('busy', `${upload.name} is being written.`);
    this.#completing.add(id);
    try {
      const folder = join(this.#folder, id, 'files');
      const only = upload.files.length === 1 ? upload.files[0]?.path : undefined;
      const root = only ?? commonFolder(upload.files.map((file) => file.path));
      await syncAll(upload.files.map((file) => join(folder, file.path)));
      const path = await register(join(folder, root), root === '' ? upload.name : basename(root));
      await rm(join(this.#folder, id), { recursive: true, force: true });
      return path;
    } finally {
      this.#completing.delete(id);
    }
  }

  /** Nothing of it is left afterwards. */
  async cancel(id: string): Promise<void> {
    await this.get(id);
    if (this.#completing.has(id)) refuse('busy', 'The upload is being completed.');
    for (const [key, body] of this.#writing) if (key.startsWith(`${id}/`)) body.destroy();
    // Renamed first: a half-removed session must not answer.
    const gone = join(this.#folder, `gone-${id}`);
    await rename(join(this.#folder, id), gone);
    await rm(gone, { recursive: true, force: true });
  }

  /** Removes what nobody went on with for a day; other hosts of the workspace may be writing the rest. */
  async sweep(now = Date.now()): Promise<void> {
    for (const id of await this.#ids()) {
      const upload = await this.get(id).catch(() => null);
      const paths = ['session.json', ...(upload?.files.map((file) => join('files', file.path)) ?? [])];
      const times = await Promise.all(paths.map((path) => stat(join(this.#folder, id, path)).catch(() => null)));
      const last = Math.max(0, ...times.map((found) => found?.mtimeMs ?? 0));
      if (now - last > staleAfterMs) await rm(join(this.#folder, id), { recursive: true, force: true });
    }
  }

  async #ids(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.filter((name) => /^(gone-)?[0-9a-f]{32}$/.test(name));
  }

  #isWriting(id: string): boolean {
    return [...this.#writing.keys()].some((key) => key.startsWith(`${id}/`));
  }

  async #needSpace(bytes: number): Promise<void> {
    const free = await this.#freeBytes();
    if (bytes + spareBytes <= free) return;
    refuse(
      'disk-full',
      `The upload needs ${bytes} bytes and ${Math.max(0, Math.floor(free - spareBytes))} are free for it.`,
      'Free some space, or open the path on this machine: that copies nothing.',
    );
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Appends; nothing beyond `bytes` is written. `body` outlives a refusal: its connection carries the answer. */
async function write(path: string, body: Readable, bytes: number): Promise<void> {
  await using file = await open(path, 'a');
  let seen = 0;
  for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    seen += piece.length;
    if (seen > bytes) refuse('usage', 'More bytes came than were announced.');
    await file.writeFile(piece);
  }
  await file.sync();
}

/** The one folder that holds all files, '' where there is none: a dropped folder keeps its name. */
function commonFolder(paths: readonly string[]): string {
  const first = paths[0]?.split('/')[0] ?? '';
  return paths.every((path) => path.startsWith(`${first}/`)) ? first : '';
}

async function syncAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await using file = await open(path, 'r+');
    await file.sync();
  }
}
