// `--out DIR`: absent or empty before, complete afterwards; written under a temporary name beside it and renamed.
import { constants, createReadStream, createWriteStream, existsSync } from 'node:fs';
import { access, copyFile, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { refuse } from '../../contract/words/refusal';
import type { RunDocument } from '../../contract/words/run';
import { makeFolder } from '../make-folder';

/** Refuses before the work begins, not after it. */
export async function checkOutFolder(given: string): Promise<void> {
  const path = resolve(given);
  if (!existsSync(path)) return await checkWritable(dirname(path));
  const names = await readdir(path).catch(() => refuse('exists', `${given} is there and is not a folder.`));
  if (names.length > 0) refuse('exists', `The folder ${given} is not empty.`, 'Name one that is absent or empty.');
}

/** The nearest folder there is: a run of an hour must not end with what could have been said before. */
async function checkWritable(path: string): Promise<void> {
  if (!existsSync(path)) return await checkWritable(dirname(path));
  await access(path, constants.W_OK);
}

/** `from` holds the artifact's files under the paths of `document.artifact.files`. An aborted `signal` leaves nothing. */
export async function writeOutFolder(
  given: string,
  from: string,
  document: RunDocument,
  signal: AbortSignal,
): Promise<void> {
  const path = resolve(given);
  const partial = `${path}.partial-${process.pid}`;
  await makeFolder(dirname(path));
  try {
    for (const file of document.artifact.files) {
      const target = join(partial, file.path);
      await mkdir(dirname(target), { recursive: true });
      await copy(join(from, file.path), target, signal);
    }
    await writeFile(join(partial, 'run.json'), `${JSON.stringify(document, null, 2)}\n`, { flush: true });
    signal.throwIfAborted();
    // Only an empty folder can be removed so: what came into it meanwhile is not lost.
    await rmdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') refuse('exists', `The folder ${given} is no longer empty.`);
    });
    await rename(partial, path);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Shares the blocks where the file system can; else copies, and stops when told to. */
async function copy(from: string, to: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const shared = await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL).then(
    () => true,
    () => false,
  );
  if (!shared) await pipeline(createReadStream(from), createWriteStream(to, { flush: true }), { signal });
}
