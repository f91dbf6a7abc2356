// The launcher's choice between desktop and browser: by what is there, never by importing electron.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const { findElectron, openDesktop } = await import(resolve(import.meta.dirname, '../../bin/desktop.mjs'));
const folder = mkdtempSync(join(tmpdir(), 'lathe-electron-'));
const program = join(folder, 'electron');
writeFileSync(program, '');
chmodSync(program, 0o755);

const open = (code = 0) => {
  const become = vi.fn(async (_program: string, _args: string[]) => code);
  return { become, opened: openDesktop({ root: '/root/of/lathe', become }) as Promise<string | null> };
};

beforeEach(() => {
  vi.stubEnv('CI', '');
  vi.stubEnv('DISPLAY', ':0');
  vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', folder);
  if (process.getuid) vi.spyOn(process, 'getuid').mockReturnValue(1000);
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe.skipIf(process.platform !== 'linux')('with no arguments', () => {
  it('the desktop opens where its program is', async () => {
    expect(findElectron()).toBe(program);
    const { become, opened } = open();
    expect(await opened).toBeNull();
    expect(become).toHaveBeenCalledWith(program, ['/root/of/lathe']);
  });

  it('a desktop that does not start gives way to the browser', async () => {
    expect(await open(127).opened).toBe('Electron does not start here: the workbench is served to a browser instead.');
  });

  it('is served under CI, without a display, and to root', async () => {
    vi.stubEnv('CI', '1');
    expect(await open().opened).toMatch(/^No desktop under CI/);
    vi.stubEnv('CI', '');
    vi.stubEnv('DISPLAY', '');
    vi.stubEnv('WAYLAND_DISPLAY', '');
    expect(await open().opened).toMatch(/^There is no display here/);
    vi.stubEnv('DISPLAY', ':0');
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    expect(await open().opened).toMatch(/^The desktop does not run as root/);
  });

  it('is served where there is no program and none can be fetched', async () => {
    vi.stubEnv('ELECTRON_OVERRIDE_DIST_PATH', join(folder, 'missing'));
    vi.stubEnv('ELECTRON_MIRROR', 'http://127.0.0.1:1/');
    const { become, opened } = open();
    expect(await opened).toBe('There is no Electron binary here: the workbench is served to a browser instead.');
    expect(become).not.toHaveBeenCalled();
  });
});
