// Cross-layer equalization of real models: answers stay, ranges meet, and what per-tensor scales lost comes back.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elementCount, type Model } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { numbersOf } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { openSubject } from '../../../src/engine/open';
import type { Feeds } from '../../../src/engine/runtime/session';
import { readFeed } from '../../conformance/cases';
import { hasTestData, testData } from '../../data';
import { accuracy, answers, argmax, decibels, fakeQuantized, mnist } from './fake';
import { apart, distorted, equalizing, nearness } from './torn';

let kernels: Kernels;
let equalized: ReturnType<typeof equalizing>;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
  equalized = equalizing(kernels);
});
afterAll(() => kernels.close());

const opened = async (path: string): Promise<Model> => (await openSubject(testData(`models/${path}`))).subject.model;

describe.skipIf(!hasTestData)('real models', () => {
  test('mnist-cnn: channels apart by 2^±6 ruin per-tensor int8; equalized it is back, left alone it is not', async () => {
    const given = await opened('mnist-cnn-ext/model.onnx');
    const { pixels, labels } = mnist(0, 1000);
    const feeds: Feeds = { input: { dtype: 'float32', dims: [1000, 1, 28, 28], data: pixels } };
    const score = async (of: Model) => accuracy((await answers(of, feeds)).output!, labels);
    const rough = await distorted(given, 3);
    const float = await score(given);
    const ruined = await score(await fakeQuantized(rough, 8, 'tensor'));
    const mended = await score(await fakeQuantized(await equalized(rough), 8, 'tensor'));
    console.info(`mnist-cnn: float ${float}, apart and per tensor ${ruined}, equalized ${mended}`);
    expect(await score(rough)).toBeGreaterThan(float - 0.002);
    expect(ruined).toBeLessThan(float - 0.05);
    expect(mended).toBeGreaterThan(float - 0.015);
  });

  describe('ultraface', () => {
    const golden = async (): Promise<Feeds> => {
      const file = testData('models/ultraface/golden_RFB-320/test_data_set_0/input_0.pb');
      const { dims, bytes } = (await readFeed(readFileSync(file)))!;
      return {
        input: { dtype: 'float32', dims, data: numbersOf('float32', elementCount(dims), bytes!, file) as Float32Array },
      };
    };

    test('the function stays, ranges meet, the layers keep their names', async () => {
      const given = await opened('ultraface/RFB-320.onnx');
      const smooth = await equalized(given);
      const error = await nearness(smooth, given, await golden());
      const unequal = await apart(smooth);
      console.info(`ultraface: ${error} relative, I6 to ${unequal}`);
      expect(error).toBeLessThan(1e-5);
      expect(unequal).toBeLessThan(1e-6);
      expect(await nearness(await equalized(given, 'noise'), given, await golden())).toBeLessThan(1e-5);
      expect(listLayers(smooth).map(({ name }) => name)).toEqual(listLayers(given).map(({ name }) => name));
    });

    test('equalization wins back at least half of the decibels between per-tensor and per-channel scales', async () => {
      const given = await opened('ultraface/RFB-320.onnx');
      const smooth = await equalized(given);
      const feeds = await golden();
      const should = await answers(given, feeds);
      // One grid is one throw of the dice: test/prove/equalization.prove.ts takes many, and the other criterion too.
      for (const bits of [8, 6]) {
        const loss = async (of: Model, scheme: 'tensor' | 'channel') => {
          const is = await answers(await fakeQuantized(of, bits, scheme), feeds);
          return Object.keys(should).map((name) => decibels(is[name]!, should[name]!));
        };
        const [tensor, channel, mended] = [
          await loss(given, 'tensor'),
          await loss(given, 'channel'),
          await loss(smooth, 'tensor'),
        ];
        const show = (list: number[]) => list.map((one) => one.toFixed(1)).join('/');
        console.info(
          `ultraface, ${bits} bits: per tensor ${show(tensor)} dB, equalized ${show(mended)}, per channel ${show(channel)}`,
        );
        // Six bits round so coarsely that one output alone is a matter of luck: there the two together count.
        const share = (i: number) => (mended[i]! - tensor[i]!) / (channel[i]! - tensor[i]!);
        const all = (list: number[]) => list.reduce((sum, one) => sum + one, 0);
        expect((all(mended) - all(tensor)) / (all(channel) - all(tensor))).toBeGreaterThanOrEqual(0.5);
        if (bits === 8) for (const i of [0, 1]) expect(share(i)).toBeGreaterThanOrEqual(0.5);
      }
    });

    test('channels apart by 2^±6: per-tensor int8 finds other faces; equalized it finds the same', async () => {
      const given = await opened('ultraface/RFB-320.onnx');
      const feeds = await golden();
      const should = await answers(given, feeds);
      const rough = await distorted(given, 11);
      // The share of anchors that are called as before, over the two classes.
      const agreement = async (of: Model) => {
        const { scores } = await answers(of, feeds);
        const rows = scores!.length / 2;
        let same = 0;
        for (let i = 0; i < rows; i++)
          if (argmax(scores!.subarray(2 * i, 2 * i + 2)) === argmax(should.scores!.subarray(2 * i, 2 * i + 2))) same++;
        return { share: same / rows, db: decibels(scores!, should.scores!) };
      };
      const ruined = await agreement(await fakeQuantized(rough, 8, 'tensor'));
      const mended = await agreement(await fakeQuantized(await equalized(rough, 'noise'), 8, 'tensor'));
      console.info('ultraface apart:', ruined, 'equalized:', mended);
      expect(mended.share).toBeGreaterThan(1 - 0.015);
      expect(mended.db).toBeGreaterThan(ruined.db + 20);
    });
  });
});
