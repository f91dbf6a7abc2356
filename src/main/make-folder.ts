// Makes a folder and those above it, one at a time: Node's recursive mkdir never returns under a parent that takes none (/proc).
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Throws what the first step that fails throws; a file in the way is `EEXIST`. */
export async function makeFolder(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  // Somebody else may have made it meanwhile.
  await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  });
}
