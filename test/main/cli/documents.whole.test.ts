// Every command on real data: the documents are what CLI users rely on, the exit codes too.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bundleDocument, verifyDocument } from '../../../src/contract/words/bundle';
import { device, fitDocument } from '../../../src/contract/words/device';
import { methodCard } from '../../../src/contract/words/method';
import { inspectDocument } from '../../../src/contract/words/model';
import { evaluation } from '../../../src/contract/words/quality';
import { recipe, runForecast } from '../../../src/contract/words/recipe';
import { runDocument, runState } from '../../../src/contract/words/run';
import { hasTestData, testData } from '../../data';
import { lathe } from '../../lathe';

const folder = mkdtempSync(join(tmpdir(), 'lathe-cli-'));
const workspace = join(folder, 'workspace');
const model = testData('models/mnist-8/model.onnx');
const data = testData('data/mnist');
const recipeFile = join(folder, 'recipe.json');
const out = join(folder, 'out');

/** Runs with --json: exactly one document, and the exit code that was expected. */
async function ask(args: string[], code = 0) {
  const outcome = await lathe([...args, '--json'], { workspace });
  expect(outcome.code, outcome.stdout + outcome.stderr).toBe(code);
  expect(outcome.stdout.trimEnd().split('\n')).toHaveLength(1);
  return outcome.json;
}
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

const runEntry = z.object({
  id: z.string(),
  state: runState,
  createdAt: z.string(),
  model: z.string(),
  recipe,
  bytes: z.number().nullable(),
  metric: z.string().nullable(),
  value: z.number().nullable(),
  parentId: z.string().optional(),
});

describe.skipIf(!hasTestData)('the command line', () => {
  let runId = '';
  beforeAll(() =>
    writeFileSync(
      recipeFile,
      JSON.stringify({ lathe: 1, name: 'int4', seed: 7, steps: [{ method: 'weight-only', params: { bits: 4 } }] }),
    ),
  );

  it('inspects', async () => {
    const document = inspectDocument.parse(await ask(['inspect', model]));
    expect(document.model.sha256).toBe(sha256(model));
    expect(document.layers.map((layer) => layer.op)).toEqual(['Conv', 'Conv', 'MatMul']);
    for (const { stats, parameters } of document.layers) {
      expect(stats?.histogram?.counts).toHaveLength(256);
      expect(stats?.histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(parameters);
    }
  });

  it('inspects headers alone, and by the beginning of an id', async () => {
    const document = inspectDocument.parse(await ask(['inspect', model, '--no-stats']));
    expect(document.layers.every((layer) => layer.stats === undefined)).toBe(true);
    const byHash = inspectDocument.parse(await ask(['inspect', sha256(model).slice(0, 12), '--no-stats']));
    expect(byHash.model.path).toBe(document.model.path);
  });

  it('evaluates', async () => {
    const document = evaluation.parse(
      await ask(['evaluate', model, '--data', data, '--limit', '500', '--threads', '1']),
    );
    expect(document.quality).toMatchObject({ metric: 'accuracy', n: 500 });
    expect(document.latencyMs).toMatchObject({ batch: 1, threads: 1 });
    const against = evaluation.parse(
      await ask(['evaluate', model, '--data', data, '--limit', '50', '--against', model]),
    );
    expect(against.agreement).toMatchObject({ flips: 0, n: 50 });
  });

  it('tells what a run would need, and does nothing', async () => {
    const before = (await ask(['history'])).runs.length;
    const document = runForecast.parse(await ask(['run', model, '--recipe', recipeFile, '--dry-run', '--out', out]));
    expect(document.bytesAfter).toBeLessThan(document.bytesBefore);
    expect(existsSync(out)).toBe(false);
    expect((await ask(['history'])).runs).toHaveLength(before);
  });

  it('runs, and --out holds the artifact and this document', async () => {
    const given = await ask(['run', model, '--recipe', recipeFile, '--data', data, '--limit', '200', '--out', out]);
    const document = runDocument.parse(given);
    runId = document.run.id;
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toEqual(given);
    for (const file of document.artifact.files) expect(sha256(join(out, file.path))).toBe(file.sha256);
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
    expect(document.compressed?.quality.n).toBe(200);
    expect(document.agreement?.n).toBe(200);
    const again = await ask(['run', model, '--recipe', recipeFile, '--out', out], 3);
    expect(again.error.code).toBe('exists');
  });

  it('lists, shows and exports history', async () => {
    const { runs } = await ask(['history', '--limit', '1']);
    expect(z.array(runEntry).parse(runs)).toHaveLength(1);
    expect(runs[0]).toMatchObject({ id: runId, state: 'done', metric: 'accuracy' });
    expect(runDocument.parse(await ask(['history', 'show', runId])).run.id).toBe(runId);
    expect(runDocument.parse(await ask(['history', 'show', runId.slice(0, 6)])).run.id).toBe(runId);
    const csv = join(folder, 'runs.csv');
    await ask(['history', 'export', '--csv', csv]);
    const lines = readFileSync(csv, 'utf8').trim().split(/\r?\n/);
    expect(lines.length).toBe((await ask(['history'])).runs.length + 1);
    expect(lines.some((line) => line.includes(runId))).toBe(true);
  });

  it('replays to the same bytes', async () => {
    expect(await ask(['replay', runId])).toMatchObject({ identical: true });
  });

  it('lists methods and devices', async () => {
    const { methods } = await ask(['methods']);
    expect(
      z
        .array(methodCard)
        .parse(methods)
        .map((card) => card.id),
    ).toContain('weight-only');
    const { devices } = await ask(['devices']);
    expect(
      z
        .array(device)
        .parse(devices)
        .map((profile) => profile.id),
    ).toContain('raspberry-pi-5');
  });

  it('tells whether it fits', async () => {
    const document = fitDocument.parse(await ask(['fit', model, '--device', 'raspberry-pi-5']));
    expect(document.fits).toBe('yes');
  });

  it('bundles and verifies; a spoiled bundle is an honest no', async () => {
    const bundle = join(folder, 'bundle');
    const made = bundleDocument.parse(await ask(['bundle', runId, '--device', 'raspberry-pi-5', '--out', bundle]));
    expect(made.bundle.path).toBe(bundle);
    for (const file of made.bundle.files) expect(sha256(join(bundle, file.path))).toBe(file.sha256);
    expect(verifyDocument.parse(await ask(['verify', bundle])).ok).toBe(true);
    const taken = await ask(['bundle', runId, '--device', 'raspberry-pi-5', '--out', bundle], 3);
    expect(taken.error.code).toBe('exists');
    const spoiled = made.bundle.files.find((file) => file.path.endsWith('.onnx'));
    const bytes = readFileSync(join(bundle, spoiled?.path ?? ''));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(bundle, spoiled?.path ?? ''), bytes);
    expect(verifyDocument.parse(await ask(['verify', bundle], 3)).ok).toBe(false);
    const zipped = join(folder, 'zipped');
    const zip = bundleDocument.parse(
      await ask(['bundle', runId, '--device', 'generic-laptop', '--out', zipped, '--zip']),
    );
    expect(zip.bundle.path).toBe(zipped);
    expect(verifyDocument.parse(await ask(['verify', `${zipped}.zip`])).ok).toBe(true);
    expect(verifyDocument.parse(await ask(['verify', recipeFile], 3)).ok).toBe(false);
  });

  it('says the same in words without --json', async () => {
    for (const args of [['inspect', model], ['methods'], ['devices'], ['history'], ['history', 'show', runId]]) {
      const { code, stdout, stderr, json } = await lathe(args, { workspace });
      expect([code, stderr, json]).toEqual([0, '', null]);
      expect(stdout).not.toMatch(/undefined|NaN|\[object/);
      expect(stdout.length).toBeGreaterThan(40);
    }
  });
});
