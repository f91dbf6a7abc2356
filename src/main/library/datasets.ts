// The shelf of datasets: opened by path, never copied; the fingerprint says whether two runs saw the same samples.
import { createHash } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { DatasetSummary, InputSpec, LibraryDataset } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import type { History } from '../history';
import type { DatasetRecord } from '../history/datasets';
import { newId } from '../history/ids';
import type { FileToHash, Hasher } from './hasher';
import { nameInside } from './identity';

export type Preset = Record<string, InputSpec>;

/** What an engine reads from a dataset's headers. */
export type OpenData = (ask: {
  path: string;
  preset?: Preset;
}) => Promise<{ readonly summary: DatasetSummary; readonly files: readonly FileToHash[] }>;

export class DatasetShelf {
  readonly #history: History;
  readonly #hasher: Hasher;
  readonly #openData: OpenData;
  readonly #originOf: (path: string) => LibraryDataset['origin'];

  constructor(
    history: History,
    hasher: Hasher,
    openData: OpenData,
    originOf: (path: string) => LibraryDataset['origin'],
  ) {
    this.#history = history;
    this.#hasher = hasher;
    this.#openData = openData;
    this.#originOf = originOf;
  }

  async open(named: string, preset: Preset | null): Promise<DatasetRecord> {
    const path = resolve(named.startsWith('~/') ? join(homedir(), named.slice(2)) : named);
    if (!existsSync(path)) {
      const known = this.#history.datasets.byPrefix(named);
      if (known) return known;
      refuse('not-found', `There is no dataset at ${path}.`);
    }
    const real = realpathSync(path);
    const { summary, files } = await this.#openData({ path: real, ...(preset === null ? {} : { preset }) });
    const known = this.#history.datasets.at(real, preset);
    const fingerprint =
      known && sameFiles(known.files, files) && JSON.stringify(known.summary.spec) === JSON.stringify(summary.spec)
        ? known.fingerprint
        : await this.#fingerprint(real, summary, files);
    const record: DatasetRecord = {
      id: known?.id ?? newId(),
      path: real,
      preset,
      origin: this.#originOf(real),
      openedAt: new Date().toISOString(),
      fingerprint,
      summary,
      files: files.map(({ path, bytes, mtimeMs }) => ({ path, bytes, mtimeMs })),
    };
    this.#history.datasets.put(record);
    return record;
  }

  get(id: string): DatasetRecord {
    return this.#history.datasets.byPrefix(id) ?? refuse('not-found', `The library has no dataset ${id}.`);
  }

  list(): DatasetRecord[] {
    return this.#history.datasets.list();
  }

  /** Refuses when a file is not as it was when the dataset was opened. */
  assertUnchanged(record: DatasetRecord): void {
    for (const file of record.files) {
      const now = statSync(file.path, { throwIfNoEntry: false });
      if (now && now.size === file.bytes && now.mtimeMs === file.mtimeMs) continue;
      refuse(
        'changed',
        `The dataset ${record.summary.name} changed since it was opened: ${file.path}${now ? '' : ' is gone'}.`,
        'Open it again.',
      );
    }
  }

  /** Over every file's content, and over how it is read: other preprocessing is another dataset. */
  async #fingerprint(path: string, summary: DatasetSummary, files: readonly FileToHash[]): Promise<string> {
    const digests = await this.#hasher.hash(files);
    const folder = statSync(path).isDirectory() ? path : dirname(path);
    const hash = createHash('sha256');
    files.forEach((file, index) => {
      hash.update(`${digests[index]} ${file.bytes} ${nameInside(folder, file.path)}\n`);
    });
    return hash.update(JSON.stringify(summary.spec)).digest('hex');
  }
}

export function datasetRow(record: DatasetRecord): LibraryDataset {
  const { id, summary, origin, openedAt, fingerprint } = record;
  return { id, summary, origin, openedAt, fingerprint };
}

function sameFiles(known: DatasetRecord['files'], files: readonly FileToHash[]): boolean {
  return (
    known.length === files.length &&
    known.every((file, index) => {
      const other = files[index]!;
      return file.path === other.path && file.bytes === other.bytes && file.mtimeMs === other.mtimeMs;
    })
  );
}
