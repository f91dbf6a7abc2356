// The address is the memory of a page: model, selected layers, the pair A and B, the run, dataset and device live in it, so Back works.
import { useCallback, useMemo } from 'react';
import { useLocation, useSearch } from 'wouter';

export interface Address {
  /** Library id of the open model. */
  model: string | null;
  /** Names of the selected layers; the first is the one looked at. */
  layers: string[];
  a: string | null;
  b: string | null;
  /** The run that History, Runs and Deploy look at. */
  run: string | null;
  /** Library id of the chosen dataset. */
  data: string | null;
  device: string | null;
}

const singles = ['model', 'a', 'b', 'run', 'data', 'device'] as const;

/** Reads an address from a search string; what is missing is null or empty. */
export function parseAddress(search: string): Address {
  const params = new URLSearchParams(search);
  const one = (key: (typeof singles)[number]) => params.get(key) || null;
  return {
    model: one('model'),
    a: one('a'),
    b: one('b'),
    run: one('run'),
    data: one('data'),
    device: one('device'),
    layers: params.getAll('layer').filter(Boolean),
  };
}

/** Writes changes into a search string. Keys it does not know stay; another model drops the selection of the old one. */
export function changeAddress(search: string, change: Partial<Address>): string {
  const params = new URLSearchParams(search);
  const otherModel = change.model !== undefined && change.model !== params.get('model');
  if (otherModel) for (const key of ['layer', 'a', 'b', 'run']) params.delete(key);
  for (const key of singles) {
    const value = change[key];
    if (value === undefined) continue;
    if (value === null) params.delete(key);
    else params.set(key, value);
  }
  if (change.layers !== undefined) {
    params.delete('layer');
    for (const name of change.layers) params.append('layer', name);
  }
  return params.toString();
}

export interface UseAddress extends Address {
  /** The search string without `?`, to carry along in links. */
  search: string;
  /** Changes the address; `replace` leaves no step for Back. */
  set(change: Partial<Address>, options?: { replace?: boolean }): void;
  /** Goes to a page and carries the address along. */
  go(path: string, change?: Partial<Address>): void;
  /** A link to a page that carries the address along. */
  to(path: string, change?: Partial<Address>): string;
  /** Click, Ctrl/⌘ adds, Shift extends along `order`. */
  select(name: string, keys?: { add?: boolean; extend?: boolean }, order?: readonly string[]): void;
}

/** The selection after a click on `name`. */
export function nextSelection(
  now: readonly string[],
  name: string,
  keys: { add?: boolean; extend?: boolean } = {},
  order: readonly string[] = [],
): string[] {
  if (keys.extend && now[0] !== undefined) {
    const from = order.indexOf(now[0]);
    const to = order.indexOf(name);
    if (from >= 0 && to >= 0) {
      const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
      return [now[0], ...range.filter((each) => each !== now[0])];
    }
  }
  if (keys.add) return now.includes(name) ? now.filter((each) => each !== name) : [...now, name];
  return [name];
}

export function useAddress(): UseAddress {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const address = useMemo(() => parseAddress(search), [search]);

  const to = useCallback(
    (target: string, change: Partial<Address> = {}) => {
      const next = changeAddress(search, change);
      return next ? `${target}?${next}` : target;
    },
    [search],
  );
  const set = useCallback(
    (change: Partial<Address>, options?: { replace?: boolean }) => navigate(to(path, change), options),
    [navigate, to, path],
  );
  const go = useCallback((target: string, change?: Partial<Address>) => navigate(to(target, change)), [navigate, to]);
  const select = useCallback<UseAddress['select']>(
    (name, keys, order) => {
      const layers = nextSelection(address.layers, name, keys, order);
      // A walk along the rows is one step for Back, not one per row.
      set({ layers }, { replace: address.layers.length > 0 });
    },
    [address.layers, set],
  );
  return { ...address, search, set, go, to, select };
}
