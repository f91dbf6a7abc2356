// What every method must hold on every tiny model: sound graphs that load, the bytes it predicted, the same twice, the input untouched.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { mapNodes } from '../../../src/engine/graph/edit';
import type { Model } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { verify } from '../../../src/engine/graph/verify';
import type { Kernels } from '../../../src/engine/kernels';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { feedsOf, foretell, reconstructed, subjects, withCut } from './bench';

/** Steps that reach every branch of a method. */
export const variants: Record<string, readonly Record<string, unknown>[]> = {
  'awq-scale': [{}],
  distill: [{ learningRate: 1e-6, epochs: 1 }],
  finetune: [
    { learningRate: 1e-6, epochs: 1 },
    { learningRate: 1e-6, epochs: 1, optimizer: 'sgd', batch: 4, patience: 1, schedule: 'linear' },
  ],
  equalize: [{}, { criterion: 'noise' }],
  float16: [{}],
  'int8-dynamic': [{}],
  'int8-static': [
    {},
    { perChannel: false, activations: 'int8' },
    { activations: 'int8', symmetric: true, calibration: 'percentile' },
    { symmetric: true, calibration: 'mse' },
    { calibration: 'entropy' },
  ],
  qat: [
    { learningRate: 1e-6, epochs: 1 },
    { learningRate: 1e-6, epochs: 1, perChannel: false, scales: 'fixed' },
    { learningRate: 1e-6, epochs: 1, activationBits: 0, groupSize: 16 },
    { learningRate: 1e-6, epochs: 1, activationBits: 0, groupSize: 0, scales: 'fixed' },
  ],
  'kv-cache': [{}, { bits: 4, perChannel: false }],
  lora: [
    { learningRate: 1e-6, epochs: 1, rank: 2 },
    { learningRate: 1e-6, epochs: 1, rank: 3, dora: true, rankStabilised: true },
  ],
  'prune-channels': [
    { ratio: 0.2 },
    { ratio: 0.9, multiple: 1, target: 'parameters', criterion: 'l1' },
    { ratio: 0.3, multiple: 2, scope: 'global' },
    { ratio: 0.4, multiple: 4, criterion: 'activation', samples: 2 },
    { ratio: 0.4, multiple: 2, criterion: 'taylor', samples: 2 },
    { ratio: 0.4, multiple: 2, criterion: 'taylor-second', samples: 2 },
    { ratio: 0, criterion: 'batchnorm' },
  ],
  'prune-magnitude': [
    { sparsity: 0.01 },
    { sparsity: 0 },
    { pattern: '2:4', tables: true },
    { pattern: '4:8', tables: true },
    { sparsity: 0.01, scope: 'global', tables: true },
    { sparsity: 0.01, scope: 'global', normalise: 'none' },
  ],
  'prune-sparsegpt': [{ sparsity: 0.01 }, { sparsity: 0 }, { pattern: '2:4' }, { pattern: '4:8' }],
  'prune-wanda': [{ sparsity: 0.01 }, { sparsity: 0 }, { pattern: '2:4' }, { pattern: '4:8' }],
  rotate: [{}, { seed: 3 }],
  smooth: [{}],
  'zero-shot': ['Z0', 'Z1', 'Z2', 'Z3', 'Z4'].flatMap((level) => [
    { level, inputs: 'normalised' },
    { level, inputs: 'normalised', perChannel: false },
  ]),
  'weight-only': [2, 4, 8].flatMap((bits) =>
    [16, 32, 256, 0].flatMap((groupSize) => [
      { bits, groupSize, symmetric: true },
      { bits, groupSize, symmetric: false },
      ...['mse', 'hqq'].map((rounding) => ({ bits, groupSize, rounding })),
    ]),
  ),
};

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function run(model: Model, feeds: Feeds): Promise<Float32Array> {
  const session = await openSession(await encode(model), { threads: 1 });
  try {
    return Object.values(await session.run(feeds))[0]!.data as Float32Array;
  } finally {
    await session.close();
  }
}

/** Largest difference, as a share of the largest value. */
function distance(is: Float32Array, should: Float32Array): number {
  let most = 0;
  let size = 0;
  for (let i = 0; i < should.length; i++) {
    most = Math.max(most, Math.abs(is[i]! - should[i]!));
    size = Math.max(size, Math.abs(should[i]!));
  }
  return is.length === should.length ? most / size : Infinity;
}

/** Without `accuracy_level` the packed product is exact (and, but for 4 bits, very slow). */
function exactly(model: Model): Model {
  const graph = mapNodes(model.graph, (node) => {
    if (node.op !== 'MatMulNBits') return node;
    const attributes = new Map(node.attributes);
    attributes.delete('accuracy_level');
    return { ...node, attributes };
  });
  return { ...model, graph };
}

/** Cuts a subject twice by one step, and expects what every method promises. */
export async function conforms(
  kernels: Kernels,
  name: string,
  method: string,
  params: Record<string, unknown>,
): Promise<void> {
  const original = subjects[name]!();
  const untouched = hash(await encode(original));
  const steps = [{ method, params }];
  const foretold = await foretell(original, steps);

  const first = await withCut(kernels, original, steps, async ({ taken, cuts }) => {
    const { model, sites } = taken.subject;
    expect(verify(model)).toEqual([]);
    expect(cuts.map(({ layer }) => layer)).toEqual(foretold.cuts.map(({ layer }) => layer));
    // Names stay, sizes are those that were told before, layer by layer.
    const sizes = (list: typeof sites) => list.map((site) => [site.name, site.bits, site.bytes]);
    expect(sites.map((site) => site.name)).toEqual(listLayers(original).map((site) => site.name));
    expect(sizes(sites)).toEqual(sizes(foretold.taken.subject.sites));
    for (const [layer, { methods: done, refusal }] of taken.records) {
      expect(done.length > 0 || refusal !== null, `${layer} is cut or refused`).toBe(true);
      if (refusal) expect(refusal.sentence).toMatch(/^.{20,}\.$/);
    }
    const written = await encode(model);
    expect(listLayers(model).reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(
      listLayers(original).reduce((sum, { bytes }) => sum + bytes, 0),
    );
    for (const seed of [8, 9]) {
      const feeds = feedsOf(original, seed);
      const got = await run(model, feeds);
      expect(got.every(Number.isFinite)).toBe(true);
      if (method === 'weight-only') {
        const reference = await run(await reconstructed(original, sites), feeds);
        expect(distance(await run(exactly(model), feeds), reference)).toBeLessThan(1e-5);
        expect(distance(got, reference)).toBeLessThan(5e-2);
      } else if (!('pattern' in params) && method !== 'prune-channels')
        // Of a pattern half of the weights are gone, of channels what they said.
        expect(distance(got, await run(original, feeds))).toBeLessThan(method === 'float16' ? 2e-3 : 5e-2);
    }
    return hash(written);
  });
  const second = await withCut(kernels, original, steps, async ({ taken }) => hash(await encode(taken.subject.model)));
  expect(second).toBe(first);
  expect(hash(await encode(original))).toBe(untouched);
}
