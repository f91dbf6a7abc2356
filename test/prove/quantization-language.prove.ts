// Weight-only rounding on a real language model: perplexity by method, and what each layer's output loses; docs/evidence/quantization-language.json.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate';
import { openCalibration } from '../../src/engine/measure/calibration';
import { inputsOf, openSubject } from '../../src/engine/open';
import { runRecipe } from '../../src/engine/run';
import { openTaps } from '../../src/engine/runtime/taps';
import type { Work } from '../../src/engine/tasks';
import { hasTestData, testData } from '../data';
import { storiesModel, writeStories } from '../stories';
import { record } from './evidence';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-language-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Losses {
  selfgen: number;
  paragraphs: number;
}
type Step = { method: string; params: Record<string, string | number>; layers?: { exclude: string[] } };

describe.skipIf(!hasTestData)('weight-only rounding of stories260K', () => {
  const data = hasTestData ? writeStories(folder) : { selfgen: '', paragraphs: '' };
  let runs = 0;

  async function losses(path: string): Promise<Losses> {
    const loss = async (dataset: string) => {
      const { evaluation } = await evaluate({ path, dataset: { path: dataset } }, quiet);
      return evaluation.quality.more!.nllPerToken!;
    };
    return { selfgen: await loss(data.selfgen), paragraphs: await loss(data.paragraphs) };
  }

  async function cut(steps: Step[]): Promise<string> {
    const own = join(folder, `run-${runs++}`);
    mkdirSync(own);
    const recipe = { lathe: 1 as const, steps };
    await runRecipe(
      { path: storiesModel, recipe, seed: 7, folder: own, dataset: { path: data.selfgen }, limit: 1 },
      quiet,
    );
    return join(own, 'artifact/model.onnx');
  }

  /** The embeddings stay in float, as in the file that onnxruntime's own quantizer made. Float products where they are fast. */
  const rounded = (rounding: string, bits: number, groupSize: number): Step => ({
    method: 'weight-only',
    params: { rounding, bits, groupSize, activations: bits === 4 ? 'float32' : 'int8' },
    layers: { exclude: ['*Gather'] },
  });

  it('perplexity by method', async () => {
    const float = await losses(storiesModel);
    const theirs = await losses(testData('models/stories260K-ort-quantized/matmulnbits-int4-b32.onnx'));
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
          const loss = await losses(await cut(steps));
          const key = `${bits} bits g${groupSize} ${name}`;
          found.set(key, loss);
          const nearest = found.get(`${bits} bits g${groupSize} nearest`)!;
          const ratio = (on: keyof Losses) => (loss[on] - float[on]) / (nearest[on] - float[on]);
          table[key] = {
            perplexity: { selfgen: Math.exp(loss.selfgen), paragraphs: Math.exp(loss.paragraphs) },
            nll: loss,
            increaseToNearest: { selfgen: ratio('selfgen'), paragraphs: ratio('paragraphs') },
          };
        }
      }
    }
    record('quantization-language', 'perplexity', {
      model: 'stories260K',
      calibration: 'odd paragraphs; tested on the even ones and on ids the model made itself',
      float,
      onnxruntimeInt4: theirs,
      table,
    });
    const [nearest, gptq] = [found.get('4 bits g32 nearest')!, found.get('4 bits g32 gptq')!];
    expect(Math.abs(nearest.selfgen - 1.2975)).toBeLessThan(5e-4);
    for (const on of ['selfgen', 'paragraphs'] as const)
      expect((gptq[on] - float[on]) / (nearest[on] - float[on]), on).toBeLessThanOrEqual(0.75);
  });

  it('what the output of each layer loses', async () => {
    const { model, sites } = (await openSubject(storiesModel)).subject;
    const products = sites.filter(({ op }) => op === 'MatMul');
    const inputs = [...new Set(products.map(({ node }) => node.inputs[0]!))];
    const held = await openCalibration(
      { path: testData('models/stories260K/selfgen_ids.json') },
      inputsOf(await openSubject(storiesModel)),
    );
    /** Each layer alone on the float model's values: ‖Y − Ŷ‖² / ‖Y‖² over ids that no rounding saw. */
    const errorsOf = async (path: string): Promise<Map<string, number>> => {
      const then = (await openSubject(path)).subject;
      const whole = await openTaps(model, [...inputs, ...products.map(({ node }) => node.outputs[0]!)], folder);
      const nodes = then.model.graph.nodes.filter(({ op }) => op === 'MatMulNBits');
      const alone = {
        ...then.model,
        graph: {
          ...then.model.graph,
          nodes,
          inputs: inputs.map((name) => ({
            name,
            type: { kind: 'tensor' as const, dtype: 'float32' as const, shape: [null, null, null] },
          })),
        },
      };
      const parts = await openTaps(
        alone,
        products.map(({ node }) => node.outputs[0]!),
        folder,
      );
      const sums = new Map(products.map(({ name }) => [name, { noise: 0, signal: 0 }]));
      try {
        for await (const feeds of held.batches()) {
          const exact = await whole.run(feeds);
          const given = Object.fromEntries(inputs.map((name) => [name, exact.get(name)!]));
          const got = await parts.run(given);
          for (const { name, node } of products) {
            const sum = sums.get(name)!;
            const [y, z] = [exact, got].map((all) => all.get(node.outputs[0]!)!.data as Float32Array);
            for (let i = 0; i < y!.length; i++) {
              sum.noise += (y![i]! - z![i]!) ** 2;
              sum.signal += y![i]! ** 2;
            }
          }
        }
      } finally {
        await whole.close();
        await parts.close();
      }
      return new Map([...sums].map(([name, { noise, signal }]) => [name, noise / signal]));
    };
    const nearest = await errorsOf(await cut([rounded('nearest', 4, 32)]));
    const gptq = await errorsOf(await cut([rounded('gptq', 4, 32)]));
    const ratios = Object.fromEntries([...nearest].map(([name, error]) => [name, gptq.get(name)! / error]));
    const sorted = Object.values(ratios).sort((a, b) => a - b);
    record('quantization-language', 'layer output error, gptq to nearest, 4 bits g32', {
      on: 'ids the model made itself; each layer alone on the float model’s values',
      largest: sorted.at(-1),
      median: sorted[sorted.length >> 1],
      ratios,
    });
    for (const [name, ratio] of Object.entries(ratios)) expect.soft(ratio, name).toBeLessThanOrEqual(0.4);
  });
});
