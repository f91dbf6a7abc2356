// The statistics of a model's layers as they stream in: one sweep per model, kept while the window is open.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { Statistics } from '../contract/words/model';
import type { Refusal } from '../contract/words/refusal';
import { api, refusalOf } from './api';
import { useConnectionEpoch } from './connection';

export interface Sweep {
  layers: ReadonlyMap<string, Statistics>;
  done: number;
  total: number;
  state: 'sweeping' | 'done' | 'refused';
  refusal: Refusal | null;
}

const nothing: Sweep = { layers: new Map(), done: 0, total: 0, state: 'sweeping', refusal: null };
const sweepKey = (id: string) => ['statistics', id] as const;

/** Redraws at most this often while events stream in. */
const paintEveryMs = 120;

/** Starts the sweep of a model (or joins what is known of it) and follows it; ends it when nobody looks any more. */
export function useSweep(id: string | null): Sweep {
  const client = useQueryClient();
  const epoch = useConnectionEpoch();
  const { data } = useQuery<Sweep>({
    queryKey: sweepKey(id ?? ''),
    queryFn: () => nothing,
    enabled: false,
    initialData: nothing,
    gcTime: Number.POSITIVE_INFINITY,
  });

  useEffect(() => {
    if (!id || epoch === 0 || client.getQueryData<Sweep>(sweepKey(id))?.state === 'done') return;
    const abort = new AbortController();
    const layers = new Map(client.getQueryData<Sweep>(sweepKey(id))?.layers);
    let sweep: Sweep = { ...nothing, layers };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      timer = undefined;
      client.setQueryData<Sweep>(sweepKey(id), { ...sweep, layers: new Map(layers) });
    };
    const follow = async () => {
      for await (const event of await api.models.inspect({ id }, { signal: abort.signal })) {
        if (event.kind === 'layer') {
          layers.set(event.name, event.stats);
          sweep = { ...sweep, done: event.done, total: event.total };
        } else {
          sweep = { ...sweep, done: sweep.total, state: 'done' };
        }
        timer ??= setTimeout(paint, paintEveryMs);
      }
    };
    follow().catch((error) => {
      if (abort.signal.aborted) return;
      sweep = { ...sweep, state: 'refused', refusal: refusalOf(error) };
      paint();
    });
    return () => {
      clearTimeout(timer);
      paint();
      abort.abort();
    };
  }, [client, id, epoch]);

  return data;
}
