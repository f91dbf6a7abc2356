// A sweep of statistics: what is known first, the rest as the engine reads it, everything kept for the next time.
import type { Statistics } from '../../contract/words/model';
import { statisticsKey } from '../library/models';
import type { Services } from './services';

/** A commit waits for the disk, so layers are written down together. */
const writeEveryMs = 500;

type Tell = (name: string, stats: Statistics, done: number, total: number) => void;

export async function sweepStatistics(
  { history, library, desk }: Services,
  id: string,
  signal: AbortSignal,
  tell: Tell,
): Promise<void> {
  const model = await library.models.settled(library.models.get(id));
  const names = model.layers.map((layer) => layer.name);
  const told = new Set<string>();
  const say = (name: string, stats: Statistics) => {
    if (told.has(name)) return;
    told.add(name);
    tell(name, stats, told.size, names.length);
  };
  // The key is the SHA-256 once that is known, which may be in the middle of the sweep.
  const key = () => statisticsKey(library.models.get(id));
  const sayKnown = () => {
    for (const [name, stats] of history.statistics.of(key())) say(name, stats);
  };
  sayKnown();
  if (told.size >= names.length) return;
  const waiting = new Map<string, Statistics>();
  const write = () => {
    if (waiting.size === 0) return;
    history.statistics.put(key(), waiting);
    waiting.clear();
  };
  const timer = setInterval(write, writeEveryMs);
  try {
    await desk.statistics(
      {
        path: model.files[0]!.path,
        known: () => {
          sayKnown();
          return [...told];
        },
        onLayer(name, stats) {
          waiting.set(name, stats);
          say(name, stats);
        },
      },
      signal,
    );
  } finally {
    clearInterval(timer);
    write();
  }
}
