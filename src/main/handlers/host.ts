// Host: the machine and process that serve this workbench, its memory and disk, and the workbench's settings.
import { readdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { freemem, homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import { availableBytes, heldBytes } from '../jobs/memory';
import { api } from './implement';
import type { Services } from './services';

/** A larger file is opened by its path: an upload would copy it first. */
const uploadAdvisedBelowBytes = 500e6;
const mostEntries = 2_000;
/** Looking into a folder costs a call each; only so many are looked into. */
const mostFoldersLookedInto = 200;

export const host = {
  info: api.host.info.handler(async ({ context }) => {
    const disk = await statfs(context.workspace);
    return {
      kind: context.kind,
      version: context.version,
      workspace: context.workspace,
      machine: await context.machine(),
      freeMemoryBytes: availableBytes() ?? freemem(),
      freeDiskBytes: disk.bavail * disk.bsize,
      dialogs: context.dialogs !== null,
      uploadAdvisedBelowBytes,
    };
  }),

  usage: api.host.usage.handler(async ({ context }) => {
    const engineBytes = enginePids(context).reduce((sum, pid) => sum + heldBytes(pid), 0);
    const { libraryBytes, sweepableBytes } = await context.library.usage();
    // What the engines may grow to: what they hold, and what the machine can still give.
    return {
      engineBytes,
      engineBoundBytes: engineBytes + (availableBytes() ?? freemem()),
      libraryBytes,
      sweepableBytes,
    };
  }),

  pick: api.host.pick.handler(async ({ context, input }) => {
    if (!context.dialogs) refuse('unsupported', 'There are no native dialogs here.', 'Open a path on this machine.');
    return { path: await context.dialogs.pick(input.what, input.suggested) };
  }),

  browse: api.host.browse.handler(async ({ input }) => {
    const path = resolve(input.path ?? homedir());
    const parent = dirname(path);
    return { path, parent: parent === path ? null : parent, entries: entriesOf(path) };
  }),

  settings: api.host.settings.handler(async ({ context }) => context.history.settings.all()),

  setSetting: api.host.setSetting.handler(async ({ context, input }) => {
    context.history.settings.set(input.key, input.value);
  }),
};

function enginePids({ desk, queue }: Services): number[] {
  return [desk.pid, ...queue.pids].filter((pid) => pid !== undefined);
}

function entriesOf(folder: string) {
  const found = [];
  let lookedInto = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.') || found.length === mostEntries) continue;
    const path = join(folder, entry.name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats || !(stats.isDirectory() || stats.isFile())) continue;
    const isFolder = stats.isDirectory();
    found.push({
      name: entry.name,
      path,
      kind: isFolder ? ('folder' as const) : ('file' as const),
      bytes: isFolder ? 0 : stats.size,
      fits: isFolder ? lookedInto++ < mostFoldersLookedInto && holdsOne(path) : opens(entry.name),
    });
  }
  return found.sort(
    (a, b) => Number(a.kind === 'file') - Number(b.kind === 'file') || a.name.localeCompare(b.name, 'en'),
  );
}

/** A model's file, or a dataset's description. */
function opens(name: string): boolean {
  return /\.onnx$/i.test(name) || name === 'dataset.json';
}

function holdsOne(folder: string): boolean {
  try {
    return readdirSync(folder).some(opens);
  } catch {
    return false;
  }
}
