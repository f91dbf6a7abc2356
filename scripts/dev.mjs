// The development loop without Electron: the built served host behind Vite, which reloads the renderer as it is edited.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { createServer } from 'vite';

const root = resolve(import.meta.dirname, '..');
const port = Number(process.env.PORT ?? 5199);
const page = `http://127.0.0.1:${port}`;

const host = spawn(process.execPath, [join(root, 'bin/lathe.mjs'), 'serve', '--no-open'], {
  stdio: ['inherit', 'pipe', 'inherit'],
});
const line = await new Promise((done, fail) => {
  host.stdout.once('data', (text) => done(String(text)));
  host.once('exit', () => fail(new Error('The host ended before it was ready.')));
});
const [, behind, token] = /^Lathe is at (\S+)\/\?t=(\S+)/.exec(line) ?? [];

/** The host checks Host and Origin: ours become its own, a stranger's stay strange and are refused there. */
const proxied = {
  target: behind,
  changeOrigin: true,
  ws: true,
  configure(proxy) {
    const rewrite = (toHost, request) => {
      if (request.headers.origin === page) toHost.setHeader('origin', behind);
    };
    proxy.on('proxyReq', rewrite);
    proxy.on('proxyReqWs', rewrite);
  },
};
const vite = await createServer({
  configFile: false,
  root: join(root, 'src/renderer'),
  plugins: [react()],
  server: {
    host: '127.0.0.1',
    port,
    strictPort: true,
    proxy: { '^/rpc$': proxied, '^/blob/': proxied, '^/upload(/|$)': proxied, '^/\\?t=': proxied },
  },
});
await vite.listen();
console.log(`Lathe is at ${page}/?t=${token}`);

const end = async () => {
  host.kill('SIGTERM');
  await vite.close();
  process.exit(0);
};
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, end);
host.once('exit', end);
