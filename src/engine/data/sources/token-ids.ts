// Token ids in a .json file: one list, or a list of lists (documents). Samples are windows of them.
import { open, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import { mostSamples, seeFile } from '../bytes';
import { cutWindows } from '../windows';
import type { Source, SourceRequest } from './source';

/** Parsed in memory at once: about 60 million tokens. */
const longestFile = 256 * 2 ** 20;
const largestId = 2 ** 31 - 1;
const usualContext = 512;

export async function openTokenIds({ path, text = {} }: SourceRequest): Promise<Source> {
  const file = await seeFile(path);
  const name = basename(path);
  if (file.bytes > longestFile) refuse('bad-dataset', `${name} has ${file.bytes} bytes; 256 MB is the limit.`);
  const found = await readDocuments(path, name);
  const notes: string[] = [];
  const { contextLength = usualContext } = text;
  const { stride = contextLength, bos = false } = text;
  if (contextLength < 2)
    refuse('bad-dataset', 'A window of one token scores nothing.', undefined, 'text.contextLength');
  const bosId = bos ? await bosOf(path, found, text.bosId) : null;
  const documents = bosId === null ? found : found.map((ids) => (ids[0] === bosId ? ids.subarray(1) : ids));
  const windows = cutWindows(
    documents.map(({ length }) => length),
    { contextLength, stride, bos },
  );
  if (windows.length === 0) refuse('bad-dataset', `${name} holds no token that another one predicts.`);
  if (windows.length > mostSamples) refuse('bad-dataset', `${name} makes more windows than are read here.`);
  const least = bos ? 1 : 2;
  const short = documents.filter(({ length }) => length < least).length;
  if (short > 0) notes.push(`${name}: ${short} sequences are too short to score and were left out.`);
  notes.push(
    `${name}: ${documents.length} sequences in ${windows.length} windows of at most ${contextLength} tokens, ${
      bosId === null ? 'taken as they are' : `BOS (${bosId}) before each`
    }.`,
  );
  let longest = 0;
  for (const { from, to } of windows) longest = Math.max(longest, to - from + (bosId === null ? 0 : 1));
  let largest = bosId ?? 0;
  for (const ids of documents) for (const id of ids) if (id > largest) largest = id;

  return {
    format: 'token-ids',
    files: [file],
    samples: windows.length,
    shape: { kind: 'tokens', longest, largest },
    dtype: 'int64',
    labels: null,
    notes,
    async *read(start) {
      for (let i = start; i < windows.length; i++) {
        const { document, from, to, scoredFrom } = windows[i]!;
        const lead = bosId === null ? 0 : 1;
        const ids = new Int32Array(to - from + lead);
        if (bosId !== null) ids[0] = bosId;
        ids.set(documents[document]!.subarray(from, to), lead);
        yield { kind: 'tokens', ids, scoredFrom: scoredFrom - from + lead };
      }
    },
  };
}

async function readDocuments(path: string, name: string): Promise<Int32Array[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    refuse('bad-dataset', `${name} is not JSON: ${(error as Error).message}.`);
  }
  if (!Array.isArray(value) || value.length === 0)
    refuse('bad-dataset', `${name} is no list of token ids.`, 'Write [ids…], or [[ids…], [ids…]] for several texts.');
  const lists: unknown[] = typeof value[0] === 'number' ? [value] : value;
  return lists.map((list, at) => {
    const where = lists.length > 1 ? `sequence ${at}` : 'it';
    if (!Array.isArray(list)) refuse('bad-dataset', `${name}: ${where} is no list of token ids.`);
    const ids = new Int32Array(list.length);
    for (let i = 0; i < list.length; i++) {
      const id: unknown = list[i];
      if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > largestId)
        refuse('bad-dataset', `${name}: ${where} holds ${JSON.stringify(id)?.slice(0, 40)}, which is no token id.`);
      ids[i] = id;
    }
    return ids;
  });
}

/** The BOS: as the dataset says, as a configuration beside the file says, else what every sequence begins with. */
async function bosOf(path: string, documents: readonly Int32Array[], said: number | undefined): Promise<number> {
  if (said !== undefined) return said;
  for (const beside of ['generation_config.json', 'config.json']) {
    const text = await readFile(join(dirname(path), beside), 'utf8').catch(() => '');
    const id = /"bos_token_id"\s*:\s*(\d+)/.exec(text);
    if (id) return Number(id[1]);
  }
  const first = documents[0]?.[0];
  if (first !== undefined && documents.length > 1 && documents.every((ids) => ids[0] === first)) return first;
  return refuse(
    'bad-dataset',
    `Which token is BOS cannot be told from ${basename(path)}.`,
    'Give its id as "bosId", or leave "bos" out and put it into the ids.',
    'text.bosId',
  );
}

/** A .json file that begins with a list holds token ids; an object would be a dataset's description. */
export async function holdsTokenIds(path: string): Promise<boolean> {
  const handle = await open(path);
  try {
    const start = Buffer.alloc(256);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    return start.toString('utf8', 0, bytesRead).trimStart().startsWith('[');
  } finally {
    await handle.close();
  }
}
