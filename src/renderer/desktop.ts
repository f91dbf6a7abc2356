// What the desktop's preload offers; absent in the browser.

export type DesktopCommand = { kind: 'open'; path: string } | { kind: 'go'; page: string };

export interface Desktop {
  kind: 'electron';
  /** The real path of a dropped file or folder. */
  pathOf(file: File): string;
  /** What the menu, a second start or *open with Lathe* ask for. */
  onCommand(listener: (command: DesktopCommand) => void): void;
}

declare global {
  interface Window {
    lathe?: Desktop;
  }
}

export const desktop: Desktop | undefined = typeof window === 'undefined' ? undefined : window.lathe;
