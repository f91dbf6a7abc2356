// Every method over tiny models: sound graphs that load, the bytes it predicted, the same twice, the input untouched, refusals, abort.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { mapNodes } from '../../../src/engine/graph/edit';
import type { Model } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { verify } from '../../../src/engine/graph/verify';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { methods } from '../../../src/engine/methods';
import { readRecipe } from '../../../src/engine/recipe';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { feedsOf, foretell, reconstructed, subjects, take, withCut } from './bench';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

/** Steps that reach every branch of a method. */
const variants: Record<string, readonly Record<string, unknown>[]> = {
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

async function run(model: Model, feeds: Feeds): Promise<Float32Array> {
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

test('every method has variants here', () => {
  expect(Object.keys(variants).sort()).toEqual(methods.map(({ card }) => card.id).sort());
});

describe.each(Object.entries(variants).flatMap(([method, all]) => all.map((params) => ({ method, params }))))(
  '$method $params',
  ({ method, params }) => {
    test.each(Object.keys(subjects))('%s', async (name) => {
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
          } else expect(distance(got, await run(original, feeds))).toBeLessThan(method === 'float16' ? 2e-3 : 5e-2);
        }
        return hash(written);
      });
      const second = await withCut(kernels, original, steps, async ({ taken }) =>
        hash(await encode(taken.subject.model)),
      );
      expect(second).toBe(first);
      expect(hash(await encode(original))).toBe(untouched);
    });
  },
);

test('every card refuses what it does not offer, with the place', () => {
  for (const { card } of methods) {
    const ask = (params: unknown) => () => readRecipe({ lathe: 1, steps: [{ method: card.id, params }] });
    expect(ask({ nothing: 1 })).toThrow(`steps[0].params.nothing: ${card.id} has no such parameter`);
    for (const { id } of card.params) expect(ask({ [id]: {} })).toThrow(`steps[0].params.${id}: {} is not`);
    const defaults = Object.fromEntries(card.params.map((one) => [one.id, one.default]));
    expect(ask(defaults)().steps[0]!.params).toEqual(defaults);
  }
});

test('a cut layer is not cut again', async () => {
  await withCut(
    kernels,
    subjects['tiny-mlp']!(),
    [{ method: 'weight-only', params: { bits: 8 } }],
    async ({ taken }) => {
      // A cache has no weights to cut.
      for (const { card } of methods.filter((method) => method.card.id !== 'kv-cache')) {
        const { taken: again } = await foretell(taken.subject.model, [{ method: card.id }]);
        for (const { refusal } of again.records.values()) expect(refusal?.sentence).toMatch(/8 bits already/);
      }
    },
  );
});

test('half precision may be cut further', async () => {
  const steps = [{ method: 'float16' }, { method: 'weight-only', params: { bits: 4, groupSize: 16 } }];
  await withCut(kernels, subjects['tiny-mlp']!(), steps, async ({ taken }) => {
    expect(taken.subject.sites.map(({ op, bits }) => [op, bits])).toEqual([
      ['MatMulNBits', 4],
      ['MatMulNBits', 4],
    ]);
    const nodes = taken.subject.model.graph.nodes.map(({ op }) => op);
    expect(nodes).not.toContain('Cast');
    expect((await run(taken.subject.model, feedsOf(subjects['tiny-mlp']!()))).every(Number.isFinite)).toBe(true);
  });
});

test('a tied table is stored once where head and embedding are cut alike', async () => {
  const same = [{ method: 'weight-only', params: { bits: 4, groupSize: 16 } }];
  await withCut(kernels, subjects['tiny-lm']!(), same, async ({ taken }) => {
    const [embedding, , head] = taken.subject.sites;
    expect([embedding!.op, head!.op]).toEqual(['GatherBlockQuantized', 'MatMulNBits']);
    expect(head!.tensor).toBe(embedding!.tensor);
  });
  const apart = [{ ...same[0], overrides: { '/head/*': { bits: 8 } } }];
  const { taken } = await foretell(subjects['tiny-lm']!(), apart);
  const [embedding, , head] = taken.subject.sites;
  expect([embedding!.bits, head!.bits]).toEqual([4, 8]);
});

test('a weight that another layer keeps in full is told', async () => {
  const steps = [{ method: 'weight-only', layers: { include: ['/embed/*'] } }];
  const { cuts } = await foretell(subjects['tiny-lm']!(), steps);
  expect(cuts[0]!.notes).toContain('embed.weight is kept in full as well: /head/MatMul uses it and is not cut.');
});

test('weights beyond the range of a half are stored as its largest', async () => {
  const original = subjects['tiny-mlp']!();
  const weights = original.graph.initializers.get('fc1.weight')!;
  if (weights.data.kind === 'bytes') new Float32Array(weights.data.bytes.buffer)[5] = -1e6;
  await withCut(kernels, original, [{ method: 'float16' }], async ({ taken, cuts }) => {
    expect(cuts[0]!.notes).toEqual(['Weights beyond ±65,504 were stored as ±65,504: 1 of them.']);
    expect((await run(taken.subject.model, feedsOf(original))).every(Number.isFinite)).toBe(true);
  });
});

test('an abort ends it between tensors', async () => {
  const { kernelWorkshop } = await import('../../../src/engine/methods/cutting/workshop');
  const stop = new AbortController();
  stop.abort();
  const nowhere = {
    async once(_: string, make: () => Promise<unknown>) {
      await make();
      throw new Error('nothing is written after an abort');
    },
  };
  const workshop = kernelWorkshop(kernels, nowhere as never, stop.signal);
  // These have nothing to rescale or to turn in it.
  const idle = ['awq-scale', 'kv-cache', 'rotate', 'smooth'];
  for (const { card } of methods.filter((method) => !idle.includes(method.card.id)))
    await expect(take(subjects['tiny-mlp']!(), [{ method: card.id }], workshop)).rejects.toMatchObject({
      name: 'AbortError',
    });
});
