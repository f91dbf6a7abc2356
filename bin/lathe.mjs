#!/usr/bin/env node
// Launcher: makes sure of a fit Node before anything native is imported, then opens the desktop or the command line.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const commandLine = join(root, 'out/main/cli.js');
const require = createRequire(import.meta.url);
const windows = process.platform === 'win32';

function end(sentence) {
  if (process.argv.includes('--json')) console.log(JSON.stringify({ error: { code: 'failed', sentence } }));
  else console.error(sentence);
  process.exit(1);
}

/** The Node that npm brought along, or undefined where there is none for this system. */
function bundledNode() {
  try {
    const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
    const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin', windows ? 'node.exe' : 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts a program in our place and passes signals on. With `channel`, a Node learns that we are gone even after SIGKILL.
 * Resolves with its exit code; 128 + n after a signal, as a shell would say.
 */
function become(program, args, { env = {}, channel = false } = {}) {
  const child = spawn(program, args, {
    stdio: ['inherit', 'inherit', 'inherit', ...(channel ? ['ipc'] : [])],
    env: { ...process.env, ...env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code, signal) => done(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

// better-sqlite3 needs Node-API 10 (Node 22.14 and newer); on an older Node its import ends the process without a word.
if (Number(process.versions.napi) < 10) {
  const node = process.env.LATHE_LAUNCHED ? undefined : bundledNode();
  if (!node)
    end(`Lathe needs Node 22.14 or newer; this is ${process.version}. \`npm ci\` brings one on Linux and Windows.`);
  process.exit(await become(node, process.argv.slice(1), { env: { LATHE_LAUNCHED: '1' }, channel: true }));
}

if (!existsSync(commandLine)) end('Lathe is not built yet: run `npm run build` first.');

const args = process.argv.slice(2);
if (args.every((arg) => arg === '--no-open')) {
  const { openDesktop } = await import('./desktop.mjs');
  const why = await openDesktop({ root, become });
  if (why === null) process.exit(0);
  console.error(why);
  process.argv.splice(2, args.length, 'serve', ...args);
}
await import(pathToFileURL(commandLine).href);
