// A bundle is written whole or not at all, says what is in it, proves itself, and notices whatever was done to it.
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleManifest, type VerifyDocument } from '../../../src/contract/words/bundle';
import { Refused } from '../../../src/contract/words/refusal';
import { bundleParts, exportBundle, verifyBundle } from '../../../src/engine/bundle';
import type { Tasks, Work } from '../../../src/engine/tasks';

const sample = join(import.meta.dirname, '../../../resources/sample');
const model = join(sample, 'shapes.onnx');
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let whole: string;

async function ask(out: string, more: Partial<Tasks['bundle']['ask']> = {}): Promise<Tasks['bundle']['ask']> {
  return {
    path: model,
    device: 'raspberry-pi-5',
    out,
    zip: false,
    dataset: { path: join(sample, 'shapes') },
    evidence: { note: 'as it came' },
    sha256: sha(await readFile(model)),
    name: 'shapes',
    ...more,
  };
}

/** Verifies a copy after something was done to it. */
async function verifyAfter(change: (copy: string) => Promise<void>): Promise<VerifyDocument> {
  const copy = await mkdtemp(join(folder, 'copy-'));
  await rm(copy, { recursive: true });
  await cp(whole, copy, { recursive: true });
  await change(copy);
  return verifyBundle({ path: copy }, quiet);
}

const failed = ({ checks }: VerifyDocument) =>
  checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.detail}`);

async function refusalOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => null,
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(Refused);
  return (error as Refused).refusal;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lathe-bundle-'));
  whole = join(folder, 'whole');
  await exportBundle(
    await ask(whole, { zip: true, recipe: { lathe: 1, steps: [{ method: 'float16', params: {} }] } }),
    quiet,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('exporting', () => {
  it('writes the model byte for byte beside what proves it', async () => {
    const manifest = bundleManifest.parse(JSON.parse(await readFile(join(whole, 'manifest.json'), 'utf8')));
    expect(manifest.files.map((file) => file.path).sort()).toEqual([
      'README.md',
      'evidence.json',
      ...[0, 1, 2, 3].flatMap((i) => [`golden/${i}/input-0.npy`, `golden/${i}/output-0.npy`]),
      'model.onnx',
      'npy.mjs',
      'package.json',
      'recipe.json',
      'requirements.txt',
      'samples/run.mjs',
      'samples/run.py',
      'verify.mjs',
    ]);
    expect(await readFile(join(whole, 'model.onnx'))).toEqual(await readFile(model));
    expect(manifest.inputs[0]).toMatchObject({
      name: 'drawing',
      dtype: 'float32',
      preprocessing: { layout: 'NCHW', mean: [0.25] },
    });
    expect(manifest.outputs[0]!.tolerance).toEqual({ kind: 'relative', value: 1e-4, argmax: true });
    expect(manifest.classes).toEqual(['circle', 'ring', 'square', 'triangle', 'star', 'cross']);
    expect(JSON.parse(await readFile(join(whole, 'evidence.json'), 'utf8'))).toEqual({ note: 'as it came' });
    for (const file of manifest.files) expect(sha(await readFile(join(whole, file.path)))).toBe(file.sha256);
    expect(await readFile(join(whole, 'README.md'), 'utf8')).toContain('shapes fits the Raspberry Pi 5');
  });

  it('gives the same bytes twice, zipped too', async () => {
    const again = join(folder, 'again');
    await exportBundle(
      await ask(again, { zip: true, recipe: { lathe: 1, steps: [{ method: 'float16', params: {} }] } }),
      quiet,
    );
    expect(sha(await readFile(`${again}.zip`))).toBe(sha(await readFile(`${whole}.zip`)));
    expect(await readFile(join(again, 'manifest.json'))).toEqual(await readFile(join(whole, 'manifest.json')));
  });

  it('works without a dataset, on seeded noise', async () => {
    const out = join(folder, 'noise');
    await exportBundle(await ask(out, { dataset: undefined }), quiet);
    expect(failed(await verifyBundle({ path: out }, quiet))).toEqual([]);
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('seeded noise');
  });

  it('predicts its parts within a tenth', async () => {
    const { parts, bytes } = await bundleParts({ path: model, device: 'raspberry-pi-5' }, quiet);
    const manifest = bundleManifest.parse(JSON.parse(await readFile(join(whole, 'manifest.json'), 'utf8')));
    const real = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    expect(parts[0]).toEqual({ name: 'Model', bytes: (await readFile(model)).byteLength });
    expect(Math.abs(bytes - real) / real).toBeLessThan(0.1);
  });

  it('never overwrites, and leaves nothing when it ends early', async () => {
    expect(await refusalOf(exportBundle(await ask(whole), quiet))).toMatchObject({ code: 'exists' });
    const controller = new AbortController();
    const work: Work = {
      ...quiet,
      signal: controller.signal,
      emit: (event) => event.kind === 'progress' && event.done === 2 && controller.abort(),
    };
    const out = join(folder, 'cancelled');
    expect(await refusalOf(exportBundle(await ask(out), work))).toMatchObject({ code: 'cancelled' });
    expect((await readdir(folder)).filter((name) => name.includes('cancelled'))).toEqual([]);
  });

  it('refuses a model that is not the one that was opened, and a device it does not know', async () => {
    const other = { sha256: '0'.repeat(64) };
    expect(await refusalOf(exportBundle(await ask(join(folder, 'changed'), other), quiet))).toMatchObject({
      code: 'changed',
    });
    const toaster = { device: 'toaster' };
    expect(await refusalOf(exportBundle(await ask(join(folder, 'toaster'), toaster), quiet))).toMatchObject({
      code: 'not-found',
    });
  });
});

describe('verifying', () => {
  it('says ok of a folder and of a zip, naming what it checked', async () => {
    const document = await verifyBundle({ path: whole }, quiet);
    expect(document.ok).toBe(true);
    expect(document.checks.map((check) => check.name)).toEqual([
      'manifest',
      'paths',
      'nothing else',
      'files',
      'loads',
      'inputs and outputs',
      'golden 1',
      'golden 2',
      'golden 3',
      'golden 4',
      'speed',
    ]);
    expect((await verifyBundle({ path: `${whole}.zip` }, quiet)).ok).toBe(true);
  });

  it.each([
    [
      'one bit of the model',
      async (copy: string) => flip(join(copy, 'model.onnx'), 100_000),
      'files: model.onnx is not the file',
    ],
    [
      'one bit of a golden output',
      async (copy: string) => flip(join(copy, 'golden/1/output-0.npy'), 130),
      'files: golden/1',
    ],
    ['a file gone', async (copy: string) => unlink(join(copy, 'README.md')), 'files: README.md is missing'],
    [
      'a file more',
      async (copy: string) => writeFile(join(copy, 'extra.txt'), 'x'),
      'nothing else: extra.txt is not listed',
    ],
    [
      'a file longer',
      async (copy: string) => writeFile(join(copy, 'README.md'), 'x', { flag: 'a' }),
      'files: README.md has',
    ],
    ['a link', async (copy: string) => relink(copy), 'nothing else: README.md is a link'],
  ])('notices %s', async (_what, change, said) => {
    const document = await verifyAfter(change);
    expect(document.ok).toBe(false);
    expect(failed(document)[0]).toContain(said);
    expect(document.checks.some((check) => check.name === 'loads')).toBe(false);
  });

  it('notices outputs that are not those of the model, hashes and all', async () => {
    const document = await verifyAfter(async (copy) => {
      const path = 'golden/0/output-0.npy';
      const bytes = await readFile(join(copy, path));
      bytes.writeFloatLE(bytes.readFloatLE(128) * 1.01 + 0.01, 128);
      await writeFile(join(copy, path), bytes);
      await rewrite(copy, (manifest) => {
        Object.assign(manifest.files.find((file) => file.path === path)!, {
          sha256: sha(bytes),
          bytes: bytes.byteLength,
        });
      });
    });
    expect(failed(document)).toHaveLength(1);
    expect(failed(document)[0]).toMatch(/^golden 1: off by \d/);
  });

  it.each([
    ['a path that leads out', (m: Manifest) => (m.files[0]!.path = '../../etc/passwd'), 'paths:'],
    ['an absolute path', (m: Manifest) => (m.model.file = '/etc/passwd'), 'paths:'],
    ['a path on a drive', (m: Manifest) => (m.golden[0]!.inputs.drawing = 'c:\\x.npy'), 'paths:'],
    [
      'a golden file that is not listed',
      (m: Manifest) => (m.golden[0]!.inputs.drawing = 'nowhere.npy'),
      'paths: nowhere.npy is used',
    ],
    ['no golden pairs', (m: Manifest) => (m.golden = []), 'manifest:'],
    ['a hash of nonsense', (m: Manifest) => (m.files[0]!.sha256 = 'x'), 'manifest: files.0.sha256'],
    ['another version', (m: Manifest) => Object.assign(m, { lathe: 2 }), 'manifest: lathe'],
    ['other inputs', (m: Manifest) => (m.inputs[0]!.name = 'picture'), 'inputs and outputs'],
  ])('refuses a manifest with %s', async (_what, change, said) => {
    const document = await verifyAfter((copy) => rewrite(copy, change));
    expect(document.ok).toBe(false);
    expect(failed(document)[0]).toContain(said);
  });

  it('refuses what is no bundle', async () => {
    expect(await refusalOf(verifyBundle({ path: join(folder, 'nowhere') }, quiet))).toMatchObject({
      code: 'not-found',
    });
    expect(await refusalOf(verifyBundle({ path: sample }, quiet))).toMatchObject({ code: 'bad-bundle' });
    expect((await verifyBundle({ path: model }, quiet)).checks[0]).toMatchObject({ name: 'unpack', ok: false });
  });

  it.each([
    ['a name that leads out', { '../evil.txt': new Uint8Array(3) }, 'leads out of the bundle'],
    ['an absolute name', { '/evil.txt': new Uint8Array(3) }, 'leads out of the bundle'],
    ['a drive', { 'C:evil.txt': new Uint8Array(3) }, 'leads out of the bundle'],
  ])('refuses a zip with %s', async (_what, members, said) => {
    const path = join(folder, 'hostile.zip');
    await writeFile(path, zipSync(members));
    const { ok, checks } = await verifyBundle({ path }, quiet);
    expect(ok).toBe(false);
    expect(checks[0]!.detail).toContain(said);
  });

  it('refuses a zip that lies about its sizes', async () => {
    const path = join(folder, 'bomb.zip');
    const bytes = zipSync({ 'zeros.bin': new Uint8Array(1 << 20) }, { level: 9 });
    // The size in the central directory: far more than the packed bytes can hold.
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 22 - 46 - 9 + 24, 0xf0000000, true);
    await writeFile(path, bytes);
    const { checks } = await verifyBundle({ path }, quiet);
    expect(checks[0]!.detail).toContain('which it cannot hold');
  });
});

type Manifest = ReturnType<typeof bundleManifest.parse>;

async function rewrite(copy: string, change: (manifest: Manifest) => unknown): Promise<void> {
  const path = join(copy, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= 1;
  await writeFile(path, bytes);
}

async function relink(copy: string): Promise<void> {
  await unlink(join(copy, 'README.md'));
  await symlink('manifest.json', join(copy, 'README.md'));
}
