// The launcher in a checkout that is not built yet.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const checkout = mkdtempSync(join(tmpdir(), 'lathe-checkout-'));
cpSync(resolve(import.meta.dirname, '../../bin'), join(checkout, 'bin'), { recursive: true });

it.each([[[]], [['serve']], [['inspect', 'x', '--json']]])('says how to build it: %j', (args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, 'bin/lathe.mjs'), ...args], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  const sentence = 'Lathe is not built yet: run `npm run build` first.';
  if (!args.includes('--json')) expect([stdout, stderr]).toEqual(['', `${sentence}\n`]);
  else expect(JSON.parse(stdout)).toEqual({ error: { code: 'failed', sentence } });
});
