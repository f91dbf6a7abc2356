// A workbench for each test: a served host on its own workspace, a page that must not log an error nor ask anything from outside.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { _electron, test as base, chromium, expect, type Page } from '@playwright/test';
import { browserArgs, findBrowser } from './browser';

export const root = resolve(import.meta.dirname, '../..');

/** Starts `lathe serve` on a workspace; answers with its address, the milliseconds it took, and how to end it. */
export async function serve(
  workspace: string,
): Promise<{ url: string; readyMs: number; child: ChildProcess; end(): Promise<void> }> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'bin/lathe.mjs'), 'serve', '--no-open', '--workspace', workspace], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: root,
  });
  const line = await new Promise<string>((found, failed) => {
    createInterface({ input: child.stdout! }).once('line', found);
    child.once('exit', (code) => failed(new Error(`lathe serve ended with ${code} before it was ready`)));
  });
  const url = line.replace(/^Lathe is at /, '');
  return {
    url,
    readyMs: performance.now() - started,
    child,
    end: () =>
      new Promise((ended) => {
        if (child.exitCode !== null) return ended();
        child.once('exit', () => ended());
        child.kill('SIGTERM');
      }),
  };
}

interface Workbench {
  workspace: string;
  page: Page;
  /** Milliseconds until the server printed its address. */
  readyMs: number;
  /** Process number of the served host. */
  host: number | null;
}

export const test = base.extend<{ bench: Workbench }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright demands a destructuring pattern here.
  bench: async ({}, use, info) => {
    const workspace = mkdtempSync(join(tmpdir(), 'lathe-e2e-'));
    const errors: string[] = [];
    const watch = (page: Page) => {
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      page.on('request', (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (/^(https?|wss?):$/.test(protocol) && hostname !== '127.0.0.1')
          errors.push(`asked from outside: ${request.url()}`);
      });
    };
    if (info.project.metadata.host === 'electron') {
      const app = await _electron.launch({
        args: ['.', ...browserArgs],
        cwd: root,
        env: { ...process.env, LATHE_HOME: workspace } as Record<string, string>,
      });
      const page = await app.firstWindow();
      watch(page);
      await use({ workspace, page, readyMs: 0, host: null });
      await app.close();
    } else {
      const found = findBrowser();
      if (!found) {
        base.skip(true, 'no Chromium');
        return;
      }
      const server = await serve(workspace);
      const browser = await chromium.launch({ ...found, args: browserArgs });
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      watch(page);
      await page.goto(server.url);
      await use({ workspace, page, readyMs: server.readyMs, host: server.child.pid! });
      await context.close();
      await browser.close();
      await server.end();
    }
    rmSync(workspace, { recursive: true, force: true });
    if (errors.length > 0) throw new Error(`The page said:\n${errors.join('\n')}`);
  },
});

/** A model in a folder on this machine, opened from the empty Library as a person does. */
export async function openFolder(page: Page, folder: string): Promise<void> {
  await page.getByRole('button', { name: 'Open a path on this machine' }).click();
  await page.getByLabel('Path', { exact: true }).fill(folder);
  await page.getByRole('button', { name: 'Go', exact: true }).click();
  await page.getByRole('button', { name: 'Open this folder' }).click();
  await expect(page).toHaveURL(/\/inspect\?/);
}

/** A recipe from a file, on the Recipe page. */
export async function readRecipe(page: Page, file: string): Promise<void> {
  await page.locator('input[type=file][accept*=json]').setInputFiles(file);
}

/** The sample that classifies pictures, opened from the Library as a person does. */
export async function openShapes(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try a sample' }).click();
  await page.getByRole('menuitem', { name: /^Shapes/ }).click();
  await expect(page).toHaveURL(/\/inspect\?/);
}

export { expect };
