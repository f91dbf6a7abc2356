// The two streams that keep every list current: models and runs as they change, written into the query cache.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { LibraryModel } from '../contract/words/model';
import type { RunLogLine, RunRow } from '../contract/words/run';
import type { CurvePoint } from '../contract/words/training';
import { api, orpc } from './api';
import { useConnectionEpoch } from './connection';

/** Puts a row in place of the one with its id, or in front. */
export function withRow<Row extends { id: string }>(rows: readonly Row[] | undefined, row: Row): Row[] {
  const list = rows ?? [];
  return list.some((each) => each.id === row.id)
    ? list.map((each) => (each.id === row.id ? row : each))
    : [row, ...list];
}

type Finished = (row: RunRow) => void;

/** Call once, in the shell. `onFinished` hears of every run that ends while we look. */
export function useLive(onFinished: Finished): void {
  const client = useQueryClient();
  const epoch = useConnectionEpoch();

  useEffect(() => {
    if (epoch === 0) return;
    const abort = new AbortController();
    const runsKey = orpc.runs.list.queryKey({ input: {} });
    const modelsKey = orpc.models.list.queryKey();
    const change = (edit: (rows: RunRow[]) => RunRow[]) =>
      client.setQueryData<RunRow[]>(runsKey, (rows) => rows && edit(rows));

    const follow = async () => {
      for await (const event of await api.runs.watch(undefined, { signal: abort.signal })) {
        if (event.kind === 'row') {
          const before = client.getQueryData<RunRow[]>(runsKey)?.find((row) => row.id === event.row.id);
          change((rows) => withRow(rows, event.row));
          const ended = event.row.state !== 'running' && event.row.state !== 'queued';
          if (before?.state === 'running' && ended) {
            onFinished(event.row);
            void client.invalidateQueries({ queryKey: orpc.runs.document.key() });
            void client.invalidateQueries({ queryKey: orpc.runs.evaluation.key() });
          }
        } else if (event.kind === 'progress') {
          change((rows) => rows.map((row) => (row.id === event.id ? { ...row, progress: event.progress } : row)));
        } else if (event.kind === 'removed') {
          change((rows) => rows.filter((row) => row.id !== event.id));
        } else if (event.kind === 'curve') {
          const key = orpc.runs.curves.queryKey({ input: { id: event.id } });
          // Told while the points before it are on their way: they are asked for again.
          if (!client.getQueryData(key)) void client.invalidateQueries({ queryKey: key });
          client.setQueryData<CurvePoint[]>(key, (points) => points && [...points, event.point]);
        } else {
          const key = orpc.runs.log.queryKey({ input: { id: event.id } });
          client.setQueryData<RunLogLine[]>(key, (lines) => lines && [...lines, event.line]);
        }
      }
    };
    const followModels = async () => {
      for await (const event of await api.models.watch(undefined, { signal: abort.signal })) {
        const row = event.row;
        client.setQueryData<LibraryModel[]>(modelsKey, (rows) =>
          event.kind === 'removed' || !row ? rows?.filter((each) => each.id !== event.id) : withRow(rows, row),
        );
      }
    };
    // A stream that breaks is taken up again with the next connection (the epoch grows).
    follow().catch(() => undefined);
    followModels().catch(() => undefined);
    // What changed while we were away.
    if (epoch > 1) void client.invalidateQueries();
    return () => abort.abort();
  }, [client, epoch, onFinished]);
}

/** Memory of the engine and size of the library: asked every 2 s while something runs, every 30 s else. */
export function useUsage(busy: boolean) {
  return useQuery(orpc.host.usage.queryOptions({ refetchInterval: busy ? 2000 : 30_000 })).data ?? null;
}

/** The time now, renewed every `everyMs`, for words such as *12 min*. */
export function useNow(everyMs = 30_000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
