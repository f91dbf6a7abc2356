// What each criterion of pruning wins on inputs that none of them saw, on the layers of algorithms §4.2.
import { afterAll, describe, expect, it } from 'vitest';
import { openKernels, type PruneRequest } from '../../../src/engine/kernels';
import { hessianOf, makeLayer, relativeError } from './layer';
import { floatTensor } from './tensors';

const kernels = await openKernels({ worker: null });
afterAll(() => kernels.close());

const half = { share: 0.5 } as const;
const zerosOf = (values: ArrayLike<number>) => Array.from(values).filter((w) => w === 0).length;

describe('pruning of channels', () => {
  it.each([
    { name: '50 %', drop: half, wanda: 0.5, sparsegpt: 0.75 },
    { name: '2:4', drop: { keep: 2, of: 4 } as const, wanda: 0.6, sparsegpt: 0.6 },
  ])('at $name Wanda loses less than magnitude and SparseGPT less than Wanda', async ({ drop, wanda, sparsegpt }) => {
    for (const seed of [0, 1, 2, 3, 4]) {
      const layer = makeLayer(seed);
      const [seen, unseen] = [hessianOf(layer, layer.calibration), hessianOf(layer, layer.heldOut)];
      const error = async (over: Partial<PruneRequest>) => {
        const { weights, rows, columns } = layer;
        const tensor = floatTensor(weights, [rows, columns]);
        const { values } = await kernels.prune({ tensor, rows, columns, order: 'rows', drop, ...over });
        expect(zerosOf(values) / values.length).toBeCloseTo(0.5, 3);
        return relativeError(layer, values, unseen);
      };
      const [size, inputs, feedback] = [
        await error({}),
        await error({
          squares: Float64Array.from({ length: layer.columns }, (_, k) => seen.data[k * layer.columns + k]!),
        }),
        await error({ hessian: seen }),
      ];
      expect(inputs / size).toBeLessThanOrEqual(wanda);
      expect(feedback / inputs).toBeLessThanOrEqual(sparsegpt);
    }
  });
});
