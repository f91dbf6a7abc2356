// The cache of a language model in few bits: what is taken, how the model's ports change, and what it costs with the cache in use.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/engine/evaluate';
import { write } from '../../../src/engine/formats/onnx';
import { kvCache } from '../../../src/engine/methods/kv-cache';
import { openSubject } from '../../../src/engine/open';
import { runRecipe } from '../../../src/engine/run';
import { openSession, type Session } from '../../../src/engine/runtime/session';
import type { Work } from '../../../src/engine/tasks';
import { hasTestData, testData } from '../../data';
import { storiesModel, storiesParagraphs } from '../../stories';
import { storiesGqa } from '../../stories-gqa';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

type Cache = Awaited<ReturnType<Session['run']>>;

/** Logits of the last tokens when `ids` come one after another through the cache, behind a first piece. */
async function decode(path: string, ids: readonly number[], first: number): Promise<Float32Array[]> {
  const session = await openSession(path);
  try {
    const pasts = session.inputs.filter(({ name }) => name.startsWith('past'));
    let cache: Cache | null = null;
    const answers: Float32Array[] = [];
    for (let done = first; done <= ids.length; done++) {
      const piece = cache ? ids.slice(done - 1, done) : ids.slice(0, first);
      const whole = (values: readonly number[], dims: number[]) => ({
        dtype: 'int64' as const,
        dims,
        data: BigInt64Array.from(values, BigInt),
      });
      const feeds = {
        input_ids: whole(piece, [1, piece.length]),
        attention_mask: whole(Array(done).fill(1), [1, done]),
        ...Object.fromEntries(
          pasts.map(({ name, dtype, shape }) => [
            name,
            cache?.[name.replace('past_key_values', 'present')] ?? {
              dtype: dtype!,
              dims: [1, shape[1] as number, 0, shape[3] as number],
              data: dtype === 'int8' ? new Int8Array(0) : dtype === 'uint8' ? new Uint8Array(0) : new Float32Array(0),
            },
          ]),
        ),
      };
      cache = await session.run(feeds);
      const logits = cache.logits!.data as Float32Array;
      answers.push(logits.slice(logits.length - 512));
    }
    return answers;
  } finally {
    await session.close();
  }
}

const distance = (a: Float32Array[], b: Float32Array[]): number => {
  let [moved, size] = [0, 0];
  a.forEach((row, t) => {
    row.forEach((value, i) => {
      moved += (value - b[t]![i]!) ** 2;
      size += value ** 2;
    });
  });
  return Math.sqrt(moved / size);
};

describe.skipIf(!hasTestData)('the cache of stories260K with GroupQueryAttention', { timeout: 120_000 }, () => {
  let folder: string;
  let path: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lathe-kv-'));
    await write(await storiesGqa(), { folder, file: 'model.onnx' });
    path = join(folder, 'model.onnx');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const dataset = hasTestData ? { path: testData('models/stories260K/selfgen_ids.json') } : { path: '' };
  let runs = 0;

  async function cut(steps: { method: string; params?: Record<string, string | number | boolean> }[]) {
    const own = await mkdtemp(join(folder, `run-${runs++}`));
    const recipe = { lathe: 1 as const, steps: steps.map(({ method, params = {} }) => ({ method, params })) };
    const run = await runRecipe({ path, recipe, seed: 7, folder: own, dataset, limit: 2 }, quiet);
    return { ...run, artifact: join(own, 'artifact/model.onnx') };
  }

  it('is the same model as with attention written out', async () => {
    const loss = async (of: string) =>
      (await evaluate({ path: of, dataset, limit: 2 }, quiet)).evaluation.quality.more!.nllPerToken!;
    expect(Math.abs((await loss(path)) - (await loss(storiesModel)))).toBeLessThan(1e-5);
  });

  it.each([
    [8, true, 0.01, 'int8', 16],
    [8, false, 0.05, 'int8', 16],
    [4, true, 0.2, 'uint8', 8],
  ])('%i bits, per channel %s: tokens one by one answer within %f', async (bits, perChannel, most, dtype, last) => {
    const { layers, artifact } = await cut([{ method: 'kv-cache', params: { bits, perChannel, samples: 4 } }]);
    const taken = layers.filter(({ methods }) => methods.includes('kv-cache'));
    expect(taken.map(({ name }) => name)).toEqual(
      [0, 1, 2, 3, 4].map((i) => `/model/layers.${i}/attn/qkv_proj/MatMul`),
    );
    const { graph } = (await openSubject(artifact)).subject.model;
    const port = { kind: 'tensor', dtype, shape: ['batch_size', 4, 'past_sequence_length', last] };
    expect(graph.inputs.find(({ name }) => name === 'past_key_values.0.key')!.type).toEqual(port);
    const ids = storiesParagraphs()[0]!.slice(0, 60);
    const exact = await decode(path, ids, 40);
    expect(exact).toHaveLength(21);
    const moved = distance(exact, await decode(artifact, ids, 40));
    expect(moved).toBeLessThan(most);
    expect(moved).toBeGreaterThan(1e-4);
  });

  it('goes together with rounded weights, before or behind', async () => {
    const weights = { method: 'weight-only', params: { bits: 8, groupSize: 32 } };
    const cache = { method: 'kv-cache', params: { samples: 4 } };
    for (const steps of [
      [weights, cache],
      [cache, weights],
    ]) {
      const { layers, compressed } = await cut(steps);
      expect(layers.filter(({ methods }) => methods.length === 2)).toHaveLength(5);
      expect(compressed!.quality.value).toBeLessThan(4);
    }
  });

  it('is looked for behind GroupQueryAttention alone, and taken whole', async () => {
    const { subject } = await openSubject(storiesModel);
    for (const site of subject.sites)
      expect(kvCache.fits(subject, site, { bits: 8 })!.sentence).toMatch(
        /: No GroupQueryAttention keeps what it makes\.$/,
      );
    const cached = (await openSubject(path)).subject;
    const fitting = cached.sites.filter((site) => kvCache.fits(cached, site, { bits: 4 }) === null);
    expect(fitting).toHaveLength(5);
  });
});
