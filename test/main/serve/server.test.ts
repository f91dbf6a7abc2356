// The served host's door: what comes in, what is refused, and what every answer carries.
import { connect } from 'node:net';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startServer } from '../../../src/main/serve/server';
import { blobId, pageText, type StandIn, startStandIn } from './stand-in';

let served: StandIn;
beforeAll(async () => {
  served = await startStandIn();
});
afterAll(() => served.close());

const socketOutcome = (headers: Record<string, string>, path = '/rpc') =>
  new Promise<number | 'open'>((done) => {
    const socket = new WebSocket(`ws://${served.home}${path}`, { headers });
    socket.on('open', () => {
      socket.close();
      done('open');
    });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    socket.on('error', () => {});
  });

describe('the token', () => {
  it('sets a strict cookie named with the port and goes on to /, any number of times', async () => {
    for (let time = 0; time < 3; time++) {
      const { status, headers } = await served.ask(`/?t=${served.keys.token}`);
      expect(status).toBe(303);
      expect(headers.location).toBe('/');
      expect(headers['set-cookie']).toEqual([`${served.cookie}; HttpOnly; SameSite=Strict; Path=/`]);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['referrer-policy']).toBe('no-referrer');
    }
  });

  it('has 256 bits', () => {
    expect(Buffer.from(served.keys.token, 'base64url')).toHaveLength(32);
  });

  it.each(['', 'x', 'A'.repeat(43), `${'A'.repeat(10_000)}`])('refuses %#', async (token) => {
    const { status, headers } = await served.ask(`/?t=${token}`, { headers: { cookie: served.cookie } });
    expect(status).toBe(403);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('opens nothing else: not a file, a blob, an upload, nor by another method', async () => {
    for (const path of ['/assets/app-1234.js', `/blob/${blobId}`, '/upload', '/rpc'])
      expect((await served.ask(`${path}?t=${served.keys.token}`)).status).toBe(403);
    expect((await served.ask(`/?t=${served.keys.token}`, { method: 'POST' })).status).toBe(403);
  });

  it('gives a browser a code that opens once', async () => {
    const code = served.keys.issueCode();
    expect((await served.ask(`/?t=${code}`)).status).toBe(303);
    expect((await served.ask(`/?t=${code}`)).status).toBe(403);
  });
});

describe('everything without the cookie is 403', () => {
  const places = ['/', '/inspect', '/assets/app-1234.js', '/nothing.js', `/blob/${blobId}`, '/upload', '/rpc'];
  it.each(places)('%s', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'])
      expect((await served.ask(path, { method })).status).toBe(403);
    const forged = { cookie: `lathe-${served.server.port}=${'A'.repeat(43)}; lathe-1=${served.keys.token}` };
    expect((await served.ask(path, { headers: forged })).status).toBe(403);
  });

  it('says why in plain words', async () => {
    expect((await served.ask('/')).text).toContain('the address that was printed');
  });
});

describe('with the cookie', () => {
  const own = () => ({ cookie: `other=1; ${served.cookie}` });

  it('gives the page, for every address of the workbench', async () => {
    for (const path of ['/', '/inspect?model=1', '/runs']) {
      const { status, text, headers } = await served.ask(path, { headers: own() });
      expect([status, text]).toEqual([200, pageText]);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
    }
  });

  it('guards every answer', async () => {
    for (const path of ['/', '/assets/app-1234.js', '/missing.js', `/blob/${blobId}`]) {
      const { headers } = await served.ask(path, { headers: own() });
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['cross-origin-opener-policy']).toBe('same-origin');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'");
      expect(policy).not.toMatch(/script-src[^;]*unsafe/);
      expect(policy).toContain("frame-ancestors 'none'");
    }
  });

  it('keeps hashed files, and gives blobs', async () => {
    const asset = await served.ask('/assets/app-1234.js', { headers: own() });
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(asset.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect((await served.ask(`/blob/${blobId}`, { headers: own() })).text).toBe('blob');
    expect((await served.ask('/blob/nothing', { headers: own() })).status).toBe(404);
  });

  it.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/%00.js',
    '/%zz.js',
    '//etc/passwd',
    '/blob/../../secret.txt',
    '/blob/..%2f..%2fsecret.txt',
  ])('stays inside its folder: %s', async (path) => {
    const { status, text } = await served.ask(path, { headers: own() });
    expect([403, 404]).toContain(status);
    expect(text).not.toContain('secret');
  });

  it.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1', '127.0.0.2'])(
    'refuses the Host %j (a rebound name)',
    async (host) => {
      for (const path of ['/', `/?t=${served.keys.token}`, `/blob/${blobId}`, '/upload'])
        expect((await served.ask(path, { headers: { ...own(), host } })).status).toBe(403);
    },
  );

  it('refuses a foreign Origin, also of another port and the opaque one', async () => {
    for (const origin of ['http://evil.example', 'http://127.0.0.1:1', 'null', `https://${served.home}`])
      for (const path of ['/', '/assets/app-1234.js', `/blob/${blobId}`, '/upload', `/?t=${served.keys.token}`])
        expect((await served.ask(path, { headers: { ...own(), origin } })).status).toBe(403);
    expect((await served.ask('/', { headers: { ...own(), origin: `http://${served.home}` } })).status).toBe(200);
  });

  it('refuses what another page of this machine fetches or frames, but opens for a link', async () => {
    const from = (dest: string) => ({ ...own(), 'sec-fetch-site': 'same-site', 'sec-fetch-dest': dest });
    expect((await served.ask('/', { headers: from('empty') })).status).toBe(403);
    expect((await served.ask('/', { headers: from('iframe') })).status).toBe(403);
    expect((await served.ask(`/blob/${blobId}`, { headers: from('image') })).status).toBe(403);
    expect((await served.ask('/', { headers: from('document') })).status).toBe(200);
  });

  it('takes no other method on pages', async () => {
    expect((await served.ask('/', { method: 'POST', headers: own() })).status).toBe(405);
  });
});

describe('the socket', () => {
  const right = () => ({ cookie: served.cookie, origin: `http://${served.home}` });

  it('refuses a missing or foreign Origin, a foreign Host, and a missing cookie', async () => {
    expect(await socketOutcome({ cookie: served.cookie })).toBe(403);
    expect(await socketOutcome({ ...right(), origin: 'http://evil.example' })).toBe(403);
    expect(await socketOutcome({ ...right(), origin: 'null' })).toBe(403);
    expect(await socketOutcome({ ...right(), host: 'evil.example', origin: 'http://evil.example' })).toBe(403);
    expect(await socketOutcome({ origin: `http://${served.home}` })).toBe(403);
    expect(await socketOutcome({ origin: `http://${served.home}` }, `/rpc?t=${served.keys.token}`)).toBe(403);
    expect(await socketOutcome(right(), '/other')).toBe(404);
    expect(await socketOutcome(right())).toBe('open');
  });

  it('carries the contract', async () => {
    const socket = new WebSocket(`ws://${served.home}/rpc`, { headers: right() });
    const client = createORPCClient(new RPCLink({ websocket: socket as never })) as unknown as {
      host: { info(): Promise<{ kind: string }> };
    };
    expect(await client.host.info()).toEqual({ kind: 'served' });
    socket.close();
  });

  it('ends for a message above the limit or one that is none, and the host goes on', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const closed = (message: string | Buffer) =>
      new Promise<number>((done) => {
        const socket = new WebSocket(`ws://${served.home}/rpc`, { headers: right() });
        socket.on('open', () => socket.send(message));
        socket.on('error', () => {});
        socket.on('close', (code) => done(code));
      });
    expect([1006, 1009]).toContain(await closed(Buffer.alloc(9 << 20)));
    const nonsense = new WebSocket(`ws://${served.home}/rpc`, { headers: right() });
    await new Promise((done) => nonsense.on('open', done));
    nonsense.send('{"not": "a call"');
    nonsense.send(Buffer.from([0xff, 0, 1]));
    nonsense.close();
    expect((await served.ask('/', { headers: { cookie: served.cookie } })).status).toBe(200);
  });
});

it('listens on 127.0.0.1 only', async () => {
  const outcome = await new Promise((done) => {
    const socket = connect({ host: '127.0.0.2', port: served.server.port });
    socket.on('connect', () => done('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code));
  });
  expect(outcome).toBe('ECONNREFUSED');
});

it('fails where the port is taken, before the host opens', async () => {
  let opened = false;
  const starting = startServer({
    port: served.server.port,
    keys: served.keys,
    renderer: served.folder,
    openHost: async () => {
      opened = true;
      throw new Error('not reached');
    },
  });
  await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(opened).toBe(false);
});
