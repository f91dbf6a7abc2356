// Moments against sampled activations: the clipped-normal formulas, products over independent inputs, and what joins and moves.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { elementCount, type Model, type Tensor } from '../../../src/engine/graph/graph';
import { inferShapes } from '../../../src/engine/graph/shapes';
import { floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { momentsOf } from '../../../src/engine/measure/moments';
import { foreseen } from '../../../src/engine/measure/moments-foreseen';
import { clipped, cumulative } from '../../../src/engine/measure/moments-normal';
import { openTaps } from '../../../src/engine/runtime/taps';
import { model, node, randomNumbers, randomWeights, value } from '../models';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lathe-moments-'));
});
afterAll(() => rm(folder, { recursive: true }));

const normal = { mean: 0, variance: 1, low: -6, high: 6 };

function normals(count: number, seed: number): Float32Array {
  const next = randomNumbers(seed);
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

test('the normal distribution, to the last digits', () => {
  const table = {
    0: 0.5,
    1: 0.8413447460685429,
    '-2': 0.022750131948179195,
    3.5: 0.9997673709209645,
    '-6': 9.865876450376946e-10,
  };
  for (const [z, share] of Object.entries(table)) expect(cumulative(Number(z))).toBeCloseTo(share, 14);
});

test('a clipped normal, against a million draws and in closed form', () => {
  // E[max(0, x)] = σφ(0) = 1/√(2π), E[max(0, x)²] = ½.
  const half = clipped(0, 1, 0, Infinity);
  expect(half.mean).toBeCloseTo(1 / Math.sqrt(2 * Math.PI), 12);
  expect(half.variance).toBeCloseTo(0.5 - 1 / (2 * Math.PI), 12);
  expect(clipped(3, 0, 0, 2)).toEqual({ mean: 2, variance: 0 });
  const draws = normals(1_000_000, 4);
  for (const [mean, deviation, low, high] of [
    [0.7, 2, 0, 6],
    [-1, 0.5, 0, Infinity],
    [2, 1, -1, 1],
  ] as const) {
    const cut = draws.map((z) => Math.min(high, Math.max(low, mean + deviation * z)));
    const seen = statistics(cut);
    const told = clipped(mean, deviation ** 2, low, high);
    expect(told.mean).toBeCloseTo(seen.mean, 2);
    expect(told.variance).toBeCloseTo(seen.variance, 2);
  }
});

function statistics(values: ArrayLike<number>): { mean: number; variance: number } {
  let [sum, square] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += values[i]!;
    square += values[i]! ** 2;
  }
  const mean = sum / values.length;
  return { mean, variance: square / values.length - mean ** 2 };
}

const weight = (name: string, dims: number[], seed: number, size = 1): Tensor =>
  floatTensor(name, dims, randomWeights(elementCount(dims), size / Math.sqrt(elementCount(dims.slice(1)) || 1), seed));

/** Every channel of `name`: mean and deviation as sampled and as told, both over the deviation of the whole. */
async function compare(of: Model, names: readonly string[], seed = 1): Promise<Record<string, number>> {
  const shapes = await inferShapes(of);
  const told = await momentsOf(of.graph, shapes, normal);
  const input = of.graph.inputs[0]!.type as unknown as { shape: number[] };
  const feeds = { x: { dtype: 'float32' as const, dims: input.shape, data: normals(elementCount(input.shape), seed) } };
  const taps = await openTaps(of, names, folder);
  const seen = await taps.run(feeds).finally(() => taps.close());
  const worst: Record<string, number> = {};
  for (const name of names) {
    const { dims, data } = seen.get(name)!;
    const { axis, mean, variance } = told.get(name)!;
    const inner = elementCount(dims.slice((axis ?? 0) + 1));
    const channels: number[][] = Array.from({ length: mean.length }, () => []);
    for (const [i, one] of (data as Float32Array).entries())
      channels[axis === null ? 0 : Math.floor(i / inner) % mean.length]!.push(one);
    const all = Math.sqrt(statistics(data as Float32Array).variance);
    worst[name] = Math.max(
      ...channels.map((values, i) => {
        const is = statistics(values);
        return Math.max(
          Math.abs(is.mean - mean[i]!) / all,
          Math.abs(Math.sqrt(is.variance) - Math.sqrt(variance[i]!)) / all,
        );
      }),
    );
  }
  return worst;
}

test('products over independent inputs, their biases and ReLUs: exact but for sampling', async () => {
  const of = model({
    inputs: [value('x', 'float32', [20_000, 12])],
    outputs: [value('y', 'float32', [20_000, 6])],
    nodes: [
      node('Gemm', ['x', 'a.w', 'a.b'], ['a'], { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
      node('Relu', ['a'], ['a1']),
      node('Clip', ['a', 'low', 'high'], ['a2']),
      node('LeakyRelu', ['a'], ['a3'], { alpha: { float: 0.2 } }),
      node('Sigmoid', ['a'], ['a4']),
      node('MatMul', ['x', 'b.w'], ['b']),
      node('Add', ['b', 'b.b'], ['b1']),
      node('Mul', ['b1', 'scale'], ['b2']),
      node('Concat', ['a1', 'b2'], ['c'], { axis: 1 }),
      node('Identity', ['b2'], ['y']),
    ],
    initializers: [
      weight('a.w', [8, 12], 1),
      weight('a.b', [8], 2),
      floatTensor('low', [], [-0.3]),
      floatTensor('high', [], [0.4]),
      weight('b.w', [12, 6], 3),
      weight('b.b', [6], 4),
      weight('scale', [1, 6], 5, 2),
    ],
  });
  const worst = await compare(of, ['a', 'a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c']);
  for (const [name, error] of Object.entries(worst)) expect(error, name).toBeLessThan(0.03);
});

/** Every window of taps adds up to nothing. */
function cancelling(name: string, dims: number[], seed: number): Tensor {
  const taps = elementCount(dims.slice(2));
  const values = randomWeights(elementCount(dims), 1 / Math.sqrt(elementCount(dims.slice(1))), seed);
  for (let at = 0; at < values.length; at += taps) {
    const mean = values.subarray(at, at + taps).reduce((sum, one) => sum + one, 0) / taps;
    for (let t = 0; t < taps; t++) values[at + t]! -= mean;
  }
  return floatTensor(name, dims, values);
}

test('neighbours that are alike: taps of one sign add up, and the range is not too small', async () => {
  const of = model({
    inputs: [value('x', 'float32', [1, 1, 8, 8])],
    outputs: [value('y')],
    nodes: [node('Conv', ['x', 'w'], ['y'], { kernel_shape: [3, 3] })],
    initializers: [floatTensor('w', [1, 1, 3, 3], new Float32Array(9).fill(1 / 9))],
  });
  const told = await momentsOf(of.graph, await inferShapes(of), normal);
  expect(told.get('y')!.variance[0]).toBeCloseTo(1, 6);
});

test('convolutions, grouped too, turned and flattened: per channel, inside the padding', async () => {
  const of = model({
    inputs: [value('x', 'float32', [400, 4, 10, 10])],
    outputs: [value('y', 'float32', [400, 72])],
    nodes: [
      node('Conv', ['x', 'a.w', 'a.b'], ['a'], { kernel_shape: [3, 3] }),
      node('Relu', ['a'], ['a1']),
      node('Conv', ['a1', 'd.w'], ['d'], { kernel_shape: [1, 1], group: 8 }),
      node('Transpose', ['d'], ['t'], { perm: [0, 2, 3, 1] }),
      node('Conv', ['d', 'e.w'], ['e'], { kernel_shape: [6, 6], strides: [6, 6] }),
      node('BatchNormalization', ['d', 'gamma', 'beta', 'mu', 'var'], ['n']),
      node('Conv', ['n', 'f.w'], ['f'], { kernel_shape: [6, 6] }),
      node('Reshape', ['f', 'flat'], ['y']),
    ],
    initializers: [
      // Taps that cancel: the variance is that of independent neighbours, which these inputs are.
      cancelling('a.w', [8, 4, 3, 3], 1),
      weight('a.b', [8], 2),
      weight('d.w', [8, 1, 1, 1], 3, 2),
      weight('e.w', [5, 8, 6, 6], 4),
      floatTensor('gamma', [8], [1, 2, 0.5, 1, 1, 3, 1, 1]),
      weight('beta', [8], 6),
      floatTensor('mu', [8], new Float32Array(8)),
      floatTensor('var', [8], new Float32Array(8).fill(1)),
      weight('f.w', [8, 8, 6, 6], 7),
      int64Tensor('flat', [2], [400, 72]),
    ],
  });
  const worst = await compare(of, ['a', 'a1', 'd', 't']);
  for (const [name, error] of Object.entries(worst)) expect(error, name).toBeLessThan(0.03);
  // Overlapping windows make neighbours dependent: an estimate from here on.
  expect((await compare(of, ['e'])).e).toBeLessThan(0.4);
  const told = await momentsOf(of.graph, await inferShapes(of), normal);
  expect([...told.get('n')!.variance]).toEqual([1, 4, 0.25, 1, 1, 9, 1, 1]);
  expect(told.get('y')!.mean.length).toBe(72);
});

test('what will be known is told from the graph alone, and what ends it', async () => {
  const of = model({
    inputs: [value('x', 'float32', [2, 4])],
    outputs: [value('y', 'float32', [2, 4])],
    nodes: [
      node('Relu', ['x'], ['a']),
      node('Softmax', ['a'], ['b']),
      node('MatMul', ['b', 'w'], ['c']),
      node('Add', ['c', 'a'], ['y']),
    ],
    initializers: [weight('w', [4, 4], 1)],
  });
  const shapes = await inferShapes(of);
  const { known, lost } = foreseen(of.graph, shapes);
  expect([...known]).toEqual(['x', 'a']);
  expect([...lost]).toEqual([
    ['b', 'Softmax'],
    ['c', 'Softmax'],
    ['y', 'Softmax'],
  ]);
  expect([...(await momentsOf(of.graph, shapes, normal)).keys()]).toEqual([...known]);
});
