// The walk in a browser: against the served host always, and in Electron wherever its binary is present.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { findBrowser } from './test/e2e/browser';

// Never probe by launching: that would try to download Electron.
const electron = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
const hasElectron = Boolean(process.env.ELECTRON_OVERRIDE_DIST_PATH) || existsSync(join(electron, 'path.txt'));

if (!findBrowser()) {
  const sentence =
    'No Chromium found: install Chromium or Chrome, run `npx playwright install chromium`, or set PW_CHROMIUM.';
  if (process.env.CI) throw new Error(sentence);
  console.warn(`\n  ${sentence} The walk in the browser is skipped.\n`);
}

export default defineConfig({
  testDir: 'test/e2e',
  // A measurement for docs/evidence: of no use on a busy machine.
  testIgnore: process.env.LATHE_PROVE ? [] : ['**/dial.spec.ts'],
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  projects: [
    { name: 'served', metadata: { host: 'served' } },
    ...(hasElectron ? [{ name: 'electron', metadata: { host: 'electron' }, testMatch: /walk\.spec/ }] : []),
  ],
});
