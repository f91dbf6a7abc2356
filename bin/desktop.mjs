// Opens the desktop where Electron is there or can be fetched; otherwise says why not, in one line.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** Path of the Electron program, or null. Never imports `electron`: that would start a download of its own. */
export function findElectron() {
  let folder;
  try {
    folder = dirname(require.resolve('electron/package.json'));
  } catch {
    return null;
  }
  const named = join(folder, 'path.txt');
  const program = existsSync(named) ? readFileSync(named, 'utf8') : 'electron';
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (!override && !existsSync(named)) return null;
  const path = join(override ?? join(folder, 'dist'), program);
  return existsSync(path) ? path : null;
}

/** Fetches Electron once, without output. Gives up after 2 s where its host does not answer, after 3 min in any case. */
async function fetchElectron() {
  const mirror = process.env.ELECTRON_MIRROR ?? process.env.npm_config_electron_mirror ?? 'https://github.com';
  try {
    await fetch(mirror, { method: 'HEAD', signal: AbortSignal.timeout(2000) });
    const script = join(dirname(require.resolve('electron/package.json')), 'install.js');
    console.error('Fetching Electron, once.');
    await new Promise((done) => {
      spawn(process.execPath, [script], { stdio: 'ignore', timeout: 180_000 }).on('error', done).on('exit', done);
    });
  } catch {
    return null;
  }
  return findElectron();
}

/** Null when the desktop was opened and has ended; else the sentence why it was not. */
export async function openDesktop({ root, become }) {
  const served = 'the workbench is served to a browser instead.';
  if (process.env.CI) return `No desktop under CI: ${served}`;
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
    return `There is no display here: ${served}`;
  if (process.platform === 'linux' && process.getuid?.() === 0) return `The desktop does not run as root: ${served}`;
  const program = findElectron() ?? (await fetchElectron());
  if (!program) return `There is no Electron binary here: ${served}`;
  const started = Date.now();
  const code = await become(program, [root]).catch(() => 1);
  // A missing system library ends Electron within moments; a person takes longer.
  if (code !== 0 && code < 128 && Date.now() - started < 5000) return `Electron does not start here: ${served}`;
  if (code !== 0) process.exit(code);
  return null;
}
