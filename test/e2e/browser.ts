// Which Chromium to drive: the one named, Playwright's own, or the system's.
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const systemBrowsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

export function findBrowser(): { executablePath?: string } | undefined {
  if (process.env.PW_CHROMIUM) return { executablePath: process.env.PW_CHROMIUM };
  if (existsSync(chromium.executablePath())) return {};
  const found = systemBrowsers.find((path) => existsSync(path));
  return found ? { executablePath: found } : undefined;
}

/** No sandbox only where Chromium cannot have one (root, CI); nothing asked from outside. */
export const browserArgs = [
  ...(process.getuid?.() === 0 || process.env.CI ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
