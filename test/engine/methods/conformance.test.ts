// Every method over tiny models as it is by default, refusals, abort. All variants of each are in conformance.whole.test.ts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { methods } from '../../../src/engine/methods';
import { readRecipe } from '../../../src/engine/recipe';
import { feedsOf, foretell, subjects, take, withCut } from './bench';
import { conforms, run, variants } from './conform';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

test('every method has variants here', () => {
  expect(Object.keys(variants).sort()).toEqual(methods.map(({ card }) => card.id).sort());
});

describe.each(Object.entries(variants).map(([method, [params]]) => ({ method, params: params! })))(
  '$method $params',
  ({ method, params }) => {
    test.each(Object.keys(subjects))('%s', (name) => conforms(kernels, name, method, params));
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
      // A cache has no weights to cut, and adapters stand beside codes.
      const others = ['kv-cache', 'lora'];
      for (const { card } of methods.filter((method) => !others.includes(method.card.id))) {
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
