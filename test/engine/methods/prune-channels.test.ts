// Pruning of channels: the ratio is reached, sizes are multiples and known beforehand, the least important go, and training goes on from there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elementCount, type Model } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { inferShapes } from '../../../src/engine/graph/shapes';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { model, node, randomWeights, value } from '../models';
import { feedsOf, foretell, withCut } from './bench';
import { run } from './conform';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

/** Two convolutions with batch norms and a residual join; channels 3k of `a` are quiet in whatever a criterion looks at. */
function network(): Model {
  const weight = (name: string, dims: number[], seed: number) =>
    floatTensor(
      name,
      dims,
      randomWeights(
        dims.reduce((a, b) => a * b, 1),
        0.3,
        seed,
      ),
    );
  const plain = (name: string, count: number, one: number) =>
    floatTensor(name, [count], new Float32Array(count).fill(one));
  const quiet = (name: string, dims: number[], seed: number, axis: number) => {
    const values = randomWeights(
      dims.reduce((a, b) => a * b, 1),
      0.3,
      seed,
    );
    const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    return floatTensor(
      name,
      dims,
      values.map((one, i) => ((Math.floor(i / inner) % dims[axis]!) % 3 === 0 ? one * 0.01 : one)),
    );
  };
  return model({
    name: 'network',
    inputs: [value('x', 'float32', [1, 3, 8, 8])],
    outputs: [value('y', 'float32', [1, 10])],
    nodes: [
      node('Conv', ['x', 'a.weight', 'a.bias'], ['a'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { name: 'a' }),
      node('BatchNormalization', ['a', 'a.gain', 'zero24', 'zero24', 'one24'], ['an']),
      node('Relu', ['an'], ['ar']),
      node('Conv', ['ar', 'b.weight'], ['b'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { name: 'b' }),
      node('Conv', ['x', 'c.weight'], ['c'], { kernel_shape: [1, 1] }, { name: 'c' }),
      node('Add', ['b', 'c'], ['sum']),
      node('GlobalAveragePool', ['sum'], ['pooled']),
      node('Flatten', ['pooled'], ['flat']),
      node('Gemm', ['flat', 'd.weight', 'd.bias'], ['y'], { transB: 1 }, { name: 'd' }),
    ],
    initializers: [
      quiet('a.weight', [24, 3, 3, 3], 1, 0),
      quiet('a.bias', [24], 2, 0),
      quiet('a.gain', [24], 3, 0),
      plain('zero24', 24, 0),
      plain('one24', 24, 1),
      quiet('b.weight', [32, 24, 3, 3], 4, 1),
      weight('c.weight', [32, 3, 1, 1], 5),
      weight('d.weight', [10, 32], 6),
      weight('d.bias', [10], 7),
    ],
  });
}

const shapes = (sites: readonly { name: string; shape: readonly number[] }[]) =>
  Object.fromEntries(sites.map(({ name, shape }) => [name, shape]));

const total = async (given: Model, of: 'macs' | 'parameters') =>
  listLayers(given, await inferShapes(given)).reduce((sum, site) => sum + (site[of] ?? 0), 0);

describe('prune-channels', () => {
  test.each(['l1', 'l2', 'batchnorm', 'activation', 'taylor', 'taylor-second'])(
    '%s: what says least goes first',
    async (criterion) => {
      const whole = network();
      const steps = [
        { method: 'prune-channels', params: { ratio: 0.3, criterion, samples: 2 }, layers: { include: ['a'] } },
      ];
      await withCut(kernels, whole, steps, async ({ taken }) => {
        expect(shapes(taken.subject.sites)).toEqual({
          a: [16, 3, 3, 3],
          b: [32, 16, 3, 3],
          c: [32, 3, 1, 1],
          d: [10, 32],
        });
        // The eight quiet channels of 24 went, so the answers hardly move.
        const feeds = feedsOf(whole);
        const [before, after] = [await run(whole, feeds), await run(taken.subject.model, feeds)];
        const size = Math.max(...before.map(Math.abs));
        expect(Math.max(...before.map((one, i) => Math.abs(one - after[i]!)))).toBeLessThan(0.02 * size);
      });
    },
  );

  test.each(['macs', 'parameters'] as const)('the ratio of %s is reached, and told before', async (target) => {
    for (const scope of ['uniform', 'global']) {
      const whole = network();
      const steps = [{ method: 'prune-channels', params: { target, ratio: 0.5, scope, multiple: 4 } }];
      const { taken: told } = await foretell(whole, steps);
      await withCut(kernels, whole, steps, async ({ taken, cuts }) => {
        const share = (await total(taken.subject.model, target)) / (await total(whole, target));
        expect(share).toBeLessThanOrEqual(0.5);
        expect(share).toBeGreaterThan(0.35);
        expect(shapes(taken.subject.sites)).toEqual(shapes(told.subject.sites));
        for (const name of ['a', 'b']) expect(shapes(taken.subject.sites)[name]![0]! % 4).toBe(0);
        expect(cuts[0]!.notes[0]).toBe(`${(100 * (1 - share)).toFixed(1)} % of the model’s ${words[target]} went.`);
      });
    }
  });

  test('where the length of a sequence is open, its layers count by their weights', async () => {
    const weight = (name: string, dims: number[], seed: number) =>
      floatTensor(name, dims, randomWeights(elementCount(dims), 0.3, seed));
    const gated = model({
      name: 'gated',
      inputs: [value('x', 'float32', ['batch', 'sequence', 16])],
      outputs: [value('y', 'float32', ['batch', 'sequence', 16])],
      nodes: [
        node('MatMul', ['x', 'gate'], ['g'], {}, { name: 'gate' }),
        node('MatMul', ['x', 'up'], ['u'], {}, { name: 'up' }),
        node('Sigmoid', ['g'], ['s']),
        node('Mul', ['s', 'u'], ['m']),
        node('MatMul', ['m', 'down'], ['y'], {}, { name: 'down' }),
      ],
      initializers: [weight('gate', [16, 64], 1), weight('up', [16, 64], 2), weight('down', [64, 16], 3)],
    });
    const { taken, cuts } = await foretell(gated, [{ method: 'prune-channels', params: { ratio: 0.25 } }]);
    expect(shapes(taken.subject.sites)).toEqual({ gate: [16, 48], up: [16, 48], down: [48, 16] });
    expect(cuts[0]!.notes).toEqual(['25.0 % of the model’s multiply-accumulates went.']);
  });

  test('what cannot go is refused, what cannot be reached is told', async () => {
    const refusals = async (params: object, include = ['*']) => {
      const { taken, cuts } = await foretell(network(), [{ method: 'prune-channels', params, layers: { include } }]);
      const found = [...taken.records].flatMap(([name, { refusal }]) => (refusal ? [[name, refusal.sentence]] : []));
      return { refused: Object.fromEntries(found), note: cuts[0]?.notes[0] };
    };
    expect(await refusals({ multiple: 32 })).toMatchInlineSnapshot(`
      {
        "note": undefined,
        "refused": {
          "a": "a: It has 24 channels; in multiples of 32 none can go.",
          "b": "b: It has 32 channels; in multiples of 32 none can go.",
          "c": "c: It has 32 channels; in multiples of 32 none can go.",
          "d": "d: Its output channels all stay: they leave the model at y.",
        },
      }
    `);
    expect(await refusals({ criterion: 'batchnorm' })).toMatchInlineSnapshot(`
      {
        "note": "32.9 % of the model’s multiply-accumulates went.",
        "refused": {
          "b": "b: No batch norm scales its channels.",
          "c": "c: No batch norm scales its channels.",
          "d": "d: Its output channels all stay: they leave the model at y.",
        },
      }
    `);
    expect(await refusals({ ratio: 0.95 }, ['a', 'b'])).toMatchInlineSnapshot(`
      {
        "note": "Only 65.8 % of the model’s multiply-accumulates could go, not 95.0 %: a tenth of every group stays, in the multiple asked for, and so does all that cannot be cut.",
        "refused": {
          "b": "b: It shares its channels with c, which is left out.",
        },
      }
    `);
  });
});

const words = { macs: 'multiply-accumulates', parameters: 'parameters' };
