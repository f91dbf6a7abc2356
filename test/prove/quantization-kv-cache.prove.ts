// The cache of a language model in 8 and 4 bits, perplexity with the cache in use; docs/evidence/quantization-kv-cache.json.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate';
import { write } from '../../src/engine/formats/onnx';
import { runRecipe } from '../../src/engine/run';
import type { Work } from '../../src/engine/tasks';
import { hasTestData } from '../data';
import { writeStories } from '../stories';
import { storiesGqa } from '../stories-gqa';
import { record } from './evidence';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-kv-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasTestData)('the cache of stories260K', () => {
  it('in few bits, alone and with rounded weights', async () => {
    const data = writeStories(folder);
    await write(await storiesGqa(), { folder, file: 'model.onnx' });
    const path = join(folder, 'model.onnx');
    let runs = 0;
    const losses = async (of: string) => {
      const loss = async (dataset: string) =>
        (await evaluate({ path: of, dataset: { path: dataset } }, quiet)).evaluation.quality.more!.nllPerToken!;
      return { selfgen: await loss(data.selfgen), paragraphs: await loss(data.paragraphs) };
    };
    const cut = async (steps: { method: string; params: Record<string, string | number | boolean> }[]) => {
      const own = join(folder, `run-${runs++}`);
      mkdirSync(own);
      const recipe = { lathe: 1 as const, steps };
      await runRecipe({ path, recipe, seed: 7, folder: own, dataset: { path: data.selfgen }, limit: 1 }, quiet);
      return losses(join(own, 'artifact/model.onnx'));
    };
    const cache = (bits: number, perChannel: boolean) => ({ method: 'kv-cache', params: { bits, perChannel } });
    const weights = { method: 'weight-only', params: { bits: 8, groupSize: 32 } };
    const float = await losses(path);
    const table = {
      '8 bits, per channel': await cut([cache(8, true)]),
      '8 bits, per tensor': await cut([cache(8, false)]),
      '4 bits, per channel': await cut([cache(4, true)]),
      '4 bits, per tensor': await cut([cache(4, false)]),
      'weights in 8 bits g32': await cut([weights]),
      'weights in 8 bits g32, cache in 8, per channel': await cut([weights, cache(8, true)]),
    };
    record('quantization-kv-cache', 'stories260K with GroupQueryAttention', {
      metric: 'negative log-likelihood per token; every key and value is read back from the cache, the prompt’s too',
      calibration: 'odd paragraphs, their first 128; tested on the even ones and on ids the model made itself',
      cacheBytesPerToken: { float32: 5 * 2 * 4 * 16 * 4, int8: 5 * 2 * 4 * 16, int4: 5 * 4 * 16 },
      float,
      table,
    });
    for (const on of ['selfgen', 'paragraphs'] as const) {
      expect(Math.abs(table['8 bits, per channel'][on] - float[on])).toBeLessThan(0.01);
      expect(table['4 bits, per channel'][on]).toBeLessThan(table['4 bits, per tensor'][on]);
    }
  });
});
