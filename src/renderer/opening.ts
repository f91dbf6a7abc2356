// Opening a model or a dataset, whichever way it came: a path, a dropped file, an upload, the sample. One at a time, seen by every page.
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { Refusal } from '../contract/words/refusal';
import type { SampleName } from '../contract/words/sample';
import { useAddress } from './address';
import { api, orpc, refusalOf } from './api';
import { desktop } from './desktop';
import type { Dropped } from './dropped';
import { withRow } from './live';
import { UploadRefused, upload } from './upload';

export type Opening =
  | { state: 'idle' }
  | { state: 'opening'; name: string }
  | { state: 'uploading'; name: string; sent: number; total: number; since: number; cancel(): void }
  /** Large: opening by path copies nothing, so it is offered first. */
  | { state: 'large'; dropped: Dropped; bytes: number; as?: 'dataset' | undefined }
  | { state: 'refused'; name: string; refusal: Refusal };

let opening: Opening = { state: 'idle' };
const watchers = new Set<() => void>();

function become(next: Opening): void {
  opening = next;
  for (const watcher of watchers) watcher();
}

export const useOpeningState = (): Opening =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
    () => opening,
  );

export const dismissOpening = (): void => become({ state: 'idle' });

const looksLikeDataset = /(^|\/)dataset\.json$|\.(npy|npz|csv|jsonl|txt|gz|bin)$|-ubyte$/i;
const looksLikeModel = /\.(onnx|gguf|safetensors)$|(^|\/)config\.json$/i;

export interface OpenActions {
  /** A path on the host's machine: copies nothing. */
  path(path: string, options?: { as?: 'dataset' }): Promise<void>;
  dropped(dropped: Dropped, options?: { evenLarge?: boolean; as?: 'dataset' }): Promise<void>;
  sample(name: SampleName): Promise<void>;
  /** The desktop's dialog. */
  pick(what: 'model' | 'folder' | 'dataset'): Promise<void>;
}

/** The real path of what was dropped: the file itself, or the folder it was dropped in. */
export function rootOf({ name, main }: Dropped, real: string): string {
  const inside = main.path.replaceAll('/', real.includes('\\') ? '\\' : '/');
  return main.path.includes('/') && real.endsWith(inside) ? real.slice(0, -inside.length) + name : real;
}

export function useOpening(): OpenActions {
  const client = useQueryClient();
  const { go, set } = useAddress();

  const showModel = useCallback(
    async (path: string) => {
      const row = await api.models.open({ path });
      client.setQueryData(orpc.models.list.queryKey(), (rows: (typeof row)[] | undefined) => withRow(rows, row));
      become({ state: 'idle' });
      go('/inspect', { model: row.id });
    },
    [client, go],
  );
  const showDataset = useCallback(
    async (path: string) => {
      const row = await api.datasets.open({ path });
      client.setQueryData(orpc.datasets.list.queryKey(), (rows: (typeof row)[] | undefined) => withRow(rows, row));
      become({ state: 'idle' });
      set({ data: row.id });
    },
    [client, set],
  );

  /** A model unless it looks like a dataset; what is neither gets the model's refusal. */
  const show = useCallback(
    async (path: string, inside: readonly string[] = [path]) => {
      const dataset = inside.some((name) => looksLikeDataset.test(name));
      const model = inside.some((name) => looksLikeModel.test(name));
      if (dataset && !model) return showDataset(path);
      try {
        await showModel(path);
      } catch (error) {
        const refusal = refusalOf(error);
        if (model || (refusal.code !== 'bad-model' && refusal.code !== 'unsupported' && refusal.code !== 'not-found'))
          throw error;
        await showDataset(path).catch(() => {
          throw error;
        });
      }
    },
    [showDataset, showModel],
  );

  return useMemo(() => {
    const guarded = async (name: string, act: () => Promise<void>) => {
      become({ state: 'opening', name });
      try {
        await act();
      } catch (error) {
        const refusal = error instanceof UploadRefused ? error.refusal : refusalOf(error);
        become(refusal.code === 'cancelled' ? { state: 'idle' } : { state: 'refused', name, refusal });
      }
    };
    const actions: OpenActions = {
      path: (path, options) =>
        guarded(path.split(/[\\/]/).findLast(Boolean) ?? path, () =>
          options?.as === 'dataset' ? showDataset(path) : show(path),
        ),
      sample: (sample) =>
        guarded(`the sample ${sample}`, async () => {
          const { model, dataset } = await api.models.openSample({ name: sample });
          client.setQueryData(orpc.models.list.queryKey(), (rows: (typeof model)[] | undefined) =>
            withRow(rows, model),
          );
          client.setQueryData(orpc.datasets.list.queryKey(), (rows: (typeof dataset)[] | undefined) =>
            withRow(rows, dataset),
          );
          become({ state: 'idle' });
          go('/inspect', { model: model.id, data: dataset.id });
        }),
      pick: async (what) => {
        try {
          const { path } = await api.host.pick({ what });
          if (path === null) return;
          await guarded(path.split(/[\\/]/).findLast(Boolean) ?? path, () =>
            what === 'dataset' ? showDataset(path) : show(path),
          );
        } catch (error) {
          become({ state: 'refused', name: 'The dialog', refusal: refusalOf(error) });
        }
      },
      dropped: async (dropped, options) => {
        const showAs = (path: string) =>
          options?.as === 'dataset'
            ? showDataset(path)
            : show(
                path,
                dropped.sources.map((source) => source.path),
              );
        if (desktop) {
          const root = rootOf(dropped, desktop.pathOf(dropped.main.file));
          return guarded(dropped.name, () => showAs(root));
        }
        const bytes = dropped.sources.reduce((sum, source) => sum + source.file.size, 0);
        const info = await client.ensureQueryData(orpc.host.info.queryOptions()).catch(() => null);
        if (!options?.evenLarge && info && bytes > info.uploadAdvisedBelowBytes)
          return become({ state: 'large', dropped, bytes, as: options?.as });
        return guarded(dropped.name, async () => {
          const abort = new AbortController();
          const since = Date.now();
          const cancel = () => abort.abort();
          const { name, sources } = dropped;
          become({ state: 'uploading', name, sent: 0, total: bytes, since, cancel });
          const path = await upload(
            name,
            sources,
            ({ sent, total }) => become({ state: 'uploading', name, sent, total, since, cancel }),
            abort.signal,
          );
          become({ state: 'opening', name });
          await showAs(path);
        });
      },
    };
    return actions;
  }, [client, go, show, showDataset]);
}
