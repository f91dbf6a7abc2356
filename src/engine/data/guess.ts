// Recognises data that comes without a dataset.json, by names and kinds, and says what it took it for.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { DatasetSpec, SplitName, SplitSpec } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import { recordBytes } from './sources/cifar10-binary';
import { pictureExtensions } from './sources/image-folder';
import { npzKeys } from './sources/npz';
import { formatOf, refuseText } from './spec';

export interface Guess {
  readonly spec: DatasetSpec;
  /** What the paths in it are relative to. */
  readonly folder: string;
  readonly notes: readonly string[];
}

type Parts = Partial<Record<SplitName, SplitSpec>>;
const isInputs = /images?|inputs?|data|(^|[^a-z])x([^a-z]|$)/i;
const isLabels = /labels?|targets?|classes|(^|[^a-z])y([^a-z]|$)/i;

/** Which split a name speaks of; what speaks of none is for testing. */
function splitOf(name: string): SplitName {
  if (/train/i.test(name)) return 'train';
  if (/val/i.test(name)) return 'validation';
  return /calib/i.test(name) ? 'calibration' : 'test';
}

function guessed(folder: string, splits: Parts, task: DatasetSpec['task'], said: string): Guess {
  const names = Object.keys(splits).join(', ');
  return { spec: { lathe: 1, task, splits }, folder, notes: [`No dataset.json: taken for ${said}, with ${names}.`] };
}

export async function guessFile(path: string): Promise<Guess> {
  const folder = dirname(path);
  const name = basename(path);
  if (pictureExtensions.has(extname(name).toLowerCase())) {
    refuse('bad-dataset', `${name} is one picture.`, 'Open the folder it is in.');
  }
  const format = await formatOf(path);
  switch (format) {
    case 'text':
      return refuseText(path);
    case 'token-ids':
      return guessed(folder, { test: { inputs: name } }, 'language-modelling', 'token ids');
    case 'npz':
      return guessNpz(path);
    case 'idx':
    case 'npy': {
      // The labels stand beside the inputs under the same name, but for one word.
      const beside = (await readdir(folder)).filter((other) => other !== name && isLabels.test(other));
      const word = (text: string) => text.replace(/images?|labels?|inputs?|targets?|idx\d|[xy]/gi, '');
      const labels = beside.find((other) => word(other) === word(name));
      const split: SplitSpec = { inputs: name, ...(labels ? { labels } : {}) };
      return guessed(
        folder,
        { test: split },
        labels ? 'classification' : 'none',
        `${format === 'idx' ? 'IDX' : 'NumPy'} arrays`,
      );
    }
    case 'csv':
      return guessed(folder, { test: { inputs: name } }, 'classification', 'a table');
    case 'jsonl':
      return guessed(folder, { test: { inputs: name } }, 'classification', 'JSON lines');
    default:
      return guessed(folder, { test: { inputs: name } }, 'classification', 'CIFAR-10 records');
  }
}

export async function guessFolder(folder: string): Promise<Guess> {
  const entries = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const isPicture = (name: string) => pictureExtensions.has(extname(name).toLowerCase());

  const arrays = files.filter((name) => /(idx\d-ubyte|\.idx|\.npy)(\.gz)?$/i.test(name));
  if (arrays.length > 0) return guessArrays(folder, arrays);

  const records = await asyncFilter(
    files,
    async (name) => /\.bin$/i.test(name) && (await holdsRecords(join(folder, name))),
  );
  if (records.length > 0) return guessRecords(folder, records);

  if (files.some(isPicture)) {
    const task = files.includes('labels.csv') ? 'classification' : 'none';
    const said = task === 'none' ? 'pictures without labels' : 'pictures with their classes in labels.csv';
    return guessed(folder, { test: { inputs: '.' } }, task, said);
  }
  const archives = files.filter((name) => /\.npz$/i.test(name));
  if (archives.length === 1) return guessNpz(join(folder, archives[0]!));
  const tables = files.filter((name) => /\.(csv|jsonl)$/i.test(name));
  if (tables.length > 0) return guessTables(folder, tables);
  if (folders.length > 0) return guessClassFolders(folder, folders);
  const text = files.find((name) => /\.txt$/i.test(name));
  if (text) refuseText(join(folder, text));
  return refuse(
    'bad-dataset',
    `${basename(folder)} holds no data that is known here.`,
    'Known are IDX, NumPy, CIFAR-10, CSV and JSON lines files, and folders of pictures.',
  );
}

function guessArrays(folder: string, names: readonly string[]): Guess {
  const splits: Parts = {};
  for (const name of names) {
    if (isLabels.test(name) && !/images?/i.test(name)) continue;
    if (!isInputs.test(name) && names.length > 1) continue;
    const split = splitOf(name);
    const labels = names.find((other) => other !== name && isLabels.test(other) && splitOf(other) === split);
    splits[split] ??= { inputs: name, ...(labels ? { labels } : {}) };
  }
  if (Object.keys(splits).length === 0) {
    refuse(
      'bad-dataset',
      `Which of ${names.slice(0, 4).join(', ')} holds the inputs cannot be told.`,
      'Say it in a dataset.json.',
    );
  }
  const task = Object.values(splits).some((split) => split.labels) ? 'classification' : 'none';
  return guessed(folder, splits, task, /npy/i.test(names[0]!) ? 'NumPy arrays' : 'IDX arrays');
}

function guessRecords(folder: string, names: readonly string[]): Guess {
  const splits: Parts = {};
  const batches = names.filter((name) => /^data_batch_\d+\.bin$/.test(name));
  if (batches.length > 0) splits.train = { inputs: 'data_batch_*.bin' };
  for (const name of names) if (!batches.includes(name)) splits[splitOf(name)] ??= { inputs: name };
  return guessed(folder, splits, 'classification', 'CIFAR-10 records');
}

function guessTables(folder: string, names: readonly string[]): Guess {
  const splits: Parts = {};
  for (const name of names) splits[splitOf(name)] ??= { inputs: name };
  return guessed(folder, splits, 'classification', /csv$/i.test(names[0]!) ? 'tables' : 'JSON lines');
}

async function guessClassFolders(folder: string, folders: readonly string[]): Promise<Guess> {
  const parts = folders.filter((name) => /^(train(ing)?|val(id(ation)?)?|test(ing)?|calib(ration)?)$/i.test(name));
  if (parts.length === 0)
    return guessed(folder, { test: { inputs: '.' } }, 'classification', 'pictures in a folder for each class');
  const splits: Parts = {};
  for (const name of parts) splits[splitOf(name)] ??= { inputs: name };
  return guessed(folder, splits, 'classification', 'pictures in a folder for each class');
}

async function guessNpz(path: string): Promise<Guess> {
  const name = basename(path);
  const keys = [...(await npzKeys(path)).keys()];
  const splits: Parts = {};
  for (const key of keys) {
    if (!isInputs.test(key) || (isLabels.test(key) && !/images?/i.test(key))) continue;
    const labels = keys.find((other) => other !== key && isLabels.test(other) && splitOf(other) === splitOf(key));
    splits[splitOf(key)] ??= { inputs: `${name}:${key}`, ...(labels ? { labels: `${name}:${labels}` } : {}) };
  }
  if (Object.keys(splits).length === 0 && keys.length === 1) splits.test = { inputs: `${name}:${keys[0]}` };
  if (Object.keys(splits).length === 0) {
    refuse(
      'bad-dataset',
      `Which of ${keys.slice(0, 6).join(', ')} in ${name} holds the inputs cannot be told.`,
      'Say it in a dataset.json.',
    );
  }
  const task = Object.values(splits).some((split) => split.labels) ? 'classification' : 'none';
  return guessed(dirname(path), splits, task, 'NumPy arrays');
}

async function holdsRecords(path: string): Promise<boolean> {
  const { size } = await stat(path);
  return size > 0 && size % recordBytes === 0;
}

async function asyncFilter<T>(list: readonly T[], test: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept: T[] = [];
  for (const item of list) if (await test(item)) kept.push(item);
  return kept;
}
