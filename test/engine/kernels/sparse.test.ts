// Pruning of channels by their inputs: exact identities and the patterns.
import { afterAll, describe, expect, it } from 'vitest';
import { openKernels, type PruneRequest } from '../../../src/engine/kernels';
import { hessianOf, type Layer, makeLayer, quadratic, quantized } from './layer';
import { floatTensor } from './tensors';

const kernels = await openKernels({ worker: null });
afterAll(() => kernels.close());

const half = { share: 0.5 } as const;
const patterns = [
  { keep: 2, of: 4 },
  { keep: 4, of: 8 },
] as const;

const requestOf = ({ weights, rows, columns }: Layer, over: Partial<PruneRequest>): PruneRequest => ({
  ...{ tensor: floatTensor(weights, [rows, columns]), rows, columns, order: 'rows', drop: half },
  ...over,
});
const pruned = async (layer: Layer, over: Partial<PruneRequest>) =>
  (await kernels.prune(requestOf(layer, over))).values;
const squaresOf = ({ columns }: Layer, { data }: { data: ArrayLike<number> }) =>
  Float64Array.from({ length: columns }, (_, k) => data[k * columns + k]!);
const zerosOf = (values: ArrayLike<number>) => Array.from(values).filter((w) => w === 0).length;

describe('pruning of channels', () => {
  it('Wanda with inputs of one norm is the magnitude of each channel', async () => {
    const layer = makeLayer(3, { rows: 40, columns: 128 });
    for (const drop of [half, { share: 0.3 }, ...patterns]) {
      const size = await pruned(layer, { drop });
      expect(await pruned(layer, { drop, squares: new Float64Array(layer.columns).fill(1) })).toEqual(size);
      for (let n = 0; n < layer.rows; n++) {
        const own = layer.weights.subarray(n * layer.columns, (n + 1) * layer.columns);
        if (!('share' in drop)) continue;
        const least = Array.from(own, Math.abs).sort((a, b) => a - b)[Math.round(drop.share * layer.columns)]!;
        const line = size.subarray(n * layer.columns, (n + 1) * layer.columns);
        expect(line.every((w, k) => w === (Math.abs(own[k]!) >= least ? own[k] : 0))).toBe(true);
      }
    }
  });

  it('SparseGPT that drops nothing leaves the weights as they are', async () => {
    const layer = makeLayer(4, { rows: 33, columns: 160 });
    const hessian = hessianOf(layer, layer.calibration);
    expect(await pruned(layer, { drop: { share: 0 }, hessian })).toEqual(layer.weights);
  });

  it('where every input is alone and equally loud SparseGPT makes nothing good', async () => {
    const layer = makeLayer(5, { rows: 16, columns: 128 });
    const data = new Float64Array(128 * 128);
    for (let k = 0; k < 128; k++) data[k * 129] = 2;
    for (const drop of patterns)
      expect(await pruned(layer, { drop, hessian: { columns: 128, data } })).toEqual(await pruned(layer, { drop }));
  });

  it('tells what it lost at the output', async () => {
    const layer = makeLayer(6, { rows: 20, columns: 192 });
    const hessian = hessianOf(layer, layer.calibration);
    const { values, outputNoise, noise, signal } = await kernels.prune(requestOf(layer, { hessian }));
    const data = hessian.data.slice();
    const mean = squaresOf(layer, hessian).reduce((a, b) => a + b) / 192;
    for (let k = 0; k < 192; k++) data[k * 193]! += 0.01 * mean;
    const lost = quadratic(
      layer.weights.map((w, i) => w - values[i]!),
      { columns: 192, data },
    );
    expect(outputNoise / lost).toBeCloseTo(1, 3);
    expect(signal).toBeCloseTo(
      layer.weights.reduce((sum, w) => sum + w * w, 0),
      3,
    );
    expect(noise).toBeGreaterThan(0);
  });

  it.each(['rows', 'columns'] as const)('keeps the pattern along each channel, stored as %s', async (order) => {
    const layer = makeLayer(7, { rows: 300, columns: 64 });
    const { rows, columns } = layer;
    const stored = order === 'rows' ? layer.weights : new Float32Array(rows * columns);
    if (order === 'columns')
      layer.weights.forEach((w, i) => {
        stored[(i % columns) * rows + Math.floor(i / columns)] = w;
      });
    const hessian = hessianOf(layer, layer.calibration);
    const tensor = floatTensor(stored, order === 'rows' ? [rows, columns] : [columns, rows]);
    for (const drop of patterns) {
      for (const by of [{}, { squares: squaresOf(layer, hessian) }, { hessian }]) {
        const values = (await kernels.prune({ tensor, rows, columns, order, drop, ...by })).values;
        const line = await pruned(layer, { drop, ...by });
        for (let n = 0; n < rows; n++) {
          for (let first = 0; first < columns; first += drop.of) {
            const group = Array.from({ length: drop.of }, (_, i) =>
              order === 'rows' ? values[n * columns + first + i]! : values[(first + i) * rows + n]!,
            );
            expect(zerosOf(group)).toBe(drop.of - drop.keep);
            expect(group).toEqual([...line.subarray(n * columns + first, n * columns + first + drop.of)]);
          }
        }
      }
    }
  });

  it('the fast way and the plain one prune alike', async () => {
    const plain = await openKernels({ worker: null, plain: true });
    const layer = makeLayer(12, { rows: 12, columns: 160 });
    const hessian = hessianOf(layer, layer.calibration);
    for (const drop of [half, ...patterns]) {
      const [fast, slow] = [
        await pruned(layer, { drop, hessian }),
        (await plain.prune(requestOf(layer, { drop, hessian }))).values,
      ];
      const apart = fast.filter((w, i) => Math.abs(w - slow[i]!) > 1e-5 || (w === 0) !== (slow[i] === 0)).length;
      expect(apart / fast.length).toBeLessThan(0.01);
    }
    await plain.close();
  });

  it('inputs that never carried anything lose their weights first', async () => {
    const layer = makeLayer(8, { rows: 8, columns: 128 });
    const data = hessianOf(layer, layer.calibration).data.slice() as Float64Array;
    for (let i = 0; i < 128; i++) data[5 * 128 + i] = data[i * 128 + 5] = 0;
    const values = await pruned(layer, { drop: { share: 0.1 }, hessian: { columns: 128, data } });
    expect(values.every((w, i) => i % 128 !== 5 || w === 0)).toBe(true);
  });

  it('refuses weights that are not numbers', async () => {
    const layer = makeLayer(9, { rows: 4, columns: 128 });
    layer.weights[7] = Number.NaN;
    await expect(pruned(layer, {})).rejects.toMatchObject({ refusal: { code: 'unsupported' } });
  });

  it('GPTQ leaves what was pruned at zero', async () => {
    const layer = makeLayer(10, { rows: 24, columns: 128 });
    const hessian = hessianOf(layer, layer.calibration);
    const weights = await pruned(layer, { hessian });
    for (const bits of [2, 4, 8] as const) {
      const over = { rounding: 'gptq', clips: true, hessian, bits } as const;
      for (const symmetric of [true, false]) {
        const { rebuilt } = await quantized(kernels, { ...layer, weights }, { ...over, symmetric });
        expect(weights.every((w, i) => w !== 0 || rebuilt[i] === 0)).toBe(true);
      }
    }
  });
});
