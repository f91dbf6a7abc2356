// Checkpoints: what an engine left of a run that did not come to its end, which runs may go on from one, and how long it is kept.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RunCheckpoint, RunRow } from '../../contract/words/run';

const files = ['checkpoint.json', 'checkpoint-before.json'];
const scratch = 'scratch.bin';
const keptMs = 3 * 24 * 3_600_000;

/** Its host or its engine is gone; a run that was cancelled or refused keeps nothing. */
export function mayGoOn({ kind, state, error }: Pick<RunRow, 'kind' | 'state' | 'error'>): boolean {
  if (kind === 'evaluate') return false;
  return state === 'interrupted' || (state === 'failed' && error?.code === 'engine-died');
}

/** The newest checkpoint in a job's folder: of tensors that were cut, of a training, or of both. */
export async function checkpointIn(folder: string): Promise<RunCheckpoint | null> {
  const [cut, training] = [await cutIn(folder), await trainingIn(join(folder, trainings))];
  if (!training) return cut;
  const bytes = training.bytes + (cut?.bytes ?? 0);
  return { at: training.at, bytes, tensors: cut?.tensors ?? 0, step: training.step };
}

const trainings = 'checkpoints';
const trainingFile = /^step-(\d+)\.checkpoint$/;

/** The newest file of any training of the run. */
async function trainingIn(folder: string): Promise<{ at: string; bytes: number; step: number } | null> {
  let newest: { at: string; bytes: number; step: number } | null = null;
  for (const path of await readdir(folder, { recursive: true }).catch(() => [])) {
    const found = trainingFile.exec(basename(path));
    const facts = found && (await stat(join(folder, path)).catch(() => null));
    if (!found || !facts) continue;
    const at = facts.mtime.toISOString();
    if (!newest || at > newest.at) newest = { at, bytes: facts.size, step: Number(found[1]) };
  }
  return newest;
}

async function cutIn(folder: string): Promise<RunCheckpoint | null> {
  const held = await stat(join(folder, scratch)).catch(() => null);
  for (const name of held ? files : []) {
    try {
      const { at, bytes, entries } = JSON.parse(await readFile(join(folder, name), 'utf8'));
      return { at, bytes, tensors: entries.length };
    } catch {
      // Not there, or cut off by a power failure: the one before it may be whole.
    }
  }
  return null;
}

export function isKept(checkpoint: RunCheckpoint): boolean {
  return Date.now() - Date.parse(checkpoint.at) < keptMs;
}

/** Whatever decides the bytes of an artifact; under another key nothing of a checkpoint is taken. */
export function checkpointKey(...decides: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(decides)).digest('hex');
}
