// A stand-in of the documented part of Electron that src/main/index.ts uses. It proves our wiring against that shape, not Electron.
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

export const calls: { what: string; args: unknown[] }[] = [];
const record = (what: string, ...args: unknown[]) => void calls.push({ what, args });
export const called = (what: string) => calls.filter((call) => call.what === what).map((call) => call.args);

let isReady = false;
let makeReady: () => void = () => {};
const ready = new Promise<void>((done) => {
  makeReady = () => {
    isReady = true;
    done();
  };
});
const beforeReady = (what: string) => {
  if (isReady) throw new Error(`${what} must be called before the app is ready`);
};
const afterReady = (what: string) => {
  if (!isReady) throw new Error(`${what} cannot be used before the app is ready`);
};

/** What a test sets before the entry is imported. */
export const setting = { hasLock: true };
export const becomeReady = () => makeReady();

export const app = Object.assign(new EventEmitter(), {
  isPackaged: false,
  whenReady: () => ready,
  setPath: (name: string, path: string) => record('app.setPath', name, path),
  enableSandbox: () => {
    beforeReady('app.enableSandbox');
    record('app.enableSandbox');
  },
  requestSingleInstanceLock: () => setting.hasLock,
  addRecentDocument: (path: string) => record('app.addRecentDocument', path),
  /** As Electron: asks the windows to close, then will-quit, which may be prevented. */
  quit: () => {
    record('app.quit');
    const event = preventable();
    app.emit('will-quit', event);
    if (!event.defaultPrevented) app.exit(0);
  },
  exit: (code: number) => record('app.exit', code),
});

export const preventable = (more: Record<string, unknown> = {}) => ({
  defaultPrevented: false,
  preventDefault() {
    this.defaultPrevented = true;
  },
  ...more,
});

export const protocol = {
  handlers: new Map<string, (request: Request) => Promise<Response>>(),
  registerSchemesAsPrivileged: (schemes: unknown) => {
    beforeReady('protocol.registerSchemesAsPrivileged');
    record('registerSchemesAsPrivileged', schemes);
  },
  handle(scheme: string, handler: (request: Request) => Promise<Response>) {
    afterReady('protocol.handle');
    if (this.handlers.has(scheme)) throw new Error(`${scheme} is already handled`);
    this.handlers.set(scheme, handler);
  },
};

type Decide<T> = (answer: T) => void;
export const guards: {
  request?: (contents: unknown, permission: string, decide: Decide<boolean>) => void;
  check?: () => boolean;
  device?: () => boolean;
  ask?: (details: { url: string }, decide: Decide<{ cancel: boolean }>) => void;
} = {};
const defaultSession = {
  setPermissionRequestHandler: (handler: typeof guards.request) => void (guards.request = handler),
  setPermissionCheckHandler: (handler: typeof guards.check) => void (guards.check = handler),
  setDevicePermissionHandler: (handler: typeof guards.device) => void (guards.device = handler),
  webRequest: { onBeforeRequest: (handler: typeof guards.ask) => void (guards.ask = handler) },
};
export const session = {
  get defaultSession() {
    afterReady('session.defaultSession');
    return defaultSession;
  },
};

export const ipcMain = new EventEmitter();

export class FakeContents extends EventEmitter {
  sent: { channel: string; args: unknown[] }[] = [];
  openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
  send = (channel: string, ...args: unknown[]) => void this.sent.push({ channel, args });
  setWindowOpenHandler = (handler: FakeContents['openHandler']) => void (this.openHandler = handler);
}

export const windows: BrowserWindow[] = [];
export class BrowserWindow extends EventEmitter {
  webContents = new FakeContents();
  options: Record<string, unknown>;
  constructor(options: Record<string, unknown>) {
    super();
    afterReady('BrowserWindow');
    this.options = options;
    windows.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  show = () => record('show');
  maximize = () => record('maximize');
  restore = () => record('restore');
  focus = () => record('focus');
  reload = () => record('reload');
  isMaximized = () => true;
  getNormalBounds = () => ({ x: 40, y: 50, width: 1300, height: 800 });
  loadURL = async (url: string) => record('loadURL', url);
}

export const screen = { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1040 } }] };
export const shell = { openPath: async (path: string) => record('openPath', path) };
export const dialog = {
  paths: [] as string[],
  showOpenDialog: async (...args: unknown[]) => {
    record('showOpenDialog', ...args);
    return { canceled: dialog.paths.length === 0, filePaths: dialog.paths };
  },
  showSaveDialog: async (...args: unknown[]) => {
    record('showSaveDialog', ...args);
    return { canceled: dialog.paths.length === 0, filePath: dialog.paths[0] ?? '' };
  },
  showErrorBox: (...args: unknown[]) => record('showErrorBox', ...args),
};

export interface FakeMenuItem {
  label?: string;
  role?: string;
  submenu?: FakeMenuItem[];
  click?: () => void;
}
export const menu: { items: FakeMenuItem[] } = { items: [] };
export const Menu = {
  buildFromTemplate: (template: FakeMenuItem[]) => template,
  setApplicationMenu: (items: FakeMenuItem[]) => void (menu.items = items),
};

/** MessagePortMain: messages wrapped in `data`, nothing but ports can be transferred, silent until started. */
export class FakePort extends EventEmitter {
  isClosed = false;
  readonly #port: MessagePort;
  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.on('close', () => this.emit('close'));
  }
  start() {
    this.#port.on('message', (data) => this.emit('message', { data, ports: [] }));
  }
  close() {
    this.isClosed = true;
    this.#port.close();
  }
  postMessage(message: unknown, transfer: unknown[] = []) {
    if (transfer.length > 0) throw new Error('MessagePortMain transfers MessagePortMain only');
    this.#port.postMessage(message);
  }
}

/** What the preload does with a page's port; answers the page's end. */
export function connectPage(
  frame: { url: string; parent: unknown } = { url: 'lathe://app/', parent: null },
  sender?: unknown,
) {
  const { port1, port2 } = new MessageChannel();
  const port = new FakePort(port2);
  ipcMain.emit('lathe:connect', { ports: [port], sender: sender ?? windows.at(-1)?.webContents, senderFrame: frame });
  return { page: port1, port };
}

/** A forked child behind utilityProcess's shape: exit by event, `postMessage`, output as streams. */
class FakeUtilityProcess extends EventEmitter {
  readonly #child: ChildProcess;
  constructor(path: string, env: NodeJS.ProcessEnv) {
    super();
    this.#child = fork(path, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
      execArgv: [],
    });
    this.#child.on('message', (message) => this.emit('message', message));
    this.#child.on('exit', (code) => this.emit('exit', code ?? 1));
  }
  get pid() {
    return this.#child.pid;
  }
  get isAlive() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
  get stdout() {
    return this.#child.stdout;
  }
  get stderr() {
    return this.#child.stderr;
  }
  postMessage = (message: unknown) => void this.#child.send(message as object);
  kill = () => this.#child.kill();
}
const engines: FakeUtilityProcess[] = [];
export const utilityProcess = {
  fork: (path: string, _args: string[], { env }: { env: NodeJS.ProcessEnv }) => {
    record('utilityProcess.fork', path);
    const engine = new FakeUtilityProcess(path, env);
    engines.push(engine);
    return engine;
  },
  /** Of the test alone: engines that have not ended. */
  alive: () => engines.filter((engine) => engine.isAlive).map((engine) => engine.pid),
};
