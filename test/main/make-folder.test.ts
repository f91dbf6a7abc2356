// Folders made one above the other; where one cannot be made, an error and never a wait.
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/main/make-folder';

const folder = mkdtempSync(join(tmpdir(), 'lathe-folders-'));

describe('making a folder', () => {
  it('makes those above it too, and takes what is there', async () => {
    const deep = join(folder, 'a/b/c');
    await Promise.all([makeFolder(deep), makeFolder(join(folder, 'a/b/d'))]);
    await makeFolder(deep);
    expect(statSync(deep).isDirectory()).toBe(true);
  });

  it('stops at a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(folder, 'file/below'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it.skipIf(process.platform !== 'linux')('stops where the system takes none', async () => {
    await expect(makeFolder('/proc/lathe/workspace')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
