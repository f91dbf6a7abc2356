// `lathe serve` as built: its first line, its door with the real renderer and contract, its ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Contract } from '../../../src/contract/contract';
import { hasTestData, testData } from '../../data';
import { lathe, root } from '../../lathe';

const folder = mkdtempSync(join(tmpdir(), 'lathe-served-'));
const started: ChildProcess[] = [];

async function serve(workspace: string, args: string[] = []) {
  const child = spawn(process.execPath, [resolve(root, 'bin/lathe.mjs'), 'serve', '--no-open', ...args], {
    env: { ...process.env, LATHE_HOME: workspace },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  await expect.poll(() => stdout, { timeout: 20_000 }).toContain('\n');
  const [, home, token] = /^Lathe is at (http:\/\/127\.0\.0\.1:\d+)\/\?t=([\w-]{43})\n$/.exec(stdout) ?? [];
  if (!home || !token) throw new Error(`the first line is ${JSON.stringify(stdout)}`);
  const entered = await fetch(`${home}/?t=${token}`, { redirect: 'manual' });
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return { child, ended, home, token, cookie, output: () => stdout + stderr };
}

function connect(home: string, cookie: string) {
  const socket = new WebSocket(`${home.replace('http', 'ws')}/rpc`, { headers: { cookie, origin: home } });
  const link = new RPCLink({ websocket: socket as never });
  return { socket, client: createORPCClient(link) as ContractRouterClient<Contract> };
}

/** Every file below a folder, to look for what must not be in any. */
const filesUnder = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

describe('lathe serve', () => {
  it('serves the built workbench and its contract, and never writes its token down', async () => {
    const workspace = join(folder, 'page');
    const { child, ended, home, token, cookie, output } = await serve(workspace);
    expect((await fetch(home)).status).toBe(403);
    const page = await fetch(home, { headers: { cookie } });
    const html = await page.text();
    expect(html).toContain('<div id="root">');
    // Nothing inline that the policy would stop, and every file it names is there.
    expect(html).not.toMatch(/<script(?![^>]*src=)[^>]*>/);
    for (const [, path] of html.matchAll(/(?:src|href)="\.?(\/[^"]+)"/g))
      expect((await fetch(home + path, { headers: { cookie } })).status, path).toBe(200);
    const { socket, client } = connect(home, cookie);
    expect(await client.host.info()).toMatchObject({ kind: 'served', workspace, dialogs: false });
    expect((await client.methods.list()).length).toBeGreaterThan(0);
    socket.close();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output().split(token)).toHaveLength(2);
    for (const file of filesUnder(workspace)) expect(readFileSync(file).includes(token), file).toBe(false);
  });

  it('says so when the port is taken', async () => {
    const { home } = await serve(join(folder, 'port'));
    const port = new URL(home).port;
    const second = await lathe(['serve', '--no-open', '--port', port], { workspace: join(folder, 'port2') });
    expect(second.code).toBe(1);
    expect(second.stdout).toBe('');
    expect(second.stderr).toContain(`Port ${port} of 127.0.0.1 is taken.`);
  });

  it('cancels its jobs and ends with 0 by SIGINT, with a page still connected', async () => {
    const { child, ended, home, cookie } = await serve(join(folder, 'ends'));
    const { socket, client } = connect(home, cookie);
    await client.host.info();
    const gone = new Promise<number>((done) => socket.once('close', done));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(await gone).toBe(1001);
  });
});

describe.skipIf(!hasTestData)('an upload to the real host', () => {
  it('of a model with external data opens as the model it is', async () => {
    const source = testData('models/mnist-cnn-ext');
    const names = readdirSync(source).filter((name) => /^model\.onnx/.test(name));
    expect(names.length).toBeGreaterThan(1);
    const bytes = names.map((name) => readFileSync(join(source, name)));
    const { home, cookie } = await serve(join(folder, 'upload'));
    const call = async (method: string, path: string, body?: string | Buffer<ArrayBuffer>, offset = 0) => {
      const headers = { cookie, origin: home, 'upload-offset': String(offset) };
      const answer = await fetch(home + path, { method, headers, body });
      expect(answer.ok, `${method} ${path} ${answer.status}`).toBe(true);
      return answer.status === 204 ? null : answer.json();
    };
    const files = names.map((name, index) => ({ path: `net/${name}`, bytes: bytes[index]?.length ?? 0 }));
    const { id } = await call('POST', '/upload', JSON.stringify({ name: 'net', files }));
    for (const [index, content] of bytes.entries()) {
      const half = content.length >> 1;
      await call('PATCH', `/upload/${id}/${index}`, Buffer.from(content.subarray(0, half)));
      await call('PATCH', `/upload/${id}/${index}`, Buffer.from(content.subarray(half)), half);
    }
    const { path } = await call('POST', `/upload/${id}/complete`);
    const { socket, client } = connect(home, cookie);
    const uploaded = await client.models.open({ path });
    expect(uploaded.origin).toBe('stored');
    const original = await client.models.open({ path: join(source, 'model.onnx') });
    const hashOf = async (modelId: string) => (await client.models.document({ id: modelId, stats: true })).model.sha256;
    expect(await hashOf(uploaded.id)).toBe(await hashOf(original.id));
    socket.close();
  });
});
