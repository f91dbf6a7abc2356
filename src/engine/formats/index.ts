// A path → a model, whatever its format. Broken and hostile files are normal here: the answer is a model or a refusal.
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Refused, refuse } from '../../contract/words/refusal';
import type { Model } from '../graph/graph';
import * as onnx from './onnx';
import { sniff } from './sniff';

export interface OpenedFormat {
  readonly format: 'onnx';
  readonly model: Model;
  /** Absolute paths as the user named them, the model file first. */
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

/** Opens a model file, or a folder that holds exactly one. */
export async function openFormat(path: string): Promise<OpenedFormat> {
  try {
    return await openAt(resolve(path));
  } catch (cause) {
    return refuseFor(cause, path);
  }
}

async function openAt(asked: string): Promise<OpenedFormat> {
  const file = statSync(asked).isDirectory() ? onlyModelIn(asked) : asked;
  const name = basename(file);
  if (!statSync(file).isFile()) refuse('bad-model', `${name} is not a file.`);
  const kind = sniff(file);
  if (kind) {
    const only = kind.code === 'unsupported' ? '; this build opens ONNX models only' : '';
    refuse(kind.code, `${name} is ${kind.is}${only}.`, kind.mend);
  }
  return { format: 'onnx', ...(await openOnnx(file)) };
}

/** A file with another ending may be ONNX all the same; where it is not, the sentence says so before it says what is wrong. */
async function openOnnx(file: string): Promise<onnx.Opened> {
  try {
    return await onnx.open(file);
  } catch (cause) {
    if (!(cause instanceof Refused) || onnx.match(file)) throw cause;
    refuse(
      cause.refusal.code,
      `${basename(file)} does not look like an ONNX model, the only kind this build opens. Read as one: ${cause.refusal.sentence}`,
    );
  }
}

/** What the disk itself says no to is a refusal as well; anything else is thrown on as it is. */
function refuseFor(cause: unknown, path: string): never {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return refuse('not-found', `${path} does not exist.`);
    case 'EACCES':
    case 'EPERM':
      return refuse('not-found', `${path} may not be read by this user.`);
    case 'ELOOP':
      return refuse('bad-model', `${path} is a link that leads to itself.`);
    case 'EIO':
      return refuse('bad-model', `${path} cannot be read: the disk reports an error.`);
    default:
      throw cause;
  }
}

function onlyModelIn(folder: string): string {
  const names = readdirSync(folder)
    .filter((name) => onnx.match(name) && !name.startsWith('.'))
    .sort();
  const [only, ...more] = names;
  if (only === undefined) refuse('not-found', `${folder} holds no .onnx file.`, 'Name the model file itself.');
  if (more.length > 0) {
    const few = names.slice(0, 5).join(', ') + (names.length > 5 ? ', …' : '');
    refuse('usage', `${folder} holds ${names.length} models: ${few}.`, 'Name the one to open.');
  }
  return join(folder, only);
}
