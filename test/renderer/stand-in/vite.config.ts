// The renderer over the stand-in host, in one process:
//   npx vite build -c test/renderer/stand-in/vite.config.ts && npx vite preview -c test/renderer/stand-in/vite.config.ts

import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RPCHandler } from '@orpc/server/ws';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { WebSocketServer } from 'ws';
import { router } from './router';

function attach(server: Server | null): void {
  const handler = new RPCHandler(router);
  const sockets = new WebSocketServer({ noServer: true });
  server?.on('upgrade', (request, socket, head) => {
    if (!request.url?.startsWith('/rpc')) return;
    sockets.handleUpgrade(request, socket, head, (opened) => void handler.upgrade(opened, { context: {} }));
  });
}

const standIn: Plugin = {
  name: 'stand-in-host',
  configureServer: (server) => attach(server.httpServer as Server | null),
  configurePreviewServer: (server) => attach(server.httpServer as Server),
};

export default defineConfig({
  root: resolve(import.meta.dirname, '../../../src/renderer'),
  base: '/',
  plugins: [react(), standIn],
  build: { outDir: process.env.STAND_IN_OUT ?? join(tmpdir(), 'lathe-stand-in'), emptyOutDir: true },
  server: { hmr: false, watch: null, port: 5199, strictPort: true },
  preview: { port: 5199, strictPort: true },
  logLevel: 'warn',
});
