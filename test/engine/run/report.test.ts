// What a run says of itself: layers that lost their fusion, why a model is slower, and what is known to be slow before it starts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Evaluation } from '../../../src/contract/words/quality';
import { write } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { openSubject } from '../../../src/engine/open';
import type { LayerRecord } from '../../../src/engine/recipe-steps';
import { fusionNotes, layerOutcomes, lostFusions, runNotes, speedNotes } from '../../../src/engine/run-report';
import { isNodeOf, readOptimised } from '../../../src/engine/runtime/optimise';
import { hasTestData, testData } from '../../data';
import { resnet18 } from '../../residual-net';
import { foretell, withCut } from '../methods/bench';
import { model, node, randomWeights, tinyConv, tinyMlp, value } from '../models';

let kernels: Kernels;
let home: string;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
  home = await mkdtemp(join(tmpdir(), 'lathe-report-'));
});
afterAll(async () => {
  await kernels.close();
  await rm(home, { recursive: true });
});

const record = (more: Partial<LayerRecord>): LayerRecord => ({
  methods: [],
  warnings: [],
  notes: [],
  refusal: null,
  error: null,
  rescaled: false,
  ...more,
});
const records = (all: Record<string, Partial<LayerRecord>>) =>
  new Map(Object.entries(all).map(([name, more]) => [name, record(more)]));

/** What the run would say of its fusions. */
async function lost(given: Model, steps: readonly unknown[]): Promise<string[]> {
  return withCut(kernels, given, steps, async ({ taken }) => {
    const folder = await mkdtemp(join(home, 'read-'));
    await write(taken.subject.model, { folder, file: 'model.onnx' });
    const { floats } = await readOptimised(join(folder, 'model.onnx'), folder);
    return lostFusions(taken.records, floats);
  });
}

describe('lost fusions', () => {
  test('named where a layer was written for integers and multiplies in float', () => {
    const all = records({
      a: { methods: ['int8-static'] },
      b: { methods: ['equalize', 'zero-shot'] },
      c: { methods: ['weight-only'] },
      d: {},
    });
    expect(lostFusions(all, [])).toEqual([]);
    // Layers that were never meant for integers do not count, and neither does one whose name another begins with.
    expect(lostFusions(all, ['c', 'd', 'ab'])).toEqual([]);
    expect(lostFusions(all, ['a'])).toEqual([
      'a stays in float between conversions: the runtime did not fuse them. Leave them out of the step.',
    ]);
    expect(lostFusions(all, ['a', 'b_token_12'])[0]).toMatch(/^a, b stay in float between conversions/);
  });

  test('the runtime’s own names lead back to the layer', () => {
    expect(
      ['fc', 'fc/MatMulAddFusion', 'fc/MatMulAddFusion/', 'fc_token_3'].map((name) => isNodeOf('fc', name)),
    ).toEqual([true, true, true, true]);
    expect(['fc2', 'fc/other', 'fc_token_', 'xfc'].map((name) => isNodeOf('fc', name))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test('none in what is written as the runtime wants it', async () => {
    for (const given of [tinyConv(), tinyMlp(), resnet18({ size: 32, width: 8, norms: true })])
      expect(await lost(given, [{ method: 'int8-static' }])).toEqual([]);
  });

  test.skipIf(process.arch !== 'x64')('int8 activations on x64: warned before, lost and named after', async () => {
    const step = { method: 'int8-static', params: { activations: 'int8' } };
    const given = model({
      inputs: [value('x', 'float32', [1, 8, 12, 12])],
      outputs: [value('y')],
      nodes: [
        node('Conv', ['x', 'w'], ['a'], { kernel_shape: [3, 3] }, { name: 'first' }),
        node('Sigmoid', ['a'], ['g']),
        node('Mul', ['a', 'g'], ['m']),
        node('Conv', ['m', 'w'], ['y'], { kernel_shape: [3, 3] }, { name: 'second' }),
      ],
      initializers: [floatTensor('w', [8, 8, 3, 3], randomWeights(576, 0.2, 1))],
    });
    const { taken } = await foretell(given, [step]);
    expect(runNotes(taken.records)).toContainEqual(expect.stringMatching(/^first: On x64 .* slower than float/));
    expect(await lost(given, [step])).toEqual([expect.stringMatching(/^first stays in float between conversions/)]);
  });

  test('products that the runtime left apart from their conversions are counted', () => {
    expect(fusionNotes({ MatMulInteger: 3 }, {})).toEqual([]);
    expect(fusionNotes({}, { 'com.microsoft:QGemm': 1 })).toEqual([]);
    expect(fusionNotes({ MatMulInteger: 3 }, { MatMulInteger: 2 })).toEqual([
      '2 of 3 integer products were not fused with their conversions: they run, but not at full speed.',
    ]);
  });
});

describe('after the run: why it is slower', () => {
  const timed = (p50: number, more: { batch?: number; threads?: number } = {}): Evaluation => ({
    quality: { metric: 'accuracy', value: 1, n: 1, ci95: [1, 1] },
    latencyMs: { p50, p95: p50, batch: 1, threads: 2, runs: 50, ...more },
    bytes: 1,
    peakBytes: 1,
    notes: [],
  });
  test('nothing is said of what was not measured, is faster, is within noise, or was measured otherwise', () => {
    expect(speedNotes(undefined, timed(2), {})).toEqual([]);
    expect(speedNotes(timed(2), timed(1), {})).toEqual([]);
    expect(speedNotes(timed(2), timed(2.19), {})).toEqual([]);
    expect(speedNotes(timed(2), timed(4, { batch: 8 }), {})).toEqual([]);
    expect(speedNotes(timed(2), timed(4, { threads: 1 }), {})).toEqual([]);
  });
  test('the reason is what the optimised graph shows', () => {
    const said = (before: number, after: number, fused: Record<string, number>) =>
      speedNotes(timed(before), timed(after), fused)[0];
    expect(said(2, 4, {})).toBe(
      'Measured slower than its parent, 2.00 ms → 4.00 ms: nothing in it computes on integers or packed weights, and its weights are unpacked on every run.',
    );
    expect(said(0.05, 0.08, { 'com.microsoft:QGemm': 2 })).toMatch(
      /a model this small spends its time between operators/,
    );
    expect(said(20, 30, { 'com.microsoft:QGemm': 2 })).toMatch(/less than the conversions around them cost\.$/);
  });
});

describe('before the run: what is known to be slower than float', () => {
  const convolutions = (): Model => resnet18({ size: 32, width: 8 });
  const said = async (given: Model, method: string, params: Record<string, unknown> = {}) => {
    const { taken } = await foretell(given, [{ method, params }]);
    const all = [...taken.records.values()];
    return {
      warnings: [...new Set(all.flatMap(({ warnings }) => warnings))],
      refusals: [...new Set(all.flatMap(({ refusal }) => (refusal ? [refusal.sentence.replace(/^\S+: /, '')] : [])))],
    };
  };
  test.each([2, 8])('%i bits with float accumulation are refused: 20 times slower', async (bits) => {
    const { refusals } = await said(tinyMlp(), 'weight-only', { bits, activations: 'float32' });
    expect(refusals).toEqual([`${bits} bits have no fast kernel with float32 activations.`]);
  });
  test('4 bits with float accumulation have their kernel', async () => {
    expect(await said(tinyMlp(), 'weight-only', { activations: 'float32' })).toEqual({ warnings: [], refusals: [] });
  });
  test('dynamic quantization of a convolutional net', async () => {
    const { warnings, refusals } = await said(convolutions(), 'int8-dynamic');
    expect(warnings).toEqual([expect.stringMatching(/^Most of the work here is convolution, which stays in float/)]);
    expect(refusals).toEqual([expect.stringMatching(/no integer convolution.*slower, not smaller/)]);
  });
  test('weights that are unpacked on every run', async () => {
    const { warnings } = await said(convolutions(), 'weight-only', { bits: 8, groupSize: 0 });
    expect(warnings).toContainEqual(expect.stringMatching(/^Smaller, not faster here: the runtime unpacks/));
    const { warnings: zero } = await said(convolutions(), 'zero-shot', { level: 'Z2' });
    expect(zero).toEqual(['Smaller, not faster here: only weights are in 8 bits up to Z2.']);
  });
  test('zero points between the levels, groups without a kernel', async () => {
    const { warnings } = await said(tinyMlp(), 'weight-only', { rounding: 'hqq' });
    expect(warnings).toContainEqual(expect.stringMatching(/times \(4 bits\) slower than without/));
    const { warnings: small } = await said(tinyMlp(), 'weight-only', { bits: 2, groupSize: 16 });
    expect(small).toContainEqual(expect.stringMatching(/^2 bits in groups of 16 have no fast kernel/));
  });
});

test('a layer’s outcome: what its output lost, nothing lost, not measured', async () => {
  const { taken } = await foretell(tinyMlp(), [{ method: 'int8-dynamic' }]);
  const { sites } = taken.subject;
  const outputs = new Map<string, number | null>([[sites[0]!.name, 31.5]]);
  const [first, second] = layerOutcomes(sites, sites, taken.records, outputs);
  expect(first!.outputSqnrDb).toBe(31.5);
  expect('outputSqnrDb' in second!).toBe(false);
  expect(layerOutcomes(sites, sites, taken.records, new Map([[sites[0]!.name, null]]))[0]!.outputSqnrDb).toBeNull();
});

describe.skipIf(!hasTestData || process.arch !== 'x64')('a real model', () => {
  test('cifar10-resnet2b: uint8 keeps every fusion, int8 loses those around its sums, and they are named', async () => {
    const given = (await openSubject(testData('models/cifar10-resnet2b/model.onnx'))).subject.model;
    expect(await lost(given, [{ method: 'int8-static' }])).toEqual([]);
    const step = { method: 'int8-static', params: { activations: 'int8' } };
    const [sentence] = await lost(given, [step]);
    expect(sentence).toMatch(/stay in float between conversions: the runtime did not fuse them/);
    const { taken } = await foretell(given, [step]);
    expect(runNotes(taken.records)).toContainEqual(expect.stringMatching(/does not fuse int8 activations/));
  });
});
