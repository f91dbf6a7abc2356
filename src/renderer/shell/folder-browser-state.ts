// Opens the folder browser from anywhere, and says what is looked for.
import { useSyncExternalStore } from 'react';

export type Wanted = 'model' | 'dataset';

let wanted: Wanted | null = null;
const watchers = new Set<() => void>();

function become(next: Wanted | null): void {
  wanted = next;
  for (const watcher of watchers) watcher();
}

export const openFolderBrowser = (what: Wanted = 'model'): void => become(what);
export const closeFolderBrowser = (): void => become(null);
export const useFolderBrowser = (): Wanted | null =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
    () => wanted,
  );
