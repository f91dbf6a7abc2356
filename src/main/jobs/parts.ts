// Parts: what an export that was killed leaves beside its target, under a name that says which process wrote it.
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Removes `.<target>.lathe-part-<pid>` of processes that are gone; true when nothing of the kind is left. */
export async function removeParts(target: string): Promise<boolean> {
  const name = basename(target);
  let left = false;
  for (const found of await readdir(dirname(target)).catch(() => [])) {
    const [, of, pid] = /^\.(.+)\.lathe-part-(\d+)$/.exec(found) ?? [];
    if (of !== name && of !== `${name}.zip`) continue;
    if (isAlive(Number(pid))) left = true;
    else await rm(join(dirname(target), found), { recursive: true, force: true });
  }
  return !left;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
