// Zero-shot int8 on real models: every level keeps the answers, no sample looked at; what cannot hold is refused with its reason.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { elementCount, type Model } from '../../../src/engine/graph/graph';
import { numbersOf } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { openSubject } from '../../../src/engine/open';
import type { Feeds } from '../../../src/engine/runtime/session';
import { readFeed } from '../../conformance/cases';
import { hasTestData, testData } from '../../data';
import { tinyConv } from '../models';
import { foretell, withCut } from './bench';
import { accuracy, answers, decibels, held, type Labelled, mnist } from './fake';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const levels = ['Z0', 'Z1', 'Z2', 'Z3', 'Z4'];
const zeroShot = (given: Model, params: Record<string, unknown>): Promise<Model> =>
  withCut(kernels, given, [{ method: 'zero-shot', params }], ({ taken }) => held(taken.subject.model));

/** CIFAR-10 test images, (x/255 − mean) / std, or x/255 as NHWC. */
function cifar(count: number, normal: { mean: number[]; std: number[] } | null): Labelled {
  const bytes = readFileSync(testData('data/cifar10/test-1k.bin'));
  const pixels = new Float32Array(count * 3072);
  const labels = Array.from({ length: count }, (_, i) => bytes[i * 3073]!);
  for (let i = 0; i < pixels.length; i++) {
    const [image, at] = [Math.floor(i / 3072), i % 3072];
    const [channel, place] = normal ? [Math.floor(at / 1024), at % 1024] : [at % 3, Math.floor(at / 3)];
    const x = bytes[image * 3073 + 1 + channel * 1024 + place]! / 255;
    pixels[i] = normal ? (x - normal.mean[channel]!) / normal.std[channel]! : x;
  }
  return { pixels, labels };
}

const count = 1000;
const resnet = { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] };
const models = [
  {
    path: 'mnist-cnn-ext/model.onnx',
    inputs: 'normalised',
    port: 'input',
    dims: [1, 28, 28],
    data: () => mnist(0, count),
  },
  { path: 'cifar10-small/model.onnx', inputs: 'unit', port: 'x:0', dims: [32, 32, 3], data: () => cifar(count, null) },
  { path: 'cifar10-large/model.onnx', inputs: 'unit', port: 'x:0', dims: [32, 32, 3], data: () => cifar(count, null) },
  {
    path: 'cifar10-resnet2b/model.onnx',
    inputs: 'normalised',
    port: 'input.1',
    dims: [3, 32, 32],
    data: () => cifar(count, resnet),
  },
];

describe.skipIf(!hasTestData)('real models', () => {
  test.each(models)('$path', { timeout: 60_000 }, async ({ path, inputs, port, dims, data }) => {
    const given = (await openSubject(testData(`models/${path}`))).subject.model;
    const { pixels, labels } = data();
    const feeds: Feeds = { [port]: { dtype: 'float32', dims: [count, ...dims], data: pixels } };
    const should = Object.values(await answers(given, feeds))[0]!;
    const float = accuracy(should, labels);
    const lines: string[] = [];
    for (const perChannel of [true, false])
      for (const level of levels) {
        const is = Object.values(await answers(await zeroShot(given, { level, inputs, perChannel }), feeds))[0]!;
        const share = accuracy(is, labels);
        lines.push(`${level} ${perChannel ? 'channel' : 'tensor'} ${share} ${decibels(is, should).toFixed(1)} dB`);
        expect(share, lines.at(-1)).toBeGreaterThan(float - 0.015);
        expect(decibels(is, should), lines.at(-1)).toBeGreaterThan(level < 'Z3' ? 28 : 18);
      }
    console.info(`${path}: float ${float}; ${lines.join(', ')}`);
  });

  test('ultraface: equalized, one scale a tensor comes close to one a channel', { timeout: 60_000 }, async () => {
    const given = (await openSubject(testData('models/ultraface/RFB-320.onnx'))).subject.model;
    const file = testData('models/ultraface/golden_RFB-320/test_data_set_0/input_0.pb');
    const { dims, bytes } = (await readFeed(readFileSync(file)))!;
    const feeds: Feeds = {
      input: { dtype: 'float32', dims, data: numbersOf('float32', elementCount(dims), bytes!, file) as Float32Array },
    };
    const should = await answers(given, feeds);
    const loss = async (params: Record<string, unknown>) => {
      const is = await answers(await zeroShot(given, { inputs: 'normalised', ...params }), feeds);
      return Object.keys(should).map((name) => decibels(is[name]!, should[name]!));
    };
    const channel = await loss({ level: 'Z0' });
    const tensor = await loss({ level: 'Z0', perChannel: false });
    const equalized = await loss({ level: 'Z2', perChannel: false });
    const integers = await loss({ level: 'Z4', perChannel: false });
    const show = (list: number[]) => list.map((one) => one.toFixed(1)).join('/');
    console.info(
      `ultraface: Z0 ${show(channel)} per channel, ${show(tensor)} per tensor; Z2 ${show(equalized)}, Z4 ${show(integers)}`,
    );
    for (const i of [0, 1]) {
      expect(equalized[i]! - tensor[i]!).toBeGreaterThan((channel[i]! - tensor[i]!) / 2);
      expect(integers[i]!).toBeGreaterThan(30);
    }
  });

  test('the transformer: a level that cannot hold is refused, layer by layer, with what stands before it', async () => {
    const given = (await openSubject(testData('models/cifar10-vit-ibp/model.onnx'))).subject.model;
    const { taken } = await foretell(given, [{ method: 'zero-shot', params: { level: 'Z4' } }]);
    const said = [...taken.records.values()].map(({ refusal }) => refusal?.sentence ?? '').filter((one) => one !== '');
    expect(said.length).toBeGreaterThan(0);
    expect(
      said.some((one) =>
        /Level Z4 cannot hold here\. What it is fed with is not known without data: \w+ stands before it\.$/.test(one),
      ),
    ).toBe(true);
    const { taken: weights } = await foretell(given, [{ method: 'zero-shot', params: { level: 'Z2' } }]);
    const cut = [...weights.records.values()].filter(({ methods }) => methods.length > 0);
    expect(cut.length).toBeGreaterThan(10);
  });
});

test('the level is told with every layer, and mixing levels in a step is refused', async () => {
  const { cuts } = await foretell(tinyConv(), [{ method: 'zero-shot', params: { level: 'Z3', inputs: 'unit' } }]);
  expect(cuts.length).toBeGreaterThan(0);
  for (const { notes } of cuts) expect(notes[0]).toBe('Zero-shot level Z3: no sample was looked at.');
  const mixed = [{ method: 'zero-shot', params: { level: 'Z4' }, overrides: { '/fc/*': { level: 'Z3' } } }];
  await expect(foretell(tinyConv(), mixed)).rejects.toMatchObject({ refusal: { code: 'bad-recipe' } });
});

test('no level reads anything but weights: the same bytes whatever samples lie beside', async () => {
  const hashes = new Set<string>();
  for (let i = 0; i < 2; i++) {
    const made = await zeroShot(tinyConv(), { level: 'Z4', inputs: 'normalised' });
    hashes.add(Buffer.from(await encode(made)).toString('base64'));
  }
  expect(hashes.size).toBe(1);
});
