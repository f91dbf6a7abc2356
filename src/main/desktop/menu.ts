// The native menu as plain data; the entry hands it to Electron.
import { basename } from 'node:path';

type Role =
  | 'appMenu'
  | 'close'
  | 'editMenu'
  | 'about'
  | 'quit'
  | 'recentDocuments'
  | 'clearRecentDocuments'
  | 'reload'
  | 'resetZoom'
  | 'toggleDevTools'
  | 'togglefullscreen'
  | 'windowMenu'
  | 'zoomIn'
  | 'zoomOut';

export interface MenuItem {
  readonly label?: string;
  readonly role?: Role;
  readonly type?: 'separator';
  readonly accelerator?: string;
  readonly enabled?: boolean;
  readonly submenu?: MenuItem[];
  readonly click?: () => void;
}

export interface MenuActions {
  pickAndOpen(what: 'model' | 'folder' | 'dataset'): void;
  open(path: string): void;
  go(page: string): void;
  showWorkspace(): void;
}

const separator: MenuItem = { type: 'separator' };

export function menuTemplate(
  platform: NodeJS.Platform,
  isPackaged: boolean,
  recent: readonly string[],
  act: MenuActions,
): MenuItem[] {
  const mac = platform === 'darwin';
  const file: MenuItem[] = [
    { label: 'Open Model…', accelerator: 'CmdOrCtrl+O', click: () => act.pickAndOpen('model') },
    { label: 'Open Folder…', accelerator: 'CmdOrCtrl+Shift+O', click: () => act.pickAndOpen('folder') },
    recentMenu(mac, recent, act),
    separator,
    { label: 'Export…', accelerator: 'CmdOrCtrl+E', click: () => act.go('deploy') },
    separator,
    // The window's end is the program's end, except on a Mac.
    mac ? { role: 'close' } : { role: 'quit' },
  ];
  const view: MenuItem[] = [
    ...pages.map(([page, label], index) => ({
      label,
      accelerator: `CmdOrCtrl+${index + 1}`,
      click: () => act.go(page),
    })),
    separator,
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { role: 'togglefullscreen' },
    separator,
    { role: 'reload' },
    ...(isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
  ];
  const help: MenuItem[] = [
    { label: 'Show Workspace Folder', click: () => act.showWorkspace() },
    ...(mac ? [] : [separator, { role: 'about' } as const]),
  ];
  return [
    ...(mac ? [{ role: 'appMenu' } as const] : []),
    { label: mac ? 'File' : '&File', submenu: file },
    { role: 'editMenu' },
    { label: mac ? 'View' : '&View', submenu: view },
    { role: 'windowMenu' },
    { label: mac ? 'Help' : '&Help', submenu: help },
  ];
}

const pages = [
  ['library', 'Library'],
  ['inspect', 'Inspect'],
  ['recipe', 'Recipe'],
  ['runs', 'Runs'],
  ['compare', 'Compare'],
  ['deploy', 'Deploy'],
  ['history', 'History'],
] as const;

/** A Mac fills the list by itself, from what was told to `addRecentDocument`. */
function recentMenu(mac: boolean, recent: readonly string[], act: MenuActions): MenuItem {
  if (mac) return { label: 'Open Recent', role: 'recentDocuments', submenu: [{ role: 'clearRecentDocuments' }] };
  const items = recent.map((path) => ({ label: recentLabel(path), click: () => act.open(path) }));
  return { label: 'Open Recent', enabled: items.length > 0, submenu: items };
}

/** "model.onnx" says little: the folder goes with it. An ampersand would be read as a shortcut. */
function recentLabel(path: string): string {
  const folder = basename(path.slice(0, -basename(path).length - 1));
  return `${basename(path)}${folder ? ` (${folder})` : ''}`.replaceAll('&', '&&');
}
