// The shelf of models: opened by path and never copied, recognised at once, known by content soon after.
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import type { FileEntry, Layer, LibraryModel } from '../../contract/words/model';
import { Refused, refuse } from '../../contract/words/refusal';
import type { History } from '../history';
import { newId } from '../history/ids';
import type { ModelRecord } from '../history/models';
import type { Hasher } from './hasher';
import { compare, folderOf, headerKey, identityOf, look, nameInside } from './identity';

/** What an engine reads from a model's headers. */
export interface OpenedFile {
  readonly summary: LibraryModel['summary'];
  readonly layers: readonly Layer[];
  readonly operators: LibraryModel['operators'];
  readonly notes: readonly string[];
  readonly files: readonly { readonly path: string }[];
}
export type OpenFile = (path: string) => Promise<OpenedFile>;

interface Hashing {
  share: number;
  readonly done: Promise<ModelRecord>;
}

/** Rows show how far the hash is at most this often. */
const progressMs = 250;

export class ModelShelf {
  readonly #history: History;
  readonly #hasher: Hasher;
  readonly #openFile: OpenFile;
  readonly #originOf: (path: string) => LibraryModel['origin'];
  readonly #hashing = new Map<string, Hashing>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #opening = new Map<string, Promise<ModelRecord>>();

  constructor(
    history: History,
    hasher: Hasher,
    openFile: OpenFile,
    originOf: (path: string) => LibraryModel['origin'],
  ) {
    this.#history = history;
    this.#hasher = hasher;
    this.#openFile = openFile;
    this.#originOf = originOf;
  }

  /** MODEL of the command line: a path on this machine, else the beginning of an id, of a run's id or of a SHA-256. */
  async open(named: string): Promise<ModelRecord> {
    const path = resolve(named.startsWith('~/') ? join(homedir(), named.slice(2)) : named);
    if (!existsSync(path)) {
      const known = this.#history.models.byPrefix(named);
      if (known) return known;
      const orId = isAbsolute(named) ? '' : `, and no model or run begins with ${named}`;
      refuse('not-found', `There is no file at ${path}${orId}.`);
    }
    const real = realpathSync(modelFileIn(path));
    // Dropped twice in a moment, it is still one model.
    const opening = this.#opening.get(real) ?? this.#recognise(path, real).finally(() => this.#opening.delete(real));
    this.#opening.set(real, opening);
    return opening;
  }

  async #recognise(path: string, real: string): Promise<ModelRecord> {
    for (const known of this.#history.models.atPath(real)) {
      const state = stateOf(known);
      if (state === 'same' || (state === 'touched' && known.sha256 !== null)) {
        const record = await this.settled(known).catch(() => null);
        if (record === null) continue;
        this.#history.models.setOpenedAt(record.id, new Date().toISOString());
        if (record.sha256 === null) this.#hash(record);
        return this.get(record.id);
      }
    }
    return this.#add(path, real);
  }

  /** An artifact that was just taken in; its content is known already. */
  async addArtifact(
    file: string,
    made: { runId: string; name: string; sha256: string; entries: readonly FileEntry[] },
  ): Promise<ModelRecord> {
    const opened = await this.#openFile(file);
    return this.#insert(opened, {
      path: realpathSync(file),
      origin: 'artifact',
      runId: made.runId,
      name: made.name,
      sha256: made.sha256,
      entries: made.entries,
    });
  }

  get(id: string): ModelRecord {
    const record = this.#history.models.get(id) ?? this.#history.models.byPrefix(id);
    return record ?? refuse('not-found', `The library has no model ${id}.`);
  }

  list(): ModelRecord[] {
    return this.#history.models.list();
  }

  /** As the contract shows it. */
  row(record: ModelRecord): LibraryModel {
    const refusal = refusalFor(record);
    return {
      id: record.id,
      name: record.name,
      summary: record.summary,
      layers: [...record.layers],
      operators: record.operators,
      hashed: record.sha256 !== null ? 1 : (this.#hashing.get(record.id)?.share ?? 0),
      origin: record.origin,
      ...(record.runId === null ? {} : { runId: record.runId }),
      openedAt: record.openedAt,
      notes: [...record.notes],
      ...(refusal === null ? {} : { refusal }),
    };
  }

  /** Waits until its content is known. */
  async hashed(id: string): Promise<ModelRecord & { readonly sha256: string; readonly entries: readonly FileEntry[] }> {
    let record = this.get(id);
    if (record.sha256 === null) record = await this.#hash(record).done;
    return record as ModelRecord & { sha256: string; entries: readonly FileEntry[] };
  }

  /** The record if its files are as they were; a file that was merely touched is hashed again. Otherwise a refusal. */
  async settled(record: ModelRecord): Promise<ModelRecord> {
    const state = stateOf(record);
    if (state === 'same') return record;
    if (state !== 'touched' || record.sha256 === null || record.entries === null)
      throw new Refused(refusalFor(record)!);
    const files = record.files.map((file) => look(file.path));
    const digests = await this.#hasher.hash(files);
    if (digests.some((digest, index) => digest !== record.entries![index]!.sha256)) throw new Refused(changed(record));
    this.#history.models.setFiles(record.id, headerKey(files), files);
    return this.get(record.id);
  }

  /** Hashing goes on where an earlier host was ended. */
  resume(): void {
    for (const record of this.list()) if (record.sha256 === null && stateOf(record) === 'same') this.#hash(record);
  }

  onProgress(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #add(path: string, real: string): Promise<ModelRecord> {
    const opened = await this.#openFile(path);
    const record = this.#insert(opened, {
      path: real,
      origin: this.#originOf(real),
      runId: null,
      name: nameOf(opened.files[0]?.path ?? path),
      sha256: null,
      entries: null,
    });
    this.#dropUnused(real, record.id);
    this.#hash(record);
    return record;
  }

  #insert(
    opened: OpenedFile,
    known: Pick<ModelRecord, 'path' | 'origin' | 'runId' | 'name' | 'sha256' | 'entries'>,
  ): ModelRecord {
    const files = opened.files.map((file) => look(file.path));
    const record: ModelRecord = {
      ...known,
      id: newId(),
      openedAt: new Date().toISOString(),
      header: headerKey(files),
      summary: opened.summary,
      layers: opened.layers,
      operators: opened.operators,
      notes: opened.notes,
      files,
    };
    this.#history.models.insert(record);
    return this.get(record.id);
  }

  /** Earlier content of the same path that no run was made from is of no more use. */
  #dropUnused(path: string, keep: string): void {
    for (const old of this.#history.models.atPath(path)) {
      if (old.id !== keep && this.#history.runs.list({ modelId: old.id, limit: 1 }).length === 0) {
        this.#history.models.remove(old.id);
      }
    }
  }

  #hash(record: ModelRecord): Hashing {
    const running = this.#hashing.get(record.id);
    if (running) return running;
    let told = 0;
    const total = record.files.reduce((sum, file) => sum + file.bytes, 0);
    const onProgress = (bytes: number) => {
      hashing.share = Math.min(0.999, bytes / Math.max(1, total));
      if (Date.now() - told < progressMs) return;
      told = Date.now();
      for (const listener of this.#listeners) listener(record.id);
    };
    const hashing: Hashing = { share: 0, done: this.#finishHash(record, onProgress) };
    this.#hashing.set(record.id, hashing);
    // Whoever needs the hash gets the error; a row that nobody asked for shows it by its files.
    hashing.done.catch(() => {}).finally(() => this.#hashing.delete(record.id));
    return hashing;
  }

  async #finishHash(record: ModelRecord, onProgress: (bytes: number) => void): Promise<ModelRecord> {
    const digests = await this.#hasher.hash(record.files, { onProgress });
    const folder = folderOf(record.files);
    const entries = record.files.map((file, index) => ({
      path: nameInside(folder, file.path),
      sha256: digests[index]!,
      bytes: file.bytes,
    }));
    const sha256 = identityOf(entries);
    this.#history.together(() => {
      this.#history.models.setIdentity(record.id, sha256, entries);
      this.#history.statistics.rekey(statisticsKey(record), sha256);
    });
    return this.get(record.id);
  }
}

/** What a model's statistics are kept under. */
export function statisticsKey(record: ModelRecord): string {
  return record.sha256 ?? `header:${record.header}`;
}

/** A folder with exactly one `.onnx` is that file; any other folder is the engine's to read or refuse. */
function modelFileIn(path: string): string {
  if (!statSync(path).isDirectory()) return path;
  const models = readdirSync(path).filter((name) => name.toLowerCase().endsWith('.onnx'));
  return models.length === 1 ? join(path, models[0]!) : path;
}

/** `resnet.onnx` is "resnet"; of `resnet/model.onnx` the folder says more. */
function nameOf(file: string): string {
  const name = basename(file, extname(file));
  return /^(model|decoder|encoder|network)$/i.test(name) ? basename(dirname(file)) || name : name;
}

function stateOf(record: ModelRecord): 'same' | 'touched' | 'different' | 'gone' {
  const order = ['gone', 'different', 'touched', 'same'] as const;
  const found = new Set(record.files.map(compare));
  return order.find((state) => found.has(state)) ?? 'same';
}

function refusalFor(record: ModelRecord): Refused['refusal'] | null {
  switch (stateOf(record)) {
    case 'gone':
      return {
        code: 'not-found',
        sentence: `${record.name} is no longer at ${record.summary.path}.`,
        mend: 'Put it back, or open it from where it is now.',
      };
    case 'different':
      return changed(record);
    case 'touched':
      return record.sha256 === null ? changed(record) : null;
    case 'same':
      return null;
  }
}

function changed(record: ModelRecord): Refused['refusal'] {
  return {
    code: 'changed',
    sentence: `${record.name} changed since it was opened (${record.summary.path}).`,
    mend: 'Open it again.',
  };
}
