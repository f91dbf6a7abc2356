// The desktop: Electron's window, menu and dialogs over the composition every host shares. The only file that imports electron.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { RPCHandler } from '@orpc/server/message-port';
import {
  app,
  BrowserWindow,
  dialog,
  type IpcMainEvent,
  ipcMain,
  Menu,
  type MenuItemConstructorOptions,
  protocol,
  screen,
  session,
  shell,
  utilityProcess,
} from 'electron';
import { openDialog, type Picked } from './desktop/dialogs';
import { menuTemplate } from './desktop/menu';
import { openedPaths } from './desktop/opened-paths';
import { homePage, isOurs, mayAsk, pageResponder, scheme } from './desktop/pages';
import { leastWindow, placeWindow, readWindowState, writeWindowState } from './desktop/window-state';
import { type Host, openHost, utilityForker } from './host';
import { workspaceFolder } from './workspace';

const here = import.meta.dirname;
const workspace = workspaceFolder();
// Chromium's own files stay apart from history and library; one start per workspace holds the lock.
const profile = join(workspace, 'desktop');
mkdirSync(profile, { recursive: true });
app.setPath('userData', profile);
app.enableSandbox();
protocol.registerSchemesAsPrivileged([
  { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
]);

type Command = { kind: 'open'; path: string } | { kind: 'go'; page: string };
/** What was asked before the page listened. */
let waiting: Command[] = openedPaths(process.argv, process.cwd(), app.isPackaged).map((path) => ({
  kind: 'open',
  path,
}));
let window: BrowserWindow | null = null;
let isListening = false;
const stateFile = join(profile, 'window.json');
const mostRecent = 10;

if (app.requestSingleInstanceLock()) void start();
else app.quit();

async function start(): Promise<void> {
  // A Mac names the files before the app is ready.
  app.on('open-file', (event, path) => {
    event.preventDefault();
    command({ kind: 'open', path });
  });
  app.on('second-instance', (_event, argv, folder) => {
    for (const path of openedPaths(argv, folder, app.isPackaged)) command({ kind: 'open', path });
    window?.restore();
    window?.focus();
  });
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-frame-navigate', (event) => event.preventDefault());
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
  await app.whenReady();

  const host = await openHost({
    kind: 'electron',
    workspace,
    forkEngine: utilityForker(utilityProcess, join(here, 'engine.js')),
    dialogs: { pick },
  }).catch((error: Error) => {
    dialog.showErrorBox('Lathe cannot open its workspace', error.message);
    app.exit(1);
    throw error;
  });
  protocol.handle(scheme, pageResponder(join(here, '../renderer'), host.blobs));
  guardSession();
  listen(host);
  void keepRecentFiles(host);
  endWith(host);
  openWindow();
  app.on('activate', () => window ?? openWindow());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
}

/** Electron grants every permission unless told otherwise; and nothing is asked from outside this program. */
function guardSession(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
  session.defaultSession.setPermissionCheckHandler(() => false);
  session.defaultSession.setDevicePermissionHandler(() => false);
  session.defaultSession.webRequest.onBeforeRequest((details, decide) => decide({ cancel: !mayAsk(details.url) }));
}

/** The contract over MessagePorts; a message from any frame but our own page is dropped. */
function listen(host: Host): void {
  const handler = new RPCHandler(host.router);
  const isFromOurPage = (event: IpcMainEvent) =>
    event.sender === window?.webContents && event.senderFrame?.parent === null && isOurs(event.senderFrame.url);
  ipcMain.on('lathe:connect', (event) => {
    const [port, ...more] = event.ports;
    if (!port || more.length > 0 || !isFromOurPage(event)) {
      for (const stray of event.ports) stray.close();
      return;
    }
    handler.upgrade(port, { context: host.context });
    port.start();
  });
  ipcMain.on('lathe:listening', (event) => {
    if (!isFromOurPage(event)) return;
    isListening = true;
    for (const asked of waiting) command(asked);
    waiting = [];
  });
}

/** Hands a command to the page, now or when it listens. */
function command(asked: Command): void {
  if (window && isListening) window.webContents.send('lathe:command', asked);
  else waiting.push(asked);
}

function openWindow(): BrowserWindow {
  const { maximized, ...bounds } = placeWindow(
    readWindowState(stateFile),
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const opened = new BrowserWindow({
    ...bounds,
    minWidth: leastWindow.width,
    minHeight: leastWindow.height,
    show: false,
    title: 'Lathe',
    webPreferences: {
      preload: join(here, '../preload/index.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      // The spell checker fetches its dictionaries from the network.
      spellcheck: false,
    },
  });
  window = opened;
  opened.once('ready-to-show', () => {
    if (maximized) opened.maximize();
    opened.show();
  });
  opened.on('close', () =>
    writeWindowState(stateFile, { bounds: opened.getNormalBounds(), maximized: opened.isMaximized() }),
  );
  opened.on('closed', () => {
    window = null;
    isListening = false;
  });
  opened.webContents.on('did-start-loading', () => {
    isListening = false;
  });
  opened.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason !== 'clean-exit') opened.reload();
  });
  void opened.loadURL(homePage);
  return opened;
}

/** A native dialog over our window; null when it was dismissed. */
async function pick(what: Picked, suggested?: string): Promise<string | null> {
  const over = window ?? openWindow();
  if (what === 'save-folder') {
    const saved = await dialog.showSaveDialog(over, { defaultPath: suggested });
    return saved.canceled ? null : saved.filePath;
  }
  const opened = await dialog.showOpenDialog(over, openDialog(what, process.platform, suggested));
  return opened.canceled ? null : (opened.filePaths[0] ?? null);
}

/** Keeps the system's recent files and the menu in step with the library. */
async function keepRecentFiles(host: Host): Promise<void> {
  const client = createRouterClient(host.router, { context: host.context });
  const refresh = async () => {
    const opened = (await client.models.list()).filter((model) => model.origin === 'referenced');
    setMenu(opened.slice(0, mostRecent).map((model) => model.summary.path));
  };
  setMenu([]);
  const told = new Set<string>();
  try {
    const changes = await client.models.watch();
    await refresh();
    for await (const { kind, row } of changes) {
      const path = row?.origin === 'referenced' ? row.summary.path : undefined;
      // A row comes again for every step of its hash.
      if (kind === 'row' && (path === undefined || told.has(path))) continue;
      if (path !== undefined) {
        told.add(path);
        app.addRecentDocument(path);
      }
      await refresh();
    }
  } catch {
    // The host has closed; the menu stays as it is.
  }
}

function setMenu(recent: readonly string[]): void {
  const template = menuTemplate(process.platform, app.isPackaged, recent, {
    pickAndOpen: async (what) => {
      const path = await pick(what);
      if (path !== null) command({ kind: 'open', path });
    },
    open: (path) => command({ kind: 'open', path }),
    go: (page) => command({ kind: 'go', page }),
    showWorkspace: () => void shell.openPath(workspace),
  });
  Menu.setApplicationMenu(Menu.buildFromTemplate(template as MenuItemConstructorOptions[]));
}

/** The program ends after its jobs are cancelled and its engines ended, never before. */
function endWith(host: Host): void {
  let isClosing = false;
  app.on('will-quit', (event) => {
    event.preventDefault();
    if (isClosing) return;
    isClosing = true;
    void host.close().finally(() => app.exit(0));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit());
}
