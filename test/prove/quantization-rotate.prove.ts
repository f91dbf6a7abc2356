// Rotation before nearest rounding on a real language model, as it is and with loud channels planted; docs/evidence/quantization-rotate.json.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../src/engine/evaluate';
import { write } from '../../src/engine/formats/onnx';
import { withInitializers } from '../../src/engine/graph/edit';
import { floatTensor, readFloats } from '../../src/engine/graph/tensor';
import { streamsOf } from '../../src/engine/methods/cutting/residual';
import { openSubject } from '../../src/engine/open';
import { runRecipe } from '../../src/engine/run';
import type { Work } from '../../src/engine/tasks';
import { hasTestData } from '../data';
import { storiesModel, writeStories } from '../stories';
import { record } from './evidence';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-rotate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Losses {
  selfgen: number;
  paragraphs: number;
}
type Step = { method: string; params: Record<string, string | number>; layers?: { exclude: string[] } };

describe.skipIf(!hasTestData)('rotation of stories260K', () => {
  const data = hasTestData ? writeStories(folder) : { selfgen: '', paragraphs: '' };
  let runs = 0;

  async function losses(path: string): Promise<Losses> {
    const loss = async (dataset: string) => {
      const { evaluation } = await evaluate({ path, dataset: { path: dataset } }, quiet);
      return evaluation.quality.more!.nllPerToken!;
    };
    return { selfgen: await loss(data.selfgen), paragraphs: await loss(data.paragraphs) };
  }

  async function cut(path: string, steps: Step[]): Promise<string> {
    const own = join(folder, `run-${runs++}`);
    mkdirSync(own);
    await runRecipe(
      { path, recipe: { lathe: 1 as const, steps }, seed: 7, folder: own, dataset: { path: data.selfgen }, limit: 1 },
      quiet,
    );
    return join(own, 'artifact/model.onnx');
  }

  const rounded = (rounding: string, bits: number, groupSize: number): Step => ({
    method: 'weight-only',
    params: { rounding, bits, groupSize, activations: bits === 4 ? 'float32' : 'int8' },
    layers: { exclude: ['*Gather'] },
  });
  const rotate = (seed: number): Step => ({ method: 'rotate', params: { seed } });

  /** Mean over the layers that read the stream, of the kurtosis of their weights. */
  async function kurtosis(path: string): Promise<number> {
    const { subject } = await openSubject(path);
    const readers = [...streamsOf(subject).list[0]!.readers.keys()];
    let total = 0;
    for (const { tensor } of readers) {
      const values = await readFloats(tensor);
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      const moment = (power: number) => values.reduce((sum, one) => sum + (one - mean) ** power, 0) / values.length;
      total += moment(4) / moment(2) ** 2 / readers.length;
    }
    return total;
  }

  /** The same function with four loud input channels in every layer behind a norm: gain / 12, weights × 12. */
  async function planted(): Promise<string> {
    const { model, sites } = (await openSubject(storiesModel)).subject;
    const [stream] = streamsOf((await openSubject(storiesModel)).subject).list;
    const loud = [3, 17, 40, 55];
    const changed = new Map<string, Float32Array>();
    for (const [reader, { affine }] of stream!.readers) {
      const site = sites.find(({ name }) => name === reader.name)!;
      const values = (await readFloats(site.tensor)).slice();
      const width = site.tensor.dims[1]!;
      for (const k of loud) for (let n = 0; n < width; n++) values[k * width + n]! *= 12;
      changed.set(site.weight, values);
      const gain = affine!.gain!.node.inputs[affine!.gain!.input]!;
      if (changed.has(gain)) continue;
      const gains = (await readFloats(model.graph.initializers.get(gain)!)).slice();
      for (const k of loud) gains[k]! /= 12;
      changed.set(gain, gains);
    }
    const tensors = [...changed].map(([name, values]) =>
      floatTensor(name, model.graph.initializers.get(name)!.dims, values),
    );
    const own = join(folder, 'planted');
    mkdirSync(own);
    await write({ ...model, graph: withInitializers(model.graph, tensors) }, { folder: own, file: 'model.onnx' });
    return join(own, 'model.onnx');
  }

  it('loss by bits and groups, with and without', async () => {
    const float = await losses(storiesModel);
    const turned = await losses(await cut(storiesModel, [rotate(7)]));
    for (const on of ['selfgen', 'paragraphs'] as const) expect(Math.abs(turned[on] - float[on])).toBeLessThan(1e-5);
    const loud = await planted();
    const loudFloat = await losses(loud);
    expect(Math.abs(loudFloat.paragraphs - float.paragraphs)).toBeLessThan(1e-4);
    const table: Record<string, unknown> = {};
    for (const [name, path] of [
      ['', storiesModel],
      ['planted ', loud],
    ] as const) {
      for (const bits of [8, 4, 2]) {
        for (const groupSize of [32, 64, 0]) {
          const plain = await losses(await cut(path, [rounded('nearest', bits, groupSize)]));
          const seeds: Losses[] = [];
          for (const seed of [7, 8, 9])
            seeds.push(await losses(await cut(path, [rotate(seed), rounded('nearest', bits, groupSize)])));
          const mean = (on: keyof Losses) => seeds.reduce((sum, one) => sum + one[on] / seeds.length, 0);
          const ratio = (on: keyof Losses) => (mean(on) - float[on]) / (plain[on] - float[on]);
          table[`${name}${bits} bits g${groupSize || ' channel'}`] = {
            nearest: {
              nll: plain,
              perplexity: { selfgen: Math.exp(plain.selfgen), paragraphs: Math.exp(plain.paragraphs) },
            },
            'rotate+nearest': {
              nll: { selfgen: mean('selfgen'), paragraphs: mean('paragraphs') },
              perplexity: { selfgen: Math.exp(mean('selfgen')), paragraphs: Math.exp(mean('paragraphs')) },
              seeds: seeds.map(({ paragraphs }) => paragraphs),
            },
            increaseToNearest: { selfgen: ratio('selfgen'), paragraphs: ratio('paragraphs') },
          };
        }
      }
    }
    const gptq = await losses(await cut(storiesModel, [rounded('gptq', 4, 32)]));
    const both = await losses(await cut(storiesModel, [rotate(7), rounded('gptq', 4, 32)]));
    record('quantization-rotate', 'stories260K', {
      method:
        'embeddings in float; mean over seeds 7, 8 and 9 of the rotation; planted: the same function with four loud channels in every layer behind a norm',
      float,
      rotatedFloat: turned,
      kurtosisOfReaders: {
        asItIs: await kurtosis(storiesModel),
        rotated: await kurtosis(await cut(storiesModel, [rotate(7)])),
        planted: await kurtosis(loud),
        plantedRotated: await kurtosis(await cut(loud, [rotate(7)])),
      },
      table,
      '4 bits g32 gptq': gptq,
      '4 bits g32 rotate+gptq': both,
    });
  });
});
