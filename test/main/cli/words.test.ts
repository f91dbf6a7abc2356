// The plain rooms of the command line: exit codes and sentences, tables and sizes, the folder of --out, the workspace.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ORPCError } from '@orpc/client';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { Refused, refusalCodes } from '../../../src/contract/words/refusal';
import type { RunDocument } from '../../../src/contract/words/run';
import { exitCodeOf, toRefusal } from '../../../src/main/cli/exit';
import { checkOutFolder, writeOutFolder } from '../../../src/main/cli/out-folder';
import { durationText, numberText, shapeText, sizeText, table } from '../../../src/main/cli/print';
import { workspaceFolder } from '../../../src/main/workspace';

describe('exit codes', () => {
  it('are 1 for failures, 2 for usage, 130 for Ctrl-C, and 3 for every other no', () => {
    const codes = Object.fromEntries(refusalCodes.map((code) => [code, exitCodeOf({ code, sentence: '' })]));
    expect(codes).toEqual({
      usage: 2,
      'bad-model': 3,
      'bad-recipe': 3,
      'bad-dataset': 3,
      'bad-bundle': 3,
      'not-found': 3,
      'does-not-fit': 3,
      unsupported: 3,
      cancelled: 130,
      'engine-died': 1,
      'disk-full': 1,
      changed: 3,
      busy: 3,
      exists: 3,
      failed: 1,
    });
  });

  it('whatever was thrown becomes one sentence without a stack', () => {
    const system = (code: string) => Object.assign(new Error('EX: bad\n    at x'), { code, path: '/a/b' });
    const thrown: [unknown, string, string][] = [
      [new Refused({ code: 'busy', sentence: 'It is busy.' }), 'busy', 'It is busy.'],
      [new ORPCError('REFUSED', { data: { code: 'bad-model', sentence: 'No.' } }), 'bad-model', 'No.'],
      [
        new ORPCError('INTERNAL_SERVER_ERROR'),
        'failed',
        'Lathe failed: the cause is in the log file of the workspace.',
      ],
      [
        new ORPCError('BAD_REQUEST', { data: { issues: [{ message: 'Too small', path: ['limit'] }] } }),
        'usage',
        'limit: Too small.',
      ],
      [new CommanderError(1, 'x', "error: unknown command 'x'\n(Did you mean run?)"), 'usage', "Unknown command 'x'."],
      [new DOMException('aborted', 'AbortError'), 'cancelled', 'Cancelled.'],
      [system('ENOSPC'), 'disk-full', 'The disk is full: /a/b.'],
      [system('EACCES'), 'failed', '/a/b may not be read or written.'],
      [system('EOTHER'), 'failed', 'Lathe failed: EX: bad'],
      ['a string', 'failed', 'Lathe failed: a string'],
      [undefined, 'failed', 'Lathe failed: undefined'],
    ];
    for (const [error, code, sentence] of thrown) expect(toRefusal(error)).toMatchObject({ code, sentence });
  });
});

it('numbers and sizes read well', () => {
  expect([0, 999, 1000, 26_454, 999_400, 999_600, 4.4e9, 7e15].map(sizeText)).toEqual([
    '0 B',
    '999 B',
    '1.00 kB',
    '26.5 kB',
    '999 kB',
    '1.00 MB',
    '4.40 GB',
    '7.00e+3 TB',
  ]);
  expect([null, undefined, 0, -1.23456, 1e-9].map(numberText)).toEqual(['–', '–', '0', '−1.235', '1e−9']);
  expect([shapeText([]), shapeText([1, 'n', null])]).toEqual(['scalar', '1×n×?']);
  expect([durationText(1.26), durationText(600)]).toEqual(['1.3 s', '10 min']);
  expect(
    table(
      ['name', 'bytes '],
      [
        ['a', 1],
        ['long', 200],
      ],
    ),
  ).toBe('name  bytes\na         1\nlong    200');
});

describe('--out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-out-'));
  const library = join(folder, 'library');
  mkdirSync(join(library, 'parts'), { recursive: true });
  writeFileSync(join(library, 'model.onnx'), 'model');
  writeFileSync(join(library, 'parts/data.bin'), 'data');
  const files = ['model.onnx', 'parts/data.bin'].map((path) => ({ path, sha256: '', bytes: 0 }));
  const document = { artifact: { path: library, files } } as unknown as RunDocument;
  const goOn = new AbortController().signal;

  it('takes an absent or an empty folder, and fills it whole', async () => {
    mkdirSync(join(folder, 'empty'));
    for (const name of ['absent/deep', 'empty']) {
      const out = join(folder, name);
      await checkOutFolder(out);
      await writeOutFolder(out, library, document, goOn);
      expect(readFileSync(join(out, 'parts/data.bin'), 'utf8')).toBe('data');
      expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toEqual(document);
    }
  });

  it('refuses what is not empty, before and after', async () => {
    const full = join(folder, 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'mine'), '');
    await expect(checkOutFolder(full)).rejects.toMatchObject({ refusal: { code: 'exists' } });
    await expect(writeOutFolder(full, library, document, goOn)).rejects.toMatchObject({ refusal: { code: 'exists' } });
    expect(readdirSync(full)).toEqual(['mine']);
  });

  it('leaves nothing when it is interrupted or a file is missing', async () => {
    const out = join(folder, 'never');
    await expect(writeOutFolder(out, library, document, AbortSignal.abort())).rejects.toThrow();
    await expect(writeOutFolder(out, join(folder, 'missing'), document, goOn)).rejects.toThrow();
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

it('the workspace is the option, else LATHE_HOME, else the user’s data folder', () => {
  expect(workspaceFolder('some/where', { LATHE_HOME: '/b' })).toBe(resolve('some/where'));
  expect(workspaceFolder(undefined, { LATHE_HOME: '/b' })).toBe(resolve('/b'));
  const found = workspaceFolder(undefined, { XDG_DATA_HOME: '/data' });
  if (process.platform === 'linux') expect(found).toBe('/data/lathe');
  expect(found.toLowerCase()).toMatch(/lathe$/);
});
