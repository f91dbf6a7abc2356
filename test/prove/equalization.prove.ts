// What equalization wins back of the decibels between one scale a tensor and one a channel, over many grids: a single one is a throw of the dice.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../src/engine/data';
import type { Model } from '../../src/engine/graph/graph';
import { openKernels } from '../../src/engine/kernels';
import { openSubject } from '../../src/engine/open';
import type { Feeds } from '../../src/engine/runtime/session';
import { hasTestData, testData } from '../data';
import { withCut } from '../engine/methods/bench';
import { answers, fakeQuantized, held } from '../engine/methods/fake';
import { record } from './evidence';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-equalize-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each grid is wider than the one before by this. */
const widening = 0.004;
const grids = 12;
const pictures = 5;
const outputs = ['scores', 'boxes'] as const;

async function samples(): Promise<Feeds[]> {
  const input = {
    resize: { width: 320, height: 240, fit: 'stretch' },
    scale: 1 / 128,
    mean: [1, 1, 1],
    layout: 'NCHW',
  };
  const file = join(folder, 'dataset.json');
  const inputs = testData('data/imagenet-samples');
  const test = { inputs, from: 0, to: pictures };
  writeFileSync(file, JSON.stringify({ lathe: 1, task: 'none', inputs: { '*': input }, splits: { test } }));
  const ports = [{ name: 'input', dtype: 'float32', shape: [1, 3, 240, 320] }];
  const all: Feeds[] = [];
  for await (const { feeds } of (await openDataset({ path: file })).batches('test', ports, { batch: 1 }))
    all.push(feeds);
  return all;
}

describe.skipIf(!hasTestData)('equalization', () => {
  it('by least noise wins back at least half on ultraface, at 8 and at 6 bits, of both outputs', async () => {
    const kernels = await openKernels({ threads: 1, worker: null });
    const given = (await openSubject(testData('models/ultraface/RFB-320.onnx'))).subject.model;
    const equalized = (criterion: string): Promise<Model> =>
      withCut(kernels, given, [{ method: 'equalize', params: { criterion } }], ({ taken }) =>
        held(taken.subject.model),
      );
    const models = { ranges: await equalized('ranges'), noise: await equalized('noise') };
    await kernels.close();
    const feeds = await samples();
    const should: Record<string, Float32Array>[] = [];
    for (const one of feeds) should.push(await answers(given, one));

    /** Signal to noise of each output, the noise the mean over all grids and pictures. */
    const quality = async (of: Model, bits: number, scheme: 'tensor' | 'channel') => {
      const signal = { scores: 0, boxes: 0 };
      const noise = { scores: 0, boxes: 0 };
      for (let grid = 0; grid < grids; grid++) {
        const rounded = await fakeQuantized(of, bits, scheme, 1 + widening * grid);
        for (const [i, one] of feeds.entries()) {
          const is = await answers(rounded, one);
          for (const name of outputs) {
            for (const [at, value] of should[i]![name]!.entries()) {
              signal[name] += value * value;
              noise[name] += (value - is[name]![at]!) ** 2;
            }
          }
        }
      }
      return outputs.map((name) => 10 * Math.log10(signal[name] / noise[name]));
    };
    const seen: Record<string, unknown> = { grids, widening, pictures, outputs };
    for (const bits of [8, 6]) {
      const [tensor, channel] = [await quality(given, bits, 'tensor'), await quality(given, bits, 'channel')];
      const share = (mended: number[]) => mended.map((one, i) => (one - tensor[i]!) / (channel[i]! - tensor[i]!));
      const [ranges, noise] = [
        await quality(models.ranges, bits, 'tensor'),
        await quality(models.noise, bits, 'tensor'),
      ];
      const wonBack = { ranges: share(ranges), noise: share(noise) };
      seen[`${bits} bits`] = { decibels: { tensor, channel, ranges, noise }, wonBack };
      for (const one of wonBack.noise) expect.soft(one, `${bits} bits`).toBeGreaterThanOrEqual(0.5);
    }
    record('quantization', 'equalization', seen);
  });
});
