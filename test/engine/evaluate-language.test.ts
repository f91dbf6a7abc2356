// Perplexity of small language models against the formula.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate';
import { encode } from '../../src/engine/formats/onnx';
import { floatTensor } from '../../src/engine/graph/tensor';
import { lossOf } from '../../src/engine/measure/perplexity';
import type { Work } from '../../src/engine/tasks';
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
});
