// Library: models and datasets by reference, uploads and artifacts by content, and what all that weighs.
import { mkdirSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { RunCheckpoint, RunRow } from '../../contract/words/run';
import type { History } from '../history';
import { checkpointIn, isKept, mayGoOn } from './checkpoints';
import { DatasetShelf, type OpenData } from './datasets';
import { Hasher } from './hasher';
import { ModelShelf, type OpenFile } from './models';
import { bytesIn, names, Store } from './store';
import { Uploads } from './uploads';

/** A file that is too large for the contract. */
export interface BlobFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly type: string;
}

/** An artifact that no row speaks of may be one that another host is just recording; older than this it is a leftover. */
const leftoverMs = 10 * 60_000;
const usageMs = 3_000;

export class Library {
  readonly #history: History;
  readonly #root: string;
  readonly #hasher = new Hasher();
  #usage: { readonly at: number; readonly answer: Promise<{ libraryBytes: number; sweepableBytes: number }> } | null =
    null;
  readonly store: Store;
  readonly uploads: Uploads;
  readonly models: ModelShelf;
  readonly datasets: DatasetShelf;

  constructor(
    history: History,
    options: { workspace: string; samples: string; openFile: OpenFile; openData: OpenData },
  ) {
    this.#history = history;
    this.#root = options.workspace;
    const folder = join(options.workspace, 'library');
    mkdirSync(join(folder, 'sha256'), { recursive: true });
    mkdirSync(this.jobs, { recursive: true });
    this.store = new Store(join(folder, 'sha256'));
    this.uploads = new Uploads(join(folder, 'uploads'));
    const originOf = (path: string) =>
      this.uploads.owns(path) ? 'stored' : relative(options.samples, path).startsWith('..') ? 'referenced' : 'sample';
    this.models = new ModelShelf(history, this.#hasher, options.openFile, originOf);
    this.datasets = new DatasetShelf(history, this.#hasher, options.openData, originOf);
  }

  /** Where jobs work; one folder each. */
  get jobs(): string {
    return join(this.#root, 'jobs');
  }

  hash(files: Parameters<Hasher['hash']>[0]): Promise<readonly string[]> {
    return this.#hasher.hash(files);
  }

  /** Takes a model off the list. Files of the user's are never touched; ours go with the last row that speaks of them. */
  async forgetModel(id: string): Promise<number> {
    const record = this.models.get(id);
    this.#history.models.remove(record.id);
    if (record.origin === 'stored') {
      const bytes = record.files.reduce((sum, file) => sum + file.bytes, 0);
      await this.uploads.remove(record.path);
      return bytes;
    }
    if (record.origin !== 'artifact' || record.sha256 === null) return 0;
    const shared = this.#history.models.bySha256(record.sha256).some((other) => other.origin === 'artifact');
    return shared ? 0 : this.store.remove(record.sha256);
  }

  async forgetDataset(id: string): Promise<number> {
    const record = this.datasets.get(id);
    this.#history.datasets.remove(record.id);
    if (record.origin !== 'stored') return 0;
    await this.uploads.remove(record.path);
    return record.files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /** `<model id>.<n>` is the n-th file of a model; only files that are ours to give. */
  async blob(id: string): Promise<BlobFile | null> {
    const [, modelId, index] = /^([a-z2-7]{12})\.(\d{1,4})$/.exec(id) ?? [];
    const record = modelId === undefined ? null : this.#history.models.get(modelId);
    const file = record?.files[Number(index)];
    if (!record || !file || record.origin === 'referenced') return null;
    const found = await stat(file.path).catch(() => null);
    if (!found?.isFile()) return null;
    return { path: file.path, name: basename(file.path), bytes: found.size, type: 'application/octet-stream' };
  }

  /** What a run that ended early can be gone on from. */
  async checkpoint(run: Pick<RunRow, 'id' | 'kind' | 'state' | 'error'>): Promise<RunCheckpoint | null> {
    return mayGoOn(run) ? checkpointIn(join(this.jobs, run.id)) : null;
  }

  /** Gives up what a run could have been gone on from; bytes that are free then. */
  async discard(run: Pick<RunRow, 'id' | 'kind' | 'state' | 'error'>): Promise<number> {
    if (!mayGoOn(run)) return 0;
    const folder = join(this.jobs, run.id);
    const bytes = await bytesIn(folder);
    await rm(folder, { recursive: true, force: true });
    this.#usage = null;
    return bytes;
  }

  /** A run that goes on from another one takes its folder over; where there is none it begins anew. */
  async takeOver(from: string, to: string): Promise<void> {
    await rename(join(this.jobs, from), join(this.jobs, to)).catch(() => {});
  }

  /** Walked at most every few seconds: the workbench asks more often. */
  usage(): Promise<{ libraryBytes: number; sweepableBytes: number }> {
    if (this.#usage === null || Date.now() - this.#usage.at > usageMs) {
      this.#usage = { at: Date.now(), answer: this.#weigh() };
    }
    return this.#usage.answer;
  }

  async #weigh(): Promise<{ libraryBytes: number; sweepableBytes: number }> {
    let sweepableBytes = 0;
    for (const path of await this.#leftovers()) sweepableBytes += await bytesIn(path);
    return { libraryBytes: await bytesIn(join(this.#root, 'library')), sweepableBytes };
  }

  /** Removes what an ended host left behind, save what a run can still be resumed from. */
  async sweep(): Promise<void> {
    for (const path of await this.#leftovers()) {
      const run = this.#history.runs.get(basename(path))?.row;
      const checkpoint = run && (await this.checkpoint(run));
      if (!checkpoint || !isKept(checkpoint)) await rm(path, { recursive: true, force: true });
    }
  }

  async close(): Promise<void> {
    await this.#hasher.close();
  }

  /** Folders of jobs that have ended, and artifacts that nothing speaks of. */
  async #leftovers(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await names(this.jobs)) {
      const state = this.#history.runs.get(name)?.row.state;
      const path = join(this.jobs, name);
      if (state === undefined ? await isOld(path) : state !== 'queued' && state !== 'running') found.push(path);
    }
    for await (const { sha256, folder } of this.store.everything()) {
      if (this.#history.models.bySha256(sha256).length === 0 && (await isOld(folder))) found.push(folder);
    }
    return found;
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - Math.max(found.mtimeMs, found.ctimeMs) > leftoverMs;
}
