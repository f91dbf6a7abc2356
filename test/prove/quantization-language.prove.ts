// Weight-only rounding on a real language model: perplexity by method; docs/evidence/quantization-language.json.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../data';
import { storiesModel } from '../stories';
import { record } from './evidence';
import { type Losses, rounded, type Step, Stories } from './language';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-language-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasTestData)('weight-only rounding of stories260K', () => {
  it('perplexity by method', async () => {
    const stories = new Stories(folder);
    const float = await stories.losses(storiesModel);
    const theirs = await stories.losses(testData('models/stories260K-ort-quantized/matmulnbits-int4-b32.onnx'));
    const increase = (loss: Losses, over: Losses, on: keyof Losses) => (loss[on] - float[on]) / (over[on] - float[on]);
    const table: Record<string, unknown> = {};
    const found = new Map<string, Losses>();
    for (const bits of [8, 4, 2]) {
      for (const groupSize of [32, 64]) {
        const awq: Step = { method: 'awq-scale', params: { bits, groupSize } };
        const recipes: Record<string, Step[]> = {
          nearest: [rounded('nearest', bits, groupSize)],
          mse: [rounded('mse', bits, groupSize)],
          ...(bits === 8 ? {} : { hqq: [rounded('hqq', bits, groupSize)] }),
          gptq: [rounded('gptq', bits, groupSize)],
          'awq+nearest': [awq, rounded('nearest', bits, groupSize)],
          'awq+gptq': [awq, rounded('gptq', bits, groupSize)],
        };
        for (const [name, steps] of Object.entries(recipes)) {
          const loss = await stories.losses(await stories.cut(steps));
          const key = `${bits} bits g${groupSize} ${name}`;
          found.set(key, loss);
          const nearest = found.get(`${bits} bits g${groupSize} nearest`)!;
          table[key] = {
            perplexity: { selfgen: Math.exp(loss.selfgen), paragraphs: Math.exp(loss.paragraphs) },
            nll: loss,
            increaseToNearest: {
              selfgen: increase(loss, nearest, 'selfgen'),
              paragraphs: increase(loss, nearest, 'paragraphs'),
            },
          };
        }
      }
    }
    const four = [...found].filter(([name]) => name.startsWith('4 bits g32'));
    const [best, least] = four.reduce((a, b) => (b[1].paragraphs < a[1].paragraphs ? b : a));
    const bestToOnnxruntime = {
      recipe: best,
      selfgen: increase(least, theirs, 'selfgen'),
      paragraphs: increase(least, theirs, 'paragraphs'),
    };
    record('quantization-language', 'perplexity', {
      model: 'stories260K',
      calibration: 'odd paragraphs; tested on the even ones and on ids the model made itself',
      float,
      onnxruntimeInt4: theirs,
      bestToOnnxruntime,
      table,
    });
    const [nearest, gptq] = [found.get('4 bits g32 nearest')!, found.get('4 bits g32 gptq')!];
    expect(Math.abs(nearest.selfgen - 1.2975)).toBeLessThan(5e-4);
    for (const on of ['selfgen', 'paragraphs'] as const) {
      expect(increase(gptq, nearest, on), on).toBeLessThanOrEqual(0.75);
      expect(bestToOnnxruntime[on], on).toBeLessThanOrEqual(0.75);
    }
  });
});
