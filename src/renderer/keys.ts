// Keyboard: every shortcut is registered here, so the help page and the palette know them all.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { remembered } from './remembered';

export interface Shortcut {
  /** `g l` is a sequence, `mod+k` a chord (Ctrl, or ⌘ on a Mac), `/` a single key. */
  keys: string;
  label: string;
  act(event: KeyboardEvent): void;
}

const shortcuts = new Set<Shortcut>();
const watchers = new Set<() => void>();
let snapshot: readonly Shortcut[] = [];

function changed(): void {
  snapshot = [...shortcuts];
  for (const watcher of watchers) watcher();
}

export const isMac = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform);

/** Single keys can be switched off in Settings; chords with Ctrl or ⌘ always act. */
export const singleKeys = {
  get: (): boolean => remembered.get('single-keys') !== 'off',
  set: (on: boolean): void => remembered.set('single-keys', on ? 'on' : 'off'),
};

/** Registers a shortcut while the component is mounted. */
export function useShortcut(keys: string, label: string, act: (event: KeyboardEvent) => void, enabled = true): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!enabled) return;
    const shortcut: Shortcut = { keys, label, act: (event) => latest.current(event) };
    shortcuts.add(shortcut);
    changed();
    return () => {
      shortcuts.delete(shortcut);
      changed();
    };
  }, [keys, label, enabled]);
}

/** Every shortcut that acts now. */
export const useShortcuts = (): readonly Shortcut[] =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
    () => snapshot,
  );

/** The keys as printed: `g l` → [G, L], `mod+k` → [⌘K] or [Ctrl K]. */
export function keyCaps(keys: string): string[] {
  const cap = (key: string) => {
    const names: Record<string, string> = {
      mod: isMac ? '⌘' : 'Ctrl',
      shift: isMac ? '⇧' : 'Shift',
      escape: 'Esc',
      arrowup: '↑',
      arrowdown: '↓',
    };
    return names[key] ?? key.toUpperCase();
  };
  return keys.split(' ').map((part) =>
    part
      .split('+')
      .map(cap)
      .join(isMac ? '' : ' '),
  );
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
  !/^(checkbox|radio|range|button)$/.test((target as HTMLInputElement).type ?? '');

/** How long `g` waits for its letter. */
const sequenceMs = 1200;

/** Listens on the window; call once, in the shell. Answers how to stop. */
export function listenToKeys(): () => void {
  let prefix = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = event.key.toLowerCase();
    const chord = event.ctrlKey || event.metaKey;
    const dialog = document.querySelector('[role="dialog"][aria-modal="true"]') !== null;
    const find = (keys: string) => snapshot.findLast((shortcut) => shortcut.keys === keys);
    let hit: Shortcut | undefined;
    if (chord) {
      // A text field undoes its own text.
      if (key === 'z' && isTyping(event.target)) return;
      hit = find(`mod+${event.shiftKey ? 'shift+' : ''}${key}`);
    } else {
      if (isTyping(event.target) || event.altKey || dialog || !singleKeys.get()) return;
      hit = find(prefix ? `${prefix} ${key}` : key);
      const starts = !prefix && snapshot.some((shortcut) => shortcut.keys.startsWith(`${key} `));
      clearTimeout(timer);
      prefix = '';
      if (starts) {
        prefix = key;
        timer = setTimeout(() => {
          prefix = '';
        }, sequenceMs);
        return;
      }
    }
    if (!hit) return;
    event.preventDefault();
    hit.act(event);
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}
