// Rotation of the residual stream: what is found, that the answers stay, and that outliers go.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, write } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor, readFloats } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { sitesOf, streamsOf } from '../../../src/engine/methods/cutting/residual';
import { openSubject } from '../../../src/engine/open';
import { subjectOf } from '../../../src/engine/recipe-steps';
import { runRecipe } from '../../../src/engine/run';
import { openSession } from '../../../src/engine/runtime/session';
import type { Work } from '../../../src/engine/tasks';
import { hasTestData, testData } from '../../data';
import { storiesGqa } from '../../stories-gqa';
import { draws } from '../kernels/layer';
import { model, node, randomWeights, value } from '../models';
import { feedsOf, foretell, withCut } from './bench';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

/** Symbols of the models below, as numbers that go together. */
const sizes: Record<string, number> = {
  ...{ seq: 9, seq_len: 9, past_seq_len: 4, total_seq_len: 13, past: 4, total: 13 },
  ...{ sequence_length: 9, total_sequence_length: 9, past_sequence_length: 0 },
};

async function answersOf(path: string): Promise<Record<string, Float32Array>> {
  const session = await openSession(path);
  try {
    const { uniform, normal } = draws(3);
    const feeds = Object.fromEntries(
      session.inputs.map(({ name, dtype, shape }) => {
        const dims = (shape ?? []).map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : (sizes[`${dim}`] ?? 1)));
        const count = dims.reduce((a, b) => a * b, 1);
        const ids = Array.from({ length: count }, (_, i) =>
          /position/.test(name) ? i + 4 : /mask/.test(name) ? 1 : Math.floor(uniform() * 500),
        );
        const data =
          dtype === 'int64'
            ? BigInt64Array.from(ids, BigInt)
            : dtype === 'int32'
              ? Int32Array.from(ids)
              : Float32Array.from({ length: count }, normal);
        return [name, { dtype, dims, data }];
      }),
    );
    const answers = await session.run(feeds as Parameters<typeof session.run>[0]);
    return Object.fromEntries(Object.entries(answers).map(([name, { data }]) => [name, data as Float32Array]));
  } finally {
    await session.close();
  }
}

async function rotated<T>(
  path: string,
  then: (artifact: string, layers: Awaited<ReturnType<typeof runRecipe>>['layers']) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lathe-rotate-'));
  try {
    const recipe = { lathe: 1 as const, steps: [{ method: 'rotate', params: {} }] };
    const { layers } = await runRecipe({ path, recipe, seed: 7, folder }, quiet);
    return await then(join(folder, 'artifact/model.onnx'), layers);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * ids → E → norm → up → Relu → down → + → norm → Eᵀ. Norms fused as exporters write them, gains that differ, one loud channel;
 * `after`: the second norm stands in the stream itself.
 */
function tiedLm({ after = false } = {}): Model {
  const width = 48;
  const random = (name: string, dims: number[], seed: number) =>
    floatTensor(name, dims, randomWeights(dims[0]! * (dims[1] ?? 1), 0.2, seed));
  const embed = randomWeights(50 * width, 0.2, 1).map((w, i) => (i % width === 5 ? w * 30 : w));
  const gain = (seed: number) => randomWeights(width, 0.2, seed).map((g) => 1 + g);
  const microsoft = { domain: 'com.microsoft' };
  return model({
    inputs: [value('ids', 'int64', ['batch', 'seq'])],
    outputs: [value('y', 'float32', ['batch', 'seq', 50])],
    opsets: { 'com.microsoft': 1 },
    nodes: [
      node('Gather', ['embed', 'ids'], ['e'], {}, { name: 'embed' }),
      node('SimplifiedLayerNormalization', ['e', 'gain1'], ['n1'], { axis: -1, epsilon: { float: 1e-5 } }),
      node('MatMul', ['n1', 'up'], ['u'], {}, { name: 'up' }),
      node('Relu', ['u'], ['r']),
      node('MatMul', ['r', 'down'], ['d'], {}, { name: 'down' }),
      node('SkipSimplifiedLayerNormalization', ['d', 'e', 'gain2'], ['n2'], { epsilon: { float: 1e-5 } }, microsoft),
      ...(after ? [node('Add', ['n2', 'd'], ['m'])] : []),
      node('Transpose', ['embed'], ['head.T'], { perm: [1, 0] }),
      node('MatMul', [after ? 'm' : 'n2', 'head.T'], ['y'], {}, { name: 'head' }),
    ],
    initializers: [
      floatTensor('embed', [50, width], embed),
      floatTensor('gain1', [width], gain(2)),
      floatTensor('gain2', [width], gain(3)),
      random('up', [width, 64], 4),
      random('down', [64, width], 5),
    ],
  });
}

function kurtosis(values: Float32Array): number {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const moment = (power: number) => values.reduce((sum, one) => sum + (one - mean) ** power, 0) / values.length;
  return moment(4) / moment(2) ** 2;
}

describe('a small language model with a tied table', () => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await openKernels({ threads: 1, worker: null });
  });
  afterAll(() => kernels.close());
  const steps = [{ method: 'rotate' }];

  async function answer(of: Model): Promise<Float32Array> {
    const session = await openSession(await encode(of), { threads: 1 });
    try {
      return (await session.run(feedsOf(tiedLm()))).y!.data as Float32Array;
    } finally {
      await session.close();
    }
  }

  it('keeps its answers; the table is kept twice, for its gain parts head and embedding, and that is told', async () => {
    const exact = await answer(tiedLm());
    await withCut(kernels, tiedLm(), steps, async ({ taken, cuts }) => {
      const { sites, model: turned } = taken.subject;
      expect(sites.map(({ name }) => name)).toEqual(['embed', 'up', 'down', 'head']);
      expect(sites[3]!.tensor).not.toBe(sites[0]!.tensor);
      expect(cuts[3]!.notes).toEqual([
        'Its weights were one with those of embed; the gain of its norm parts them: 9600 bytes more.',
      ]);
      const got = await answer(turned);
      expect(Math.max(...got.map((one, i) => Math.abs(one - exact[i]!)))).toBeLessThan(1e-5 * Math.max(...exact));
      // The loud channel is in all channels now, the same part in each.
      const table = taken.subject.model.graph.initializers.get(sites[0]!.weight)!;
      const before = kurtosis(await readFloats(tiedLm().graph.initializers.get('embed')!));
      expect(before).toBeGreaterThan(20);
      expect(kurtosis(await readFloats(table))).toBeLessThan(before / 4);
    });
  });

  it('is turned as a whole or not at all', async () => {
    const { taken } = await foretell(tiedLm(), [{ method: 'rotate', layers: { exclude: ['down'] } }]);
    expect(taken.records.get('up')!.refusal).toEqual({
      code: 'unsupported',
      sentence: 'up: The stream it is part of can only be turned as a whole, and down is left out.',
      mend: 'Take all or none.',
    });
  });

  it('is left where a gain stays in the stream', async () => {
    const { list, stops } = streamsOf(await subjectOf(tiedLm({ after: true })));
    expect(list).toEqual([]);
    expect(stops.get('embed')).toBe("A norm's gain goes into Add, and not only into layers that could take it up.");
  });

  it('is not looked for behind an activation or at the model’s end', async () => {
    const relu = model({
      inputs: [value('x', 'float32', ['n', 8])],
      outputs: [value('y', 'float32', ['n', 4])],
      nodes: [
        node('MatMul', ['x', 'a'], ['h'], {}, { name: 'a' }),
        node('Relu', ['h'], ['r']),
        node('MatMul', ['r', 'b'], ['y'], {}, { name: 'b' }),
      ],
      initializers: [floatTensor('a', [8, 8], randomWeights(64)), floatTensor('b', [8, 4], randomWeights(32))],
    });
    const { list, stops } = streamsOf(await subjectOf(relu));
    expect(list).toEqual([]);
    expect([...stops]).toEqual([
      ['a', 'Relu stands in it.'],
      ['b', 'y leaves the model.'],
    ]);
  });
});

describe.skipIf(!hasTestData)('residual streams of real models', () => {
  // RMS norms written out, and fused; grouped LayerNormalizations with biases and an embedding; BatchNormalizations over tokens of pictures.
  it.each([
    ['stories260K/model.onnx', 37, false],
    ['stories260K/model_with_past.onnx', 37, false],
    ['stories260K with GroupQueryAttention', 27, false],
    ['tiny-random-gpt2/past.onnx', 23, true],
    ['cifar10-vit-ibp/model.onnx', 20, false],
  ])(
    '%s: %i layers lie along one stream, and turning it leaves every answer within 1e-5',
    async (name, layers, ones) => {
      const home = await mkdtemp(join(tmpdir(), 'lathe-rotate-'));
      try {
        const path = name.endsWith('.onnx') ? testData(`models/${name}`) : join(home, 'model.onnx');
        if (!name.endsWith('.onnx')) await write(await storiesGqa(), { folder: home, file: 'model.onnx' });
        const { subject } = await openSubject(path);
        const { list } = streamsOf(subject);
        expect(list).toHaveLength(1);
        expect(sitesOf(list[0]!)).toHaveLength(layers);
        expect(list[0]!.keepsOnes).toBe(ones);
        const before = await answersOf(path);
        await rotated(path, async (artifact, done) => {
          expect(done.filter(({ methods }) => methods.includes('rotate'))).toHaveLength(layers);
          for (const [output, values] of Object.entries(await answersOf(artifact))) {
            const exact = before[output]!;
            const moved = Math.sqrt(values.reduce((sum, value, i) => sum + (value - exact[i]!) ** 2, 0));
            expect(moved / Math.sqrt(exact.reduce((sum, value) => sum + value ** 2, 0)), output).toBeLessThan(1e-5);
          }
        });
      } finally {
        await rm(home, { recursive: true, force: true });
      }
    },
  );
});
