// The desktop's wiring: the real entry over the stand-in of Electron and a host of one procedure.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { os } from '@orpc/server';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import * as electron from './fake-electron';

const workspace = mkdtempSync(join(tmpdir(), 'lathe-desktop-'));
const model = join(workspace, 'model.onnx');
const opened = { kind: '', pick: (_what: string): Promise<string | null> => Promise.resolve(null) };
const closed: string[] = [];

vi.mock('electron', () => import('./fake-electron'));
vi.mock('../../../src/main/host', () => ({
  utilityForker: () => ({}),
  openHost: async (options: { kind: string; dialogs: { pick: typeof opened.pick } }) => {
    opened.kind = options.kind;
    opened.pick = options.dialogs.pick;
    return {
      router: {
        host: { info: os.handler(() => ({ kind: 'electron' })) },
        models: {
          list: os.handler(() => [{ origin: 'referenced', summary: { path: model } }]),
          watch: os.handler(async function* () {
            yield { kind: 'row', id: 'a', row: { origin: 'referenced', summary: { path: model } } };
          }),
        },
      },
      context: {},
      blobs: { open: async () => null },
      close: async () => void closed.push('host'),
    };
  },
}));

const window = () => {
  const found = electron.windows.at(-1);
  if (!found) throw new Error('no window was opened');
  return found;
};
const pageSays = (channel: string) =>
  electron.ipcMain.emit(channel, {
    ports: [],
    sender: window().webContents,
    senderFrame: { url: 'lathe://app/inspect', parent: null },
  });
const commands = () => window().webContents.sent.map(({ args }) => args[0]);
const item = (label: string, within = electron.menu.items): electron.FakeMenuItem => {
  const all = within.flatMap((entry) => [entry, ...(entry.submenu ?? [])]);
  const found = all.find((entry) => entry.label === label);
  if (!found) throw new Error(`no menu item ${label}`);
  return found;
};

beforeAll(async () => {
  writeFileSync(model, '');
  process.env.LATHE_HOME = workspace;
  process.argv = [process.argv[0] ?? '', 'app', '--flag', model, join(workspace, 'missing.onnx')];
  await import('../../../src/main/index');
  // A Mac names files before the app is ready.
  const early = electron.preventable();
  electron.app.emit('open-file', early, '/early.onnx');
  expect(early.defaultPrevented).toBe(true);
  electron.becomeReady();
  await vi.waitUntil(() => electron.windows.length > 0);
  await vi.waitUntil(() => electron.called('app.addRecentDocument').length > 0);
});

describe('before it is ready', () => {
  it('sandboxes every renderer and registers its own scheme', () => {
    expect(electron.called('app.enableSandbox')).toHaveLength(1);
    expect(electron.called('registerSchemesAsPrivileged')[0]?.[0]).toEqual([
      { scheme: 'lathe', privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
    ]);
    expect(electron.called('app.setPath')[0]).toEqual(['userData', join(workspace, 'desktop')]);
  });
});

describe('the window', () => {
  it('is isolated and sandboxed, and shows our own address', () => {
    expect(opened.kind).toBe('electron');
    expect(window().options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    });
    expect(Object.keys(window().options.webPreferences as object)).not.toContain('webSecurity');
    expect(electron.called('loadURL')).toEqual([['lathe://app/']]);
  });

  it.each(['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview'])('denies %s', (name) => {
    const event = electron.preventable({ url: 'https://example.com' });
    window().webContents.emit(name, event);
    expect(event.defaultPrevented).toBe(true);
  });

  it('opens no other window', () => {
    expect(window().webContents.openHandler({ url: 'https://example.com' })).toEqual({ action: 'deny' });
  });

  it('grants no permission, device or request to the outside', () => {
    for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'unknown'])
      electron.guards.request?.(null, permission, (granted) => expect(granted).toBe(false));
    expect(electron.guards.check?.()).toBe(false);
    expect(electron.guards.device?.()).toBe(false);
    const isCancelled = (url: string) => {
      let answer = { cancel: false };
      electron.guards.ask?.({ url }, (given) => (answer = given));
      return answer.cancel;
    };
    for (const url of ['https://example.com/', 'http://127.0.0.1/', 'file:///etc/passwd', 'lathe://other/', 'ws://x/'])
      expect(isCancelled(url), url).toBe(true);
    for (const url of ['lathe://app/assets/a.js', 'blob:lathe://app/1', 'data:image/png;base64,'])
      expect(isCancelled(url), url).toBe(false);
  });

  it('keeps its place', () => {
    window().emit('close');
    expect(JSON.parse(readFileSync(join(workspace, 'desktop/window.json'), 'utf8'))).toEqual({
      bounds: { x: 40, y: 50, width: 1300, height: 800 },
      maximized: true,
    });
  });

  it('comes back when its page dies', () => {
    window().webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(electron.called('reload')).toHaveLength(1);
  });
});

describe('messages', () => {
  it('carry the contract over the port of our own page', async () => {
    const { page } = electron.connectPage();
    page.start();
    const client = createORPCClient(new RPCLink({ port: page as never })) as unknown as {
      host: { info(): Promise<{ kind: string }> };
    };
    expect(await client.host.info()).toEqual({ kind: 'electron' });
    page.close();
  });

  it('are dropped from any other frame', () => {
    const strangers = [
      { url: 'https://example.com/', parent: null },
      { url: 'lathe://app.evil/', parent: null },
      { url: 'lathe://app/', parent: {} },
    ];
    for (const frame of strangers) expect(electron.connectPage(frame).port.isClosed).toBe(true);
    expect(electron.connectPage(undefined, new electron.FakeContents()).port.isClosed).toBe(true);
    expect(() => electron.ipcMain.emit('lathe:connect', { ports: [], sender: null, senderFrame: null })).not.toThrow();
  });
});

describe('what is asked from outside', () => {
  it('waits until the page listens, in order', () => {
    expect(commands()).toEqual([]);
    pageSays('lathe:listening');
    expect(commands()).toEqual([
      { kind: 'open', path: model },
      { kind: 'open', path: '/early.onnx' },
    ]);
  });

  it('a second start opens its files here and brings the window to the front', () => {
    electron.app.emit('second-instance', {}, ['lathe', 'app', 'model.onnx'], workspace);
    expect(commands().at(-1)).toEqual({ kind: 'open', path: model });
    expect(electron.called('focus')).toHaveLength(1);
  });

  it('the menu opens, exports, and lists recent files', async () => {
    electron.dialog.paths = ['/picked.onnx'];
    item('Open Model…').click?.();
    await vi.waitUntil(() => JSON.stringify(commands()).includes('/picked.onnx'));
    item('Export…').click?.();
    expect(commands().at(-1)).toEqual({ kind: 'go', page: 'deploy' });
    expect(electron.called('app.addRecentDocument')).toEqual([[model]]);
    if (process.platform !== 'darwin') expect(item('Open Recent').submenu).toHaveLength(1);
    item('Show Workspace Folder').click?.();
    expect(electron.called('openPath')).toEqual([[workspace]]);
  });

  it('dialogs answer with a path, or null when dismissed', async () => {
    electron.dialog.paths = ['/a'];
    for (const what of ['model', 'folder', 'dataset', 'save-folder']) expect(await opened.pick(what)).toBe('/a');
    electron.dialog.paths = [];
    expect(await opened.pick('model')).toBeNull();
    expect(await opened.pick('save-folder')).toBeNull();
  });
});

it('gives its own files and nothing beside them', async () => {
  const answer = electron.protocol.handlers.get('lathe');
  for (const url of ['lathe://app/%2e%2e/%2e%2e/package.json', 'lathe://other/index.html', 'lathe://app/blob/x'])
    expect([403, 404]).toContain((await answer?.(new Request(url)))?.status);
  expect((await answer?.(new Request('lathe://app/', { method: 'POST' })))?.status).toBe(403);
});

it('quits after the host has closed, once', async () => {
  electron.app.quit();
  electron.app.quit();
  await vi.waitUntil(() => electron.called('app.exit').length > 0);
  expect(closed).toEqual(['host']);
  expect(electron.called('app.exit')).toEqual([[0]]);
  expect(existsSync(workspace)).toBe(true);
});
