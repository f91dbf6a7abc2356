// The gates of the roundings on inputs that no rounding saw: five layers of the seeded generator, the negative control included.
import { afterAll, describe, expect, it } from 'vitest';
import { openKernels, type QuantizeRequest } from '../../../src/engine/kernels';
import { hessianOf, type Layer, lost, makeLayer, quantized, relativeError, requestOf } from './layer';

const kernels = await openKernels();
afterAll(() => kernels.close());

const seeds = [0, 1, 2, 3, 4];
const layers = seeds.map((seed) => makeLayer(seed));
const calibrated = layers.map((layer) => hessianOf(layer, layer.calibration));
const heldOut = layers.map((layer) => hessianOf(layer, layer.heldOut));
const made = (layer: Layer, over: Partial<QuantizeRequest> = {}) => quantized(kernels, layer, over);

describe('gates on held-out inputs, five seeds', () => {
  const error = async (i: number, over: Partial<QuantizeRequest>) =>
    relativeError(layers[i]!, (await made(layers[i]!, over)).rebuilt, heldOut[i]!);

  it.each([
    { bits: 4, groupSize: 0 },
    { bits: 4, groupSize: 64 },
    { bits: 2, groupSize: 64 },
  ] as const)('gptq ≤ 0.25 of nearest: $bits bits, groups of $groupSize', async (over) => {
    for (const i of seeds) {
      const nearest = await error(i, over);
      const gptq = await error(i, { ...over, rounding: 'gptq', hessian: calibrated[i]! });
      expect(gptq / nearest).toBeLessThan(0.25);
    }
  });

  it('negative control: with white inputs gptq wins nothing', async () => {
    for (const seed of seeds) {
      const layer = makeLayer(seed, { white: true });
      const hessian = hessianOf(layer, layer.calibration);
      const unseen = hessianOf(layer, layer.heldOut);
      const nearest = relativeError(layer, (await made(layer)).rebuilt, unseen);
      const gptq = relativeError(layer, (await made(layer, { rounding: 'gptq', hessian })).rebuilt, unseen);
      expect(gptq / nearest).toBeGreaterThan(0.95);
      expect(gptq / nearest).toBeLessThan(1.2);
    }
  });

  it('mse: weights lose no more by its measure, and outputs less', async () => {
    for (const bits of [4, 2] as const) {
      for (const i of seeds) {
        const over = { bits, groupSize: 64 };
        const nearest = await made(layers[i]!, over);
        const mse = await made(layers[i]!, { ...over, rounding: 'mse' });
        expect(lost(layers[i]!, mse.rebuilt, 2.4)).toBeLessThan(lost(layers[i]!, nearest.rebuilt, 2.4));
      }
    }
  });

  it('hqq: mean |w − ŵ| no more than of nearest', async () => {
    for (const [bits, groupSize] of [
      [4, 0],
      [4, 64],
      [2, 64],
      [8, 32],
    ] as const) {
      for (const layer of layers) {
        const nearest = await made(layer, { bits, groupSize });
        const hqq = await made(layer, { bits, groupSize, rounding: 'hqq' });
        expect(lost(layer, hqq.rebuilt, 1)).toBeLessThan(lost(layer, nearest.rebuilt, 1));
        expect(hqq.result.floatZeroPoints).toHaveLength(hqq.result.scales.length);
        expect(hqq.result.zeroPoints).toBeNull();
        expect(hqq.result.noise / lost(layer, hqq.rebuilt, 2)).toBeCloseTo(1, 3);
      }
    }
  });

  it('nearest: smaller groups lose less, and a bit is worth about 6 dB', async () => {
    for (const layer of layers) {
      const noise = async (groupSize: number, bits: 2 | 4 | 8) =>
        (await kernels.quantize(requestOf(layer, { groupSize, bits }))).noise;
      const byGroup = [await noise(32, 4), await noise(64, 4), await noise(128, 4), await noise(0, 4)];
      expect(byGroup).toEqual(byGroup.toSorted((a, b) => a - b));
      const perBit = (from: number, to: number, steps: number) => (10 * Math.log10(from / to)) / steps;
      const [two, four, eight] = [await noise(64, 2), await noise(64, 4), await noise(64, 8)];
      for (const slope of [perBit(two, four, 2), perBit(four, eight, 4)]) {
        expect(slope).toBeGreaterThan(5.5);
        expect(slope).toBeLessThan(7.8);
      }
    }
  });
});
