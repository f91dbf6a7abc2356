// Steps that rescale channels: what is found, and that the answers stay.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seamsOf } from '../../../src/engine/methods/cutting/seams';
import { openSubject } from '../../../src/engine/open';
import { runRecipe } from '../../../src/engine/run';
import { openSession } from '../../../src/engine/runtime/session';
import type { Work } from '../../../src/engine/tasks';
import { hasTestData, testData } from '../../data';
import { storiesModel, storiesParagraphs } from '../../stories';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

describe.skipIf(!hasTestData)('channels of a language model', () => {
  it('are rescaled behind norms and behind a gate, not behind grouped attention', async () => {
    const { subject } = await openSubject(storiesModel);
    const seams = seamsOf(subject);
    expect(seams).toHaveLength(16);
    const [attention, mlp, down] = seams;
    expect(attention!.readers.map(({ name }) => name)).toEqual(['n14_MatMul', 'n17_MatMul', 'n20_MatMul']);
    expect(attention!.vectors.map(({ name }) => name)).toEqual(['model.layers.0.input_layernorm.weight']);
    expect(mlp!.readers.map(({ name }) => name)).toEqual(['n59_MatMul', 'n62_MatMul']);
    expect(down!.maker!.name).toBe('n62_MatMul');
  });

  it.each([
    ['awq-scale', {}],
    ['awq-scale', { bits: 2, groupSize: 0, symmetric: false }],
    ['smooth', {}],
    ['smooth', { strength: 0.9 }],
  ])('%s %j leaves the answers within 1e-5', { timeout: 60_000 }, async (method, params) => {
    const folder = await mkdtemp(join(tmpdir(), 'lathe-scales-'));
    try {
      const recipe = { lathe: 1 as const, steps: [{ method, params: { ...params, samples: 16 } }] };
      const dataset = { path: testData('models/stories260K/selfgen_ids.json') };
      const { layers } = await runRecipe({ path: storiesModel, recipe, seed: 7, folder, dataset, limit: 1 }, quiet);
      expect(layers.filter(({ methods }) => methods.length > 0)).toHaveLength(31);
      const ids = storiesParagraphs()[0]!;
      const feed = { dtype: 'int64' as const, dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) };
      const answers: Float32Array[] = [];
      for (const path of [storiesModel, join(folder, 'artifact/model.onnx')]) {
        const session = await openSession(path);
        answers.push((await session.run({ input_ids: feed })).logits!.data as Float32Array);
        await session.close();
      }
      let moved = 0;
      let size = 0;
      answers[0]!.forEach((value, i) => {
        moved += (value - answers[1]![i]!) ** 2;
        size += value ** 2;
      });
      expect(Math.sqrt(moved / size)).toBeLessThan(1e-5);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
