// The served host's HTTP server on 127.0.0.1: pages, blobs, uploads and the contract's socket, all behind one gate.
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RPCHandler } from '@orpc/server/ws';
import { WebSocketServer } from 'ws';
import { contentSecurityPolicy, findAsset, guardHeaders } from '../assets';
import type { Host } from '../host';
import { admit, admitSocket, cookieName, type Door, parse } from './gate';
import type { Keys } from './keys';
import { handleUpload } from './uploads/routes';
import { Uploads } from './uploads/session';

/** The largest message is a recipe with an override per layer; what is larger travels as an upload or a blob. */
const mostMessageBytes = 8 << 20;

export interface Server {
  readonly port: number;
  close(): Promise<void>;
}

export async function startServer(options: {
  port: number;
  keys: Keys;
  renderer: string;
  openHost(): Promise<Host>;
}): Promise<Server> {
  const http = createServer({ headersTimeout: 10_000, requestTimeout: 0, keepAliveTimeout: 5_000 });
  await new Promise<void>((done, fail) => {
    http.once('error', fail);
    http.listen({ port: options.port, host: '127.0.0.1', exclusive: true }, () => {
      http.off('error', fail);
      done();
    });
  });
  const { port } = http.address() as AddressInfo;
  const door: Door = { port, keys: options.keys };
  const host = await options.openHost().catch((error) => {
    http.close();
    throw error;
  });
  const uploads = new Uploads(host.uploadsFolder);
  void uploads.sweep().catch(() => {});

  const policy = contentSecurityPolicy(`ws://127.0.0.1:${port} ws://localhost:${port}`);
  http.on('request', (request, response) => {
    for (const [name, value] of Object.entries(guardHeaders)) response.setHeader(name, value);
    response.setHeader('content-security-policy', policy);
    void answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(500).end();
      else response.destroy();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verdict = admit(request, door);
    const pathname = parse(request.url)?.pathname ?? '';
    if (verdict === 'refuse') return forbid(response);
    if (verdict === 'enter') return enter(response, door);
    if (pathname === '/upload' || pathname.startsWith('/upload/'))
      return handleUpload(request, response, pathname, uploads, host.registerUpload);
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    if (pathname.startsWith('/blob/')) return sendBlob(request, response, host, pathname.slice('/blob/'.length));
    const asset = await findAsset(options.renderer, pathname);
    if (!asset) return void response.writeHead(404, { 'cache-control': 'no-store' }).end();
    return send(request, response, asset.path, {
      'content-type': asset.kind,
      'content-length': asset.bytes,
      'cache-control': asset.cache,
    });
  }

  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostMessageBytes, perMessageDeflate: false });
  const handler = new RPCHandler(host.router);
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (!admitSocket(request, door)) return void socket.end(refusedUpgrade(403));
    if (parse(request.url)?.pathname !== '/rpc') return void socket.end(refusedUpgrade(404));
    sockets.handleUpgrade(request, socket, head, (client) => {
      // A message above the limit, or no WebSocket message at all: the connection ends, the host goes on.
      client.on('error', () => client.terminate());
      void handler.upgrade(client, { context: host.context });
    });
  });

  return {
    port,
    close: async () => {
      for (const client of sockets.clients) client.close(1001, 'The host has ended.');
      await new Promise<void>((done) => {
        http.close(() => done());
        http.closeIdleConnections();
        setTimeout(() => http.closeAllConnections(), 200).unref();
      });
      for (const client of sockets.clients) client.terminate();
    },
  };
}

const refusedUpgrade = (status: 403 | 404) =>
  `HTTP/1.1 ${status} ${status === 403 ? 'Forbidden' : 'Not Found'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;

function forbid(response: ServerResponse): void {
  response
    .writeHead(403, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' })
    .end('This workbench opens with the address that was printed when it was started.\n');
}

function enter(response: ServerResponse, { port, keys }: Door): void {
  response
    .writeHead(303, {
      location: '/',
      'set-cookie': `${cookieName(port)}=${keys.token}; HttpOnly; SameSite=Strict; Path=/`,
      'cache-control': 'no-store',
    })
    .end();
}

async function sendBlob(request: IncomingMessage, response: ServerResponse, host: Host, id: string): Promise<void> {
  const blob = await host.blobs.open(id);
  if (!blob) return void response.writeHead(404, { 'cache-control': 'no-store' }).end();
  return send(request, response, blob.path, {
    'content-type': blob.type,
    'content-length': blob.bytes,
    'cache-control': 'no-store',
  });
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  headers: Record<string, string | number>,
): Promise<void> {
  response.writeHead(200, headers);
  if (request.method === 'HEAD') return void response.end();
  await pipeline(createReadStream(path), response);
}
