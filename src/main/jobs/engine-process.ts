// The engine's entry: one program for bench and desk. Takes tasks from its host, runs the corridor of each, never outlives the host.
import type { FromEngine, TaskEvent, TaskName, Tasks, ToEngine, Work } from '../../engine/tasks';
import { messageOf, refusalOf } from './failure';
import { startWatchdog } from './watchdog';

type Corridor<Name extends TaskName> = (ask: Tasks[Name]['ask'], work: Work) => Promise<Tasks[Name]['answer']>;

/** Heavy rooms load when a task first needs them. */
const corridors: { readonly [Name in TaskName]: () => Promise<Corridor<Name>> } = {
  describe: async () => (await import('../../engine/describe')).describe,
  open: async () => (await import('../../engine/open')).openModel,
  statistics: async () => (await import('../../engine/open')).statistics,
  checkRecipe: async () => (await import('../../engine/recipe')).checkRecipe,
  forecast: async () => (await import('../../engine/forecast')).forecast,
  preview: async () => (await import('../../engine/preview')).preview,
  openDataset: async () => (await import('../../engine/data-task')).openDatasetTask,
  evaluate: async () => (await import('../../engine/evaluate')).evaluate,
  run: async () => (await import('../../engine/run')).runRecipe,
  fit: async () => (await import('../../engine/fit')).fit,
  bundleParts: async () => (await import('../../engine/bundle')).bundleParts,
  bundle: async () => (await import('../../engine/bundle')).exportBundle,
  verify: async () => (await import('../../engine/bundle')).verifyBundle,
};

/** Electron's utilityProcess gives a port; a forked child has `process.send`. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: ToEngine }) => void): void;
  postMessage(message: FromEngine): void;
}
const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort;

const send = (message: FromEngine): void => {
  if (parentPort) parentPort.postMessage(message);
  else process.send?.(message, () => {});
};

const working = new Map<number, { stop(): void; abort(): void }>();

async function run(id: number, name: TaskName, ask: unknown): Promise<void> {
  const abort = new AbortController();
  let stopping = false;
  const work: Work = {
    emit: (event: TaskEvent) => send({ kind: 'event', id, event }),
    get stopping() {
      return stopping;
    },
    signal: abort.signal,
  };
  working.set(id, {
    stop: () => {
      stopping = true;
    },
    abort: () => abort.abort(),
  });
  try {
    const corridor = (await corridors[name]()) as (ask: unknown, work: Work) => Promise<unknown>;
    send({ kind: 'answer', id, answer: await corridor(ask, work) });
  } catch (error) {
    if (abort.signal.aborted) {
      send({ kind: 'refused', id, refusal: { code: 'cancelled', sentence: 'A newer request replaced this one.' } });
    } else fail(id, error);
  } finally {
    working.delete(id);
  }
}

function fail(id: number, error: unknown): void {
  const refusal = refusalOf(error);
  if (refusal) send({ kind: 'refused', id, refusal });
  else send({ kind: 'failed', id, sentence: messageOf(error), detail: detailOf(error) });
}

const detailOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

function receive(message: ToEngine): void {
  switch (message.kind) {
    case 'role':
      process.title = `lathe ${message.role}`;
      return;
    case 'task':
      void run(message.id, message.name, message.ask);
      return;
    case 'stop':
      working.get(message.id)?.stop();
      return;
    case 'abort':
      working.get(message.id)?.abort();
      return;
    default:
      message satisfies never;
  }
}

// An exception that no task caught belongs to all of them: it is told, and the process ends, for its state is unknown.
function die(error: unknown): void {
  for (const id of working.keys()) fail(id, error);
  if (working.size === 0) process.stderr.write(`${detailOf(error)}\n`);
  setTimeout(() => process.exit(1), 50);
}
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

// The host's end is noticed at once when this thread is free, and by the watchdog when it is not.
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole group; the host decides what becomes of its engines.
process.on('SIGINT', () => {});
startWatchdog();

if (parentPort) parentPort.on('message', (event) => receive(event.data));
else process.on('message', (message) => receive(message as ToEngine));
send({ kind: 'ready', pid: process.pid });

export type {
  Comparison,
  DatasetReference,
  FromEngine,
  OpenedModel,
  RunResult,
  SeenFile,
  TaskEvent,
  TaskName,
  Tasks,
  ToEngine,
} from '../../engine/tasks';
