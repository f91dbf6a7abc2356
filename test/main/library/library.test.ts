// Library: identity, the store of whole artifacts, the hashing thread, and files that change behind our back.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Hasher } from '../../../src/main/library/hasher';
import { compare, identityOf, look, nameInside } from '../../../src/main/library/identity';
import { Store } from '../../../src/main/library/store';
import { openTestHost, someModel, temporaryFolder, until } from '../workspace';

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

describe('identity', () => {
  it('of one file is its hash; of several that of their lines, sorted by path', () => {
    const [a, b] = [sha256('a'), sha256('b')];
    expect(identityOf([{ path: 'x', sha256: a, bytes: 1 }])).toBe(a);
    const lines = `${b} 2 model.onnx\n${a} 1 weights/w.bin\n`;
    const entries = [
      { path: 'weights/w.bin', sha256: a, bytes: 1 },
      { path: 'model.onnx', sha256: b, bytes: 2 },
    ];
    expect(identityOf(entries)).toBe(sha256(lines));
    expect(identityOf([...entries].reverse())).toBe(sha256(lines));
  });

  it('does not depend on the order of files', () => {
    const entry = fc.record({
      path: fc.stringMatching(/^[a-z]{1,5}(\/[a-z]{1,5})?$/),
      bytes: fc.nat(),
      sha256: fc.constant(sha256('')),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (one) => one.path, minLength: 2 }), (entries) => {
        expect(identityOf([...entries].reverse())).toBe(identityOf(entries));
      }),
    );
  });

  it('names files inside their folder with /, a link elsewhere by its last part', () => {
    expect(nameInside('/m', '/m/data/w.bin')).toBe('data/w.bin');
    expect(nameInside('/m', '/blobs/abc')).toBe('abc');
  });

  it('tells same, touched, different and gone apart', async () => {
    const path = await someModel(await temporaryFolder());
    const known = look(path);
    expect(compare(known)).toBe('same');
    await utimes(path, 1, 1);
    expect(compare(known)).toBe('touched');
    await appendFile(path, '!');
    expect(compare(known)).toBe('different');
    await rm(path);
    expect(compare(known)).toBe('gone');
  });
});

describe('the hashing thread', () => {
  it('streams files, tells how far it is, and can be told to give up', async () => {
    const folder = await temporaryFolder();
    const large = Buffer.alloc(80 << 20, 7);
    await writeFile(join(folder, 'large'), large);
    await writeFile(join(folder, 'small'), 'small');
    const hasher = new Hasher();
    onTestFinished(() => hasher.close());
    const files = [look(join(folder, 'large')), look(join(folder, 'small'))];
    const seen: number[] = [];
    expect(await hasher.hash(files, { onProgress: (bytes) => seen.push(bytes) })).toEqual([
      sha256(large),
      sha256('small'),
    ]);
    expect(seen).toEqual([32 << 20, 64 << 20]);
    const abort = new AbortController();
    const given = hasher.hash(files, { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(given).rejects.toThrow(/abort/i);
    expect(await hasher.hash([files[1]!])).toEqual([sha256('small')]);
  });

  it('refuses a file that is not as it was seen, and one that is gone', async () => {
    const path = await someModel(await temporaryFolder());
    const hasher = new Hasher();
    onTestFinished(() => hasher.close());
    await expect(hasher.hash([{ ...look(path), mtimeMs: 1 }])).rejects.toMatchObject({ refusal: { code: 'changed' } });
    await expect(hasher.hash([{ path: `${path}.gone`, bytes: 1, mtimeMs: 1 }])).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('the store', () => {
  it('takes a folder in whole, and the same content once', async () => {
    const root = await temporaryFolder();
    const store = new Store(join(root, 'sha256'));
    const make = async (name: string) => {
      await mkdir(join(root, name, 'deep'), { recursive: true });
      await writeFile(join(root, name, 'deep', 'w.bin'), 'w');
      return join(root, name);
    };
    await mkdir(store.root);
    const id = sha256('w');
    const first = await store.adopt(await make('one'), ['deep/w.bin'], id);
    const second = await store.adopt(await make('two'), ['deep/w.bin'], id);
    expect([first, second]).toEqual([store.folderOf(id), store.folderOf(id)]);
    expect(await readdir(join(first, 'deep'))).toEqual(['w.bin']);
    expect([existsSync(join(root, 'one')), existsSync(join(root, 'two'))]).toEqual([false, false]);
    expect(await store.remove(id)).toBe(1);
    expect(existsSync(first)).toBe(false);
  });
});

describe('models on the shelf', () => {
  it('opened twice are one, by file, by folder and by link', async () => {
    const { client, engine, workspace } = await openTestHost();
    const folder = join(workspace, 'm');
    await mkdir(folder);
    const path = await someModel(folder, 'model.onnx');
    await symlink(path, join(workspace, 'link.onnx'));
    const first = await client.models.open({ path });
    const again = [
      await client.models.open({ path: folder }),
      await client.models.open({ path: join(workspace, 'link.onnx') }),
    ];
    expect(again.map(({ id }) => id)).toEqual([first.id, first.id]);
    expect(first).toMatchObject({ name: 'm', origin: 'referenced' });
    expect(engine.asked.filter((name) => name === 'open')).toHaveLength(1);
    expect(await client.models.list()).toHaveLength(1);
  });

  it('get their SHA-256 soon after, and say so', async () => {
    const { client, workspace } = await openTestHost();
    const rows = await client.models.watch();
    const { id } = await client.models.open({ path: await someModel(workspace) });
    for await (const event of rows) if (event.row?.hashed === 1) break;
    const row = await client.models.get({ id });
    expect(row.summary.sha256).toBe(sha256('some weights'));
    expect((await client.models.open({ path: sha256('some weights').slice(0, 9) })).id).toBe(id);
  });

  it('that were only touched are still themselves; other content is another model', async () => {
    const { client, workspace } = await openTestHost();
    const path = await someModel(workspace);
    const { id } = await client.models.open({ path });
    await until(async () => (await client.models.get({ id })).hashed === 1);
    await utimes(path, 1, 1);
    expect((await client.models.open({ path })).id).toBe(id);
    expect((await client.models.get({ id })).refusal).toBeUndefined();
    await writeFile(path, 'other weights');
    expect((await client.models.get({ id })).refusal?.code).toBe('changed');
    const other = await client.models.open({ path });
    expect(other.id).not.toBe(id);
    expect((await client.models.list()).map((row) => row.id)).toEqual([other.id]);
  });

  it('that are gone say where they were', async () => {
    const { client, workspace } = await openTestHost();
    const path = await someModel(workspace);
    const { id } = await client.models.open({ path });
    await rename(path, `${path}.moved`);
    expect((await client.models.get({ id })).refusal).toMatchObject({
      code: 'not-found',
      sentence: expect.stringContaining(path),
    });
    await expect(client.models.open({ path })).rejects.toMatchObject({ code: 'REFUSED', data: { code: 'not-found' } });
  });

  it('of the user are never touched by forgetting; uploads are removed', async () => {
    const { client, host, workspace } = await openTestHost();
    const path = await someModel(workspace);
    const { id } = await client.models.open({ path });
    expect(await client.models.forget({ id })).toEqual({ freedBytes: 0 });
    expect(existsSync(path)).toBe(true);
    await writeFile(join(host.uploadsFolder, 'incoming'), 'uploaded');
    const stored = await host.registerUpload(join(host.uploadsFolder, 'incoming'), 'up.onnx');
    const upload = await client.models.open({ path: stored });
    expect(upload).toMatchObject({ origin: 'stored', name: 'up' });
    expect(await host.blobs.open(`${upload.id}.0`)).toMatchObject({ path: stored, bytes: 8 });
    expect(await host.blobs.open(`${id}.0`)).toBeNull();
    expect(await host.blobs.open('../../etc/passwd')).toBeNull();
    expect(await client.models.forget({ id: upload.id })).toEqual({ freedBytes: 8 });
    expect(existsSync(stored)).toBe(false);
    await expect(host.registerUpload(path, '../out')).rejects.toThrow(/not a file's name/);
  });
});

describe('datasets on the shelf', () => {
  it('keep their id; other content or preprocessing is another fingerprint', async () => {
    const { client, workspace } = await openTestHost();
    const path = await someModel(workspace, 'data.bin');
    const first = await client.datasets.open({ path });
    const again = await client.datasets.open({ path });
    expect(again).toMatchObject({ id: first.id, fingerprint: first.fingerprint });
    await writeFile(path, 'other samples');
    const changed = await client.datasets.open({ path });
    expect(changed.id).toBe(first.id);
    expect(changed.fingerprint).not.toBe(first.fingerprint);
    const preset = { '*': { scale: 2 } };
    expect((await client.datasets.open({ path, preset })).id).not.toBe(first.id);
    expect(await client.datasets.list()).toHaveLength(2);
    await client.datasets.forget({ id: first.id });
    expect(existsSync(path)).toBe(true);
  });
});

describe('leftovers', () => {
  it('of a job that ended are counted, and swept when a host opens', async () => {
    const { host, client, workspace } = await openTestHost();
    const store = join(workspace, 'library/sha256/ab', sha256('orphan'));
    await mkdir(store, { recursive: true });
    await writeFile(join(store, 'model.onnx'), 'orphan');
    expect(await client.host.usage()).toMatchObject({ libraryBytes: 6, sweepableBytes: 0 });
    // A fresh one may be another host's that is just being recorded; an old one is nobody's.
    const job = join(workspace, 'jobs', 'aaaaaaaaaaaa');
    await mkdir(job);
    await host.context.library.sweep();
    expect(existsSync(job)).toBe(true);
    host.context.history.runs.insert({
      id: 'aaaaaaaaaaaa',
      kind: 'compress',
      modelId: 'm',
      model: 'm',
      recipe: { lathe: 1, steps: [] },
      datasetId: null,
      dataset: null,
      seed: 0,
      parentId: null,
      ask: {},
    });
    host.context.history.runs.end('aaaaaaaaaaaa', 'failed', { code: 'failed', sentence: 'no' });
    await host.context.library.sweep();
    expect(existsSync(job)).toBe(false);
    expect(existsSync(store)).toBe(true);
  });

  it('of an engine that died stay while its run can be resumed, and go by hand', async () => {
    const { host, client, workspace } = await openTestHost();
    const id = 'bbbbbbbbbbbb';
    const job = join(workspace, 'jobs', id);
    await mkdir(job);
    const at = new Date().toISOString();
    await writeFile(join(job, 'checkpoint.json'), JSON.stringify({ at, bytes: 5, entries: [1, 2] }));
    await writeFile(join(job, 'scratch.bin'), 'codes');
    host.context.history.runs.insert({
      ...{ id, kind: 'compress', modelId: 'm', model: 'm', recipe: { lathe: 1, steps: [] }, seed: 0, ask: {} },
      ...{ datasetId: null, dataset: null, parentId: null },
    });
    host.context.history.runs.end(id, 'failed', { code: 'engine-died', sentence: 'The engine stopped.' });
    await host.context.library.sweep();
    expect(await client.runs.checkpoint({ id })).toEqual({ at, bytes: 5, tensors: 2 });
    const { freedBytes } = await client.runs.discard({ id });
    expect(freedBytes).toBeGreaterThan(5);
    expect(await client.runs.checkpoint({ id })).toBeNull();
    expect(existsSync(job)).toBe(false);
    expect(await client.runs.discard({ id })).toEqual({ freedBytes: 0 });
    await expect(client.runs.resume({ id })).rejects.toMatchObject({ data: { code: 'not-found' } });
  });
});
