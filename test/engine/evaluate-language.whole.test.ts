// Perplexity of real language models against known values.
import { expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate';
import type { Work } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

const models = 'models/stories260K';
it.skipIf(!hasTestData).each([
  ['stories260K/model.onnx', 1.17588],
  ['stories260K/model_with_past.onnx', 1.17588],
  ['stories260K-ort-quantized/dynamic-int8.onnx', 1.18637],
  ['stories260K-ort-quantized/matmulnbits-int4-b32.onnx', 1.29752],
])('perplexity of %s on the ids it generated itself', async (file, nll) => {
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
