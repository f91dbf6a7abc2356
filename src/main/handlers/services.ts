// Services: what every procedure works with, opened once per host and closed in the order that leaves nothing behind.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { version } from '../../../package.json';
import type { Machine } from '../../contract/words/run';
import { type History, openHistory } from '../history';
import { Desk } from '../jobs/desk';
import type { Tasks } from '../jobs/engine-process';
import type { ForkEngine } from '../jobs/forkers';
import { LogFile } from '../jobs/log-file';
import { machineOf } from '../jobs/machine';
import { removeParts } from '../jobs/parts';
import { Queue } from '../jobs/queue';
import { Library } from '../library';

export type HostKind = 'electron' | 'served' | 'cli';

/** Native dialogs; null when the user dismissed them. */
export interface Dialogs {
  pick(what: 'model' | 'folder' | 'dataset' | 'save-folder', suggested?: string): Promise<string | null>;
}

export type Described = Tasks['describe']['answer'];

export interface Services {
  readonly kind: HostKind;
  readonly version: string;
  readonly workspace: string;
  /** The folder of the sample model and dataset that ship with Lathe. */
  readonly samples: string;
  readonly dialogs: Dialogs | null;
  readonly history: History;
  readonly library: Library;
  readonly desk: Desk;
  readonly queue: Queue;
  readonly log: LogFile;
  /** Cards, devices and the engine's machine; from history, so that no engine is needed after the first time. */
  describe(): Promise<Described>;
  machine(): Promise<Machine>;
  close(): Promise<void>;
}

export async function openServices(options: {
  kind: HostKind;
  workspace: string;
  forkEngine: ForkEngine;
  dialogs?: Dialogs;
}): Promise<Services> {
  const { kind, workspace, forkEngine: fork } = options;
  mkdirSync(workspace, { recursive: true });
  const samples = samplesFolder();
  const log = new LogFile(workspace);
  const history = openHistory(workspace, kind);
  const desk = new Desk(fork, (text) => log.write('desk engine', text));
  const library = new Library(history, {
    workspace,
    samples,
    openFile: (path) => desk.ask('open', { path }),
    openData: (ask) => desk.ask('openDataset', ask),
  });
  let described: Promise<Described> | null = null;
  const describe = () => {
    described ??= describeOnce(history, desk, fork.build);
    described.catch(() => {
      described = null;
    });
    return described;
  };
  const machine = async () => machineOf(await describe());
  const queue = new Queue({
    history,
    library,
    fork,
    log,
    version,
    build: `${version} ${fork.build}`,
    machine,
    otherPids: () => [desk.pid],
  });
  const tidying = tidy(history, library).catch((error) => log.write('tidy', String(error)));
  // A command answers and ends; a workbench stays and finishes what was begun.
  if (kind !== 'cli') library.models.resume();
  let closing: Promise<void> | null = null;
  const close = async () => {
    await queue.close();
    await desk.close();
    await tidying;
    await library.close();
    history.close();
  };
  return {
    kind,
    version,
    workspace,
    samples,
    dialogs: options.dialogs ?? null,
    history,
    library,
    desk,
    queue,
    log,
    describe,
    machine,
    close: () => (closing ??= close()),
  };
}

/** Removes what hosts that are gone left half-done. An engine of theirs may live for another moment: then it is looked at again. */
async function tidy(history: History, library: Library): Promise<void> {
  await library.sweep();
  for (const target of history.hosts.abandoned.splice(0)) {
    for (let look = 0; look < 5 && !(await removeParts(target)); look++) await sleep(500);
  }
}

async function describeOnce(history: History, desk: Desk, build: string): Promise<Described> {
  const known = history.describes.get(build);
  if (known !== null) return known as Described;
  const answer = await desk.ask('describe', {});
  history.describes.put(build, answer);
  return answer;
}

/** Beside the program in a checkout and in a package; Electron names the place of unpacked resources itself. */
function samplesFolder(): string {
  const packed = (process as { resourcesPath?: string }).resourcesPath;
  const candidates = packed ? [join(packed, 'sample')] : [];
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder)) {
    candidates.push(join(folder, 'resources', 'sample'));
  }
  return candidates.find((folder) => existsSync(folder)) ?? candidates[0]!;
}
