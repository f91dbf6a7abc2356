// Opens the user's browser at an address, where there is a screen to show it on.
import { spawn } from 'node:child_process';

/** Quiet where it cannot: the address was printed. */
export function openBrowser(url: string, env: NodeJS.ProcessEnv = process.env): void {
  if (env.CI) return;
  if (process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return;
  const [program, ...args] = {
    darwin: ['open', url],
    win32: ['rundll32', 'url.dll,FileProtocolHandler', url],
  }[process.platform as string] ?? ['xdg-open', url];
  spawn(program ?? '', args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}
