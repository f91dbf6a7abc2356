// Reads dataset.json, and tells which format a path inside it is in.
import { open, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { type DatasetSpec, datasetSpec } from '../../contract/words/dataset';
import { sayIssue } from '../../contract/words/issue';
import { refuse } from '../../contract/words/refusal';
import { seeFile } from './bytes';
import { type SourceFormat, sources } from './sources/index';

/** Class names and a few lines: more is something else. */
const longestSpec = 4 * 2 ** 20;

export async function readSpec(path: string): Promise<DatasetSpec> {
  const file = await seeFile(path);
  const name = basename(path);
  if (file.bytes > longestSpec)
    refuse('bad-dataset', `${name} has ${file.bytes} bytes; 4 MB is the limit for a dataset's description.`);
  const handle = await open(path);
  const text = await handle.readFile('utf8').finally(() => handle.close());
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    refuse('bad-dataset', `${name} is not JSON: ${(error as Error).message}.`);
  }
  const parsed = datasetSpec.safeParse(value);
  if (!parsed.success) {
    const { place, sentence } = sayIssue(parsed.error);
    refuse('bad-dataset', `${name}: ${sentence}.`, undefined, place);
  }
  if (Object.keys(parsed.data.splits).length === 0)
    refuse('bad-dataset', `${name} names no splits.`, undefined, 'splits');
  return parsed.data;
}

export interface Located {
  readonly path: string;
  readonly format: SourceFormat;
  readonly key: string | null;
}

/** `format` as the spec spells it (`npz:key`), else what the path looks like; `data.npz:key` is understood too. */
export async function locate(path: string, format: string | undefined, place: string): Promise<Located> {
  const inside = /^(.*\.npz):([^/\\:]+)$/i.exec(path);
  const file = inside ? inside[1]! : path;
  const [name, ...rest] = (format ?? (inside ? 'npz' : await formatOf(file))).split(':');
  const key = rest.length > 0 ? rest.join(':') : (inside?.[2] ?? null);
  if (name === 'text') refuseText(path);
  if (!Object.hasOwn(sources, name!)) {
    const known = Object.keys(sources).join(', ');
    refuse('bad-dataset', `${place}.format: ${name} is not a format.`, `Known are ${known}.`, `${place}.format`);
  }
  return { path: file, format: name as SourceFormat, key };
}

export function refuseText(path: string): never {
  refuse(
    'unsupported',
    `${basename(path)} is text, and this version reads token ids only.`,
    'Write its ids as JSON: [[ids…], [ids…]].',
  );
}

/** By what it is, then by its name, then by its first bytes. */
export async function formatOf(path: string): Promise<string> {
  if (basename(path).includes('*')) return 'cifar10-binary';
  const facts = await stat(path).catch(() =>
    refuse('not-found', `${path} is not there.`, 'Paths in dataset.json are relative to it.'),
  );
  if (facts.isDirectory()) return 'image-folder';
  const name = basename(path).toLowerCase().replace(/\.gz$/, '');
  const extension = extname(name);
  if (/idx\d-ubyte$/.test(name) || extension === '.idx') return 'idx';
  const byExtension: Record<string, string> = {
    '.npy': 'npy',
    '.npz': 'npz',
    '.csv': 'csv',
    '.jsonl': 'jsonl',
    '.bin': 'cifar10-binary',
    '.txt': 'text',
    '.json': 'token-ids',
  };
  return byExtension[extension] ?? (await formatByMagic(path));
}

async function formatByMagic(path: string): Promise<string> {
  const handle = await open(path);
  try {
    const start = Buffer.alloc(6);
    await handle.read(start, 0, 6, 0);
    if (start.toString('latin1', 1, 6) === 'NUMPY') return 'npy';
    if (start.toString('latin1', 0, 2) === 'PK') return 'npz';
    if (start[0] === 0 && start[1] === 0 && start[2]! >= 8 && start[2]! <= 14 && start[3]! > 0) return 'idx';
  } finally {
    await handle.close();
  }
  return refuse(
    'bad-dataset',
    `${basename(path)} is no dataset that is known here.`,
    `Known are ${Object.keys(sources).join(', ')}, described by a dataset.json.`,
  );
}
