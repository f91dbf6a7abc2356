// GPTQ on narrowed ranges: an exact identity, and what it wins on inputs that no rounding saw.
import { afterAll, expect, it } from 'vitest';
import { openKernels, type QuantizeRequest } from '../../../src/engine/kernels';
import { hessianOf, type Layer, makeLayer, rebuild, relativeError } from './layer';
import { floatTensor } from './tensors';

const kernels = await openKernels();
afterAll(() => kernels.close());

const shape = { rows: 48, columns: 128 };
const requestOf = ({ weights }: Layer, over: Partial<QuantizeRequest>): QuantizeRequest => ({
  ...{ tensor: floatTensor(weights, [shape.rows, shape.columns]), ...shape, order: 'rows', bits: 2, groupSize: 64 },
  ...{ symmetric: true, zero: 'unsigned', pack: 'plain', scaleRule: 'signed-max' },
  ...over,
});

it('where every input is alone and equally loud it is mse, byte for byte', async () => {
  const data = new Float64Array(128 * 128);
  for (let k = 0; k < 128; k++) data[k * 129] = 3.25;
  const over = { rounding: 'gptq', clips: true, hessian: { columns: 128, data } } as const;
  for (const bits of [2, 4, 8] as const) {
    const [gptq, mse] = await Promise.all([
      kernels.quantize(requestOf(makeLayer(1, shape), { ...over, bits })),
      kernels.quantize(requestOf(makeLayer(1, shape), { rounding: 'mse', bits })),
    ]);
    expect(gptq.codes).toEqual(mse.codes);
    expect(gptq.scales).toEqual(mse.scales);
  }
});

it('at 2 bits outputs lose less than on whole ranges', async () => {
  for (const seed of [0, 1, 2]) {
    const layer = makeLayer(seed, shape);
    const [seen, unseen] = [hessianOf(layer, layer.calibration), hessianOf(layer, layer.heldOut)];
    const error = async (clips: boolean) => {
      const made = await kernels.quantize(requestOf(layer, { rounding: 'gptq', clips, hessian: seen }));
      return relativeError(layer, rebuild(made, { ...shape, bits: 2, group: 64 }), unseen);
    };
    expect((await error(true)) / (await error(false))).toBeLessThan(0.9);
  }
});
