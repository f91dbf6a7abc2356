// The shell: rail, context bar, the page, tray; and what lies over them all.
import { notifications } from '@mantine/notifications';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import type { RunRow } from '../../contract/words/run';
import { useAddress } from '../address';
import { type DesktopCommand, desktop } from '../desktop';
import { useKeptSettings } from '../kept-settings';
import { listenToKeys, useShortcut } from '../keys';
import { useLive } from '../live';
import { useOpening } from '../opening';
import { allPages, type Page } from '../pages/pages';
import { ContextBar } from './context-bar';
import { DropAnywhere } from './drop-anywhere';
import { useFolderBrowser } from './folder-browser-state';
import { Help } from './help';
import { ConnectionLine, OpeningLine } from './lines';
import { openPalette } from './palette-state';
import { Rail } from './rail';
import { finishedSentence } from './run-sentence';
import look from './shell.module.css';
import { Tray } from './tray';

// What is not needed for the first paint comes right after it.
const Palette = lazy(() => import('./palette').then((room) => ({ default: room.Palette })));
const FolderBrowser = lazy(() => import('./folder-browser').then((room) => ({ default: room.FolderBrowser })));

export function Shell({ children }: { children: ReactNode }) {
  const onFinished = useCallback((run: RunRow) => notifications.show(finishedSentence(run)), []);
  useLive(onFinished);
  useEffect(listenToKeys, []);
  useKeptSettings();
  useDesktopCommands();
  useTitle();
  useShortcut('mod+k', 'Find anything', openPalette);
  const { set } = useAddress();
  useShortcut('escape', 'Clear the selection', () => set({ layers: [] }));
  const browsing = useFolderBrowser() !== null;

  return (
    <div className={look.shell}>
      {allPages.map((page) => (
        <PageKey key={page.id} page={page} />
      ))}
      <Rail />
      <ContextBar />
      <main className={look.main}>
        <ConnectionLine />
        <OpeningLine />
        {children}
      </main>
      <Tray />
      <DropAnywhere />
      <Help />
      <Suspense>
        <Palette />
        {browsing ? <FolderBrowser /> : null}
      </Suspense>
    </div>
  );
}

function PageKey({ page }: { page: Page }) {
  const { go } = useAddress();
  useShortcut(`g ${page.key}`, `Go to ${page.title}`, () => go(page.path));
  return null;
}

function useTitle(): void {
  const [path] = useLocation();
  useEffect(() => {
    const page = allPages.find((each) => each.path === path);
    document.title = page ? `${page.title} · Lathe` : 'Lathe';
  }, [path]);
}

/** What the native menu, a second start or *open with Lathe* ask for. */
function useDesktopCommands(): void {
  const { go } = useAddress();
  const opening = useOpening();
  const obey = useRef<(command: DesktopCommand) => void>(() => undefined);
  obey.current = (command) => {
    if (command.kind === 'open') void opening.path(command.path);
    else go(allPages.find((page) => page.id === command.page)?.path ?? '/');
  };
  // The preload takes listeners and never lets go of them: one is enough.
  useEffect(() => desktop?.onCommand((command) => obey.current(command)), []);
}
