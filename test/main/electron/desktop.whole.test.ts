// The desktop as built, over the stand-in of Electron: its real host, engine and renderer, spoken to through its port.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Contract } from '../../../src/contract/contract';
import { hasTestData, testData } from '../../data';
import * as electron from './fake-electron';

vi.mock('electron', () => import('./fake-electron'));

const workspace = mkdtempSync(join(tmpdir(), 'lathe-desktop-'));
const out = resolve(import.meta.dirname, '../../../out');
let client: ContractRouterClient<Contract>;

beforeAll(async () => {
  process.env.LATHE_HOME = workspace;
  process.argv = [process.argv[0] ?? '', 'app'];
  await import(join(out, 'main/index.js'));
  electron.becomeReady();
  await vi.waitUntil(() => electron.windows.length > 0);
  const { page } = electron.connectPage();
  page.start();
  client = createORPCClient(new RPCLink({ port: page as never }));
});

describe('the desktop', () => {
  it('serves the built renderer at its own address', async () => {
    const answer = electron.protocol.handlers.get('lathe');
    const page = await answer?.(new Request('lathe://app/'));
    const html = (await page?.text()) ?? '';
    expect(html).toContain('<div id="root">');
    expect(page?.headers.get('content-security-policy')).toContain("script-src 'self'");
    for (const [, path] of html.matchAll(/(?:src|href)="\.?(\/[^"]+)"/g)) {
      const asset = await answer?.(new Request(`lathe://app${path}`));
      expect([asset?.status, asset?.headers.get('x-content-type-options')]).toEqual([200, 'nosniff']);
      expect((await asset?.arrayBuffer())?.byteLength).toBeGreaterThan(0);
    }
  });

  it('finds its preload and its engine', async () => {
    const { preload } = electron.windows[0]!.options.webPreferences as { preload: string };
    expect(readFileSync(preload, 'utf8')).toContain('lathe:connect');
    expect(await client.host.info()).toMatchObject({ kind: 'electron', workspace, dialogs: true });
    expect((await client.methods.list()).length).toBeGreaterThan(0);
    for (const [path] of electron.called('utilityProcess.fork')) expect(existsSync(String(path))).toBe(true);
  });

  it('asks with a native dialog', async () => {
    electron.dialog.paths = ['/picked'];
    expect(await client.host.pick({ what: 'folder' })).toEqual({ path: '/picked' });
  });

  it.skipIf(!hasTestData)('opens a model, inspects it in a utility process, and remembers the file', async () => {
    const path = testData('models/mnist-8/model.onnx');
    const model = await client.models.open({ path });
    const events = [];
    for await (const event of await client.models.inspect({ id: model.id })) events.push(event.kind);
    expect(events).toEqual(['layer', 'layer', 'layer', 'done']);
    await vi.waitUntil(() => electron.called('app.addRecentDocument').length > 0);
    expect(electron.called('app.addRecentDocument')).toEqual([[path]]);
  });

  it('ends its engines before it ends', async () => {
    electron.app.quit();
    await vi.waitUntil(() => electron.called('app.exit').length > 0, { timeout: 10_000 });
    expect(electron.utilityProcess.alive()).toEqual([]);
  });
});
