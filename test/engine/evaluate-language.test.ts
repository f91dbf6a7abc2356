// Perplexity of real language models against known values, and of small ones against the formula.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate';
import { encode } from '../../src/engine/formats/onnx';
import { floatTensor } from '../../src/engine/graph/tensor';
import { lossOf } from '../../src/engine/measure/perplexity';
import type { Work } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';
import { folderWith, refusalOf } from './data/files';
import { model, node, value } from './models';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

/** Every token is followed by what a table says. */
const bigram = model({
  inputs: [value('input_ids', 'int64', ['b', 's'])],
  outputs: [value('logits', 'float32', ['b', 's', 3])],
  nodes: [node('Gather', ['table', 'input_ids'], ['logits'])],
  initializers: [floatTensor('table', [3, 3], [0, Math.log(2), 0, 0, 0, 0, 0, 0, 0])],
});

describe('perplexity', () => {
  it('is e to the mean loss of the scored tokens', async () => {
    await using folder = await folderWith({
      'm.onnx': await encode(bigram),
      'ids.json': new TextEncoder().encode('[[0, 1, 2], [0, 0]]'),
    });
    const { evaluation } = await evaluate(
      { path: join(folder.path, 'm.onnx'), dataset: { path: join(folder.path, 'ids.json') } },
      quiet,
    );
    const { quality } = evaluation;
    expect(quality.metric).toBe('perplexity');
    expect(quality.n).toBe(3);
    // Losses: −log 1/2, −log 1/3, −log 1/4.
    expect(quality.value).toBeCloseTo(24 ** (1 / 3), 6);
    expect(quality.more?.bootstrapSeed).toBe(7);
    expect(quality.ci95[0]).toBeLessThanOrEqual(quality.value);
    expect(quality.ci95[1]).toBeGreaterThanOrEqual(quality.value);
  });

  it('does not overflow', () => {
    expect(lossOf(Float32Array.of(1000, 0), 0)).toBe(0);
    expect(lossOf(Float32Array.of(1000, 0), 1)).toBe(1000);
  });

  it('refuses tokens beyond the vocabulary', async () => {
    await using folder = await folderWith({
      'm.onnx': await encode(bigram),
      'ids.json': new TextEncoder().encode('[0, 9]'),
    });
    const asked = evaluate(
      { path: join(folder.path, 'm.onnx'), dataset: { path: join(folder.path, 'ids.json') } },
      quiet,
    );
    expect((await refusalOf(asked)).sentence).toMatch(/^The token 9 is beyond the 3 that /);
  });

  const models = 'models/stories260K';
  it.skipIf(!hasTestData).each([
    ['stories260K/model.onnx', 1.17588],
    ['stories260K/model_with_past.onnx', 1.17588],
    ['stories260K-ort-quantized/dynamic-int8.onnx', 1.18637],
    ['stories260K-ort-quantized/matmulnbits-int4-b32.onnx', 1.29752],
  ])('%s on the ids it generated itself', async (file, nll) => {
    const dataset = { path: testData(`${models}/selfgen_ids.json`) };
    const path = testData(`models/${file}`);
    const { evaluation, comparison } = await evaluate(
      { path, dataset, against: testData(`${models}/model.onnx`) },
      quiet,
    );
    expect(evaluation.quality.n).toBe(3048);
    expect(Math.abs(evaluation.quality.more!.nllPerToken! - nll)).toBeLessThan(1e-4);
    expect(comparison!.agreement.n).toBe(3048);
    if (nll === 1.17588) {
      expect(evaluation.quality.more!.top1).toBeCloseTo(0.6663, 4);
      expect(comparison!.agreement.flips).toBe(0);
    } else expect(comparison!.agreement.klDivergence).toBeGreaterThan(0.001);
  });
});
