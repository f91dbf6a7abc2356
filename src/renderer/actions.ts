// What the palette can do: pages register their actions while they are in sight, each with its cost where it has one.
import { useEffect, useSyncExternalStore } from 'react';

export interface Action {
  id: string;
  /** The heading it stands under: Actions, Layers, Go to, Runs, Learn. */
  group: string;
  /** A verb with its object: *Keep conv1 in 8 bits*. */
  label: string;
  /** The cost or what it is: *costs ≈ 0.8 kB*. */
  detail?: string;
  /** Shortcut, as in keys.ts. */
  keys?: string;
  run(): void;
}

const sets = new Map<symbol, readonly Action[]>();
const watchers = new Set<() => void>();
let snapshot: readonly Action[] = [];

function changed(): void {
  snapshot = [...sets.values()].flat();
  for (const watcher of watchers) watcher();
}

/** Offers these actions in the palette while mounted. Memoise the list. */
export function useActions(actions: readonly Action[]): void {
  useEffect(() => {
    const key = Symbol('actions');
    sets.set(key, actions);
    changed();
    return () => {
      sets.delete(key);
      changed();
    };
  }, [actions]);
}

export const useOfferedActions = (): readonly Action[] =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
    () => snapshot,
  );
