// A served host for tests: the real server and gate over a router of one procedure, in a folder of its own.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { os } from '@orpc/server';
import type { Host } from '../../../src/main/host';
import { makeKeys } from '../../../src/main/serve/keys';
import { startServer } from '../../../src/main/serve/server';

export const blobId = 'abcdefghijkl.0';
export const pageText = '<!doctype html><title>Lathe</title>';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export async function startStandIn() {
  const folder = await mkdtemp(join(tmpdir(), 'lathe-serve-'));
  const renderer = join(folder, 'renderer');
  await mkdir(join(renderer, 'assets'), { recursive: true });
  await writeFile(join(renderer, 'index.html'), pageText);
  await writeFile(join(renderer, 'assets/app-1234.js'), 'void 0;');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(folder, 'blob'), 'blob');
  const uploadsFolder = join(folder, 'incoming');
  const host = {
    router: { host: { info: os.handler(() => ({ kind: 'served' })) } },
    context: {},
    blobs: {
      open: async (id: string) =>
        id === blobId ? { path: join(folder, 'blob'), name: 'blob', bytes: 4, type: 'application/octet-stream' } : null,
    },
    uploadsFolder,
    registerUpload: async (path: string, name: string) => {
      const target = join(folder, `${randomBytes(4).toString('hex')}-${name}`);
      await rename(path, target);
      return target;
    },
    close: async () => {},
  } as unknown as Host;
  const keys = makeKeys();
  const server = await startServer({ port: 0, keys, renderer, openHost: async () => host });
  const home = `127.0.0.1:${server.port}`;
  const cookie = `lathe-${server.port}=${keys.token}`;

  /** Over node:http, which, unlike fetch, lets a test say any Host and any path. */
  const ask = (
    path: string,
    {
      method = 'GET',
      headers = {},
      body,
    }: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
  ) =>
    new Promise<Answer>((done, fail) => {
      const length: Record<string, string> =
        body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const asked = httpRequest(
        { host: '127.0.0.1', port: server.port, path, method, headers: { host: home, ...length, ...headers } },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (piece) => (text += piece));
          response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, text }));
        },
      );
      asked.on('error', fail);
      asked.end(body);
    });

  return {
    folder,
    uploadsFolder,
    server,
    keys,
    home,
    cookie,
    ask,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type StandIn = Awaited<ReturnType<typeof startStandIn>>;
