// Bundles of real models, proven by Lathe and by their own verifier and sample in a process of their own.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleManifest } from '../../../src/contract/words/bundle';
import { exportBundle, verifyBundle } from '../../../src/engine/bundle';
import { identityOf } from '../../../src/engine/bundle-files';
import { openFormat } from '../../../src/engine/formats/index';
import type { Work } from '../../../src/engine/tasks';
import { hasTestData, testData } from '../../data';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const run = promisify(execFile);
const modules = resolve(import.meta.dirname, '../../../node_modules');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lathe-bundles-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function identity(path: string): Promise<string> {
  const { files } = await openFormat(path);
  const entries = [];
  for (const file of files) {
    const bytes = await readFile(file);
    entries.push({
      path: basename(file),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
    });
  }
  return identityOf(entries);
}

async function bundled(name: string, model: string, dataset?: string): Promise<string> {
  const out = join(folder, name);
  const path = testData(model);
  const ask = { path, device: 'raspberry-pi-5', out, zip: false, evidence: {}, sha256: await identity(path), name };
  await exportBundle({ ...ask, ...(dataset ? { dataset: { path: testData(dataset) } } : {}) }, quiet);
  return out;
}

describe.skipIf(!hasTestData)('bundles of real models', () => {
  it.each([
    ['external', 'models/mnist-cnn-ext/model.onnx', 'data/mnist', 1e-4],
    ['integer', 'models/mobilenetv2-cifar10-dynint8/model.onnx', 'data/imagenet-samples', 2e-2],
    ['fixed', 'models/cifar10-resnet2b/model.onnx', 'data/cifar10', 1e-4],
    ['noise', 'models/light/light_squeezenet.onnx', undefined, 1e-4],
    ['batch in the second axis', 'models/silero-vad/silero_vad_16k_op15.onnx', undefined, 1e-4],
    ['axes without names', 'models/silero-vad/silero_vad.onnx', undefined, 1e-4],
    ['several free sizes', 'models/stories260K/model_with_past.onnx', undefined, 1e-4],
  ])('%s: verified here and by itself', async (name, model, dataset, tolerance) => {
    const out = await bundled(name, model, dataset);
    const document = await verifyBundle({ path: out }, quiet);
    expect(document.checks.filter((check) => !check.ok)).toEqual([]);
    const manifest = bundleManifest.parse(JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8')));
    expect(manifest.outputs[0]!.tolerance.value).toBe(tolerance);

    // In place of `npm install`; the verifier leaves node_modules out.
    await symlink(modules, join(out, 'node_modules'));
    const verified = await run(process.execPath, ['verify.mjs'], { cwd: out });
    expect(verified.stdout).toMatch(/^ok {3}files: \d+ as exported$/m);
    expect(verified.stdout).toMatch(/latency here: \d/);
    expect(verified.stdout).not.toContain('BAD');
    const ran = await run(process.execPath, ['samples/run.mjs'], { cwd: out });
    expect(ran.stdout).toContain(manifest.outputs[0]!.name);
    await rm(join(out, 'node_modules'));
  });

  it("the bundle's own verifier ends with 3 when a byte changed", async () => {
    const out = await bundled('tampered', 'models/mnist-8/model.onnx', 'data/mnist');
    await symlink(modules, join(out, 'node_modules'));
    await writeFile(join(out, 'golden/0/input-0.npy'), 'x');
    const failure = await run(process.execPath, ['verify.mjs'], { cwd: out }).catch((error) => error);
    expect(failure.code).toBe(3);
    expect(failure.stdout).toContain('BAD  files: changed or missing: golden/0/input-0.npy');
  });
});
