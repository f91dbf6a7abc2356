// Roundings that look further than the nearest level: exact identities and a float64 oracle, on layers of a seeded generator.
import { afterAll, describe, expect, it } from 'vitest';
import { openKernels, type QuantizeRequest, type QuantizeResult } from '../../../src/engine/kernels';
import { hessianOf, type Layer, lost, makeLayer, paperGptq, quadratic, quantized, requestOf } from './layer';

const kernels = await openKernels();
const plain = await openKernels({ plain: true });
afterAll(() => Promise.all([kernels.close(), plain.close()]));

const seeds = [0, 1];
const layers = seeds.map((seed) => makeLayer(seed));
const calibrated = layers.map((layer) => hessianOf(layer, layer.calibration));

const made = (layer: Layer, over: Partial<QuantizeRequest> = {}) => quantized(kernels, layer, over);

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);
const sameBytes = (a: QuantizeResult, b: QuantizeResult) =>
  Buffer.from(a.codes).equals(Buffer.from(b.codes)) &&
  Buffer.from(a.scales.buffer).equals(Buffer.from(b.scales.buffer));

describe('exact identities', () => {
  it('I1: gptq where every input is alone and equally loud is nearest, byte for byte', async () => {
    for (const [damping, symmetric] of [
      [0, true],
      [0, false],
      [0.01, true],
    ] as const) {
      const data = new Float64Array(256 * 256);
      for (let k = 0; k < 256; k++) data[k * 257] = 3.25;
      const nearest = await kernels.quantize(requestOf(layers[0]!, { symmetric }));
      const over = { rounding: 'gptq', symmetric, damping, hessian: { columns: 256, data } } as const;
      const gptq = await kernels.quantize(requestOf(layers[0]!, over));
      expect(sameBytes(gptq, nearest)).toBe(true);
      expect(gptq.zeroPoints).toEqual(nearest.zeroPoints);
      expect(gptq.noise / nearest.noise).toBeCloseTo(1, 6);
    }
  });

  it('I2: what gptq says it lost is tr(ΔW·H·ΔWᵀ), damping included', async () => {
    for (const [i, layer] of layers.entries()) {
      const hessian = calibrated[i]!;
      const { result, rebuilt } = await made(layer, { rounding: 'gptq', hessian });
      const data = Float64Array.from(hessian.data);
      let mean = 0;
      for (let k = 0; k < 256; k++) mean += data[k * 257]! / 256;
      for (let k = 0; k < 256; k++) data[k * 257]! += 0.01 * mean;
      const trace = quadratic(
        layer.weights.map((w, i) => w - rebuilt[i]!),
        { columns: 256, data },
      );
      // Feedback runs in float32.
      expect(result.outputNoise! / trace).toBeCloseTo(1, 4);
      expect(result.noise / lost(layer, rebuilt, 2)).toBeCloseTo(1, 5);
    }
  });

  it('I8: mse with the whole range is nearest, and never loses more by its own measure', async () => {
    for (const layer of layers) {
      for (const [bits, groupSize, symmetric, scaleRule] of [
        [4, 32, true, 'signed-max'],
        [4, 0, false, 'signed-max'],
        [8, 0, true, 'restricted'],
        [2, 64, false, 'signed-max'],
      ] as const) {
        const over = { bits, groupSize, symmetric, scaleRule };
        const nearest = await made(layer, over);
        const mse = await made(layer, { ...over, rounding: 'mse' });
        const group = groupSize || 256;
        for (let at = 0; at < layer.weights.length; at += group) {
          const loss = (rebuilt: Float64Array) =>
            sum(layer.weights.slice(at, at + group).map((w, i) => Math.abs(w - rebuilt[at + i]!) ** 2.4));
          expect(loss(mse.rebuilt)).toBeLessThanOrEqual(loss(nearest.rebuilt) * (1 + 2e-4));
          if (mse.result.scales[at / group] === nearest.result.scales[at / group])
            expect(mse.rebuilt.slice(at, at + group)).toEqual(nearest.rebuilt.slice(at, at + group));
        }
        expect(mse.result.zeroPoints).toEqual(nearest.result.zeroPoints);
      }
    }
  });

  it('nearest is what it was, with or without the word', async () => {
    const without = await kernels.quantize(requestOf(layers[0]!));
    const withIt = await kernels.quantize(requestOf(layers[0]!, { rounding: 'nearest' }));
    expect(withIt).toEqual(without);
    expect(without).toMatchObject({ floatZeroPoints: null, outputNoise: null });
  });
});

describe('gptq against its paper in float64', () => {
  it.each([0, 1])('seed %i: the same codes but where a hair decides, and the same loss', async (seed) => {
    const layer = makeLayer(seed, { rows: 24, columns: 192 });
    const hessian = hessianOf(layer, layer.calibration);
    for (const symmetric of [true, false]) {
      const { result, rebuilt } = await made(layer, { rounding: 'gptq', symmetric, hessian });
      const { scales, zeroPoints } = result;
      const zero = (g: number) => zeroPoints?.[g] ?? 8;
      const paper = paperGptq(layer, hessian, { scales, zero, bits: 4, group: 64 });
      const same = rebuilt.filter((w, i) => Math.abs(w - paper.rebuilt[i]!) < 1e-6).length / rebuilt.length;
      expect(same).toBeGreaterThan(0.99);
      expect(result.outputNoise! / paper.loss).toBeGreaterThan(0.99);
      expect(result.outputNoise! / paper.loss).toBeLessThan(1.01);
    }
  });
});

describe('the fast way and the plain one', () => {
  it.each([
    { rounding: 'mse', symmetric: true, bits: 4, groupSize: 32 },
    { rounding: 'mse', symmetric: false, bits: 2, groupSize: 0 },
    { rounding: 'hqq', symmetric: false, bits: 4, groupSize: 64 },
    { rounding: 'hqq', symmetric: false, bits: 8, groupSize: 0 },
  ] as const)('$rounding: the same bytes at $bits bits in groups of $groupSize', async (over) => {
    for (const order of ['rows', 'columns'] as const) {
      const layer = makeLayer(7, { rows: 36, columns: 100 });
      const request = requestOf(layer, { ...over, order, pack: 'blocks' });
      expect(await kernels.quantize(request)).toEqual(await plain.quantize(request));
    }
  });

  it.each(['rows', 'columns'] as const)(
    'gptq, stored by %s: the same codes but where a hair decides',
    async (order) => {
      const layer = makeLayer(8, { rows: 30, columns: 160 });
      const hessian = hessianOf(layer, layer.calibration);
      for (const pack of ['plain', 'blocks'] as const) {
        const request = requestOf(layer, { rounding: 'gptq', groupSize: 32, order, pack, hessian });
        const [a, b] = [await kernels.quantize(request), await plain.quantize(request)];
        expect(a.scales).toEqual(b.scales);
        expect(a.codes.filter((code, i) => code === b.codes[i]).length / a.codes.length).toBeGreaterThan(0.99);
        expect(a.outputNoise! / b.outputNoise!).toBeCloseTo(1, 2);
      }
    },
  );

  it('sums of inputs: float64 to six digits, symmetric, in any portions the same total', async () => {
    const layer = makeLayer(9, { rows: 4, columns: 100 });
    const wanted = hessianOf(layer, layer.calibration).data;
    const into = { columns: 100, data: new Float64Array(100 * 100) };
    await kernels.addInputs(into, layer.calibration.subarray(0, 701 * 100));
    await kernels.addInputs(into, layer.calibration.subarray(701 * 100));
    const largest = Math.max(...wanted.map(Math.abs));
    for (let i = 0; i < wanted.length; i++) {
      expect(Math.abs(into.data[i]! - wanted[i]!)).toBeLessThan(largest * 1e-6);
      expect(into.data[i]).toBe(into.data[(i % 100) * 100 + Math.floor(i / 100)]);
    }
  });
});

describe('weights and inputs out of the ordinary', () => {
  const layer = makeLayer(11, { rows: 8, columns: 128 });
  const odd = { ...layer, weights: layer.weights.slice() };
  odd.weights[5] = Number.NaN;
  odd.weights[3 * 128 + 9] = Number.POSITIVE_INFINITY;
  odd.weights.fill(0, 6 * 128, 7 * 128);
  const hessian = hessianOf(layer, layer.calibration);

  it.each(['mse', 'hqq', 'gptq'] as const)(
    '%s: other channels are what they are without NaN and infinity',
    async (rounding) => {
      const over = { rounding, hessian, groupSize: 32 };
      const clean = await made(layer, over);
      const { result, rebuilt } = await made(odd, over);
      expect(Number.isFinite(result.noise)).toBe(true);
      expect(rebuilt.every(Number.isFinite)).toBe(true);
      for (const row of [1, 2, 4, 5, 7])
        expect(rebuilt.slice(row * 128, (row + 1) * 128)).toEqual(clean.rebuilt.slice(row * 128, (row + 1) * 128));
      expect(rebuilt.slice(6 * 128, 7 * 128).every((w) => w === 0)).toBe(true);
      if (rounding !== 'gptq') return;
      const nearest = await made(odd, { groupSize: 32 });
      expect(rebuilt.slice(0, 128)).toEqual(nearest.rebuilt.slice(0, 128));
    },
  );

  it('gptq: channels that never had an input, and inputs all alike, are rounded too', async () => {
    const data = Float64Array.from(hessian.data);
    for (let k = 0; k < 128; k++) data[k * 128 + 17] = data[17 * 128 + k] = 0;
    const silent = await made(layer, { rounding: 'gptq', hessian: { columns: 128, data } });
    expect(Number.isFinite(silent.result.outputNoise)).toBe(true);
    const nearest = await made(layer);
    for (let row = 0; row < 8; row++) expect(silent.rebuilt[row * 128 + 17]).toBe(nearest.rebuilt[row * 128 + 17]);

    const none = { columns: 128, data: new Float64Array(128 * 128) };
    expect((await made(layer, { rounding: 'gptq', hessian: none })).rebuilt).toEqual(nearest.rebuilt);
    const alike = { columns: 128, data: new Float64Array(128 * 128).fill(4) };
    expect((await made(layer, { rounding: 'gptq', damping: 0, hessian: alike }).catch((e) => e)).message).toContain(
      'too much alike',
    );
  });

  it('hqq: wide weights go the long way, equal weights are one code', async () => {
    const wide = { ...layer, weights: layer.weights.map((w) => w * 200) };
    const request = requestOf(wide, { rounding: 'hqq', bits: 2, groupSize: 32 });
    expect(await kernels.quantize(request)).toEqual(await plain.quantize(request));
    const flat = { ...layer, weights: new Float32Array(8 * 128).fill(0.37) };
    expect((await made(flat, { rounding: 'hqq' })).result.noise).toBe(0);
  });

  it('refuses a Hessian of another layer', async () => {
    await expect(kernels.quantize(requestOf(layer, { rounding: 'gptq' }))).rejects.toThrow('Hessian of 128');
    const other = { columns: 64, data: new Float64Array(64 * 64) };
    await expect(kernels.quantize(requestOf(layer, { rounding: 'gptq', hessian: other }))).rejects.toThrow(
      '128 columns',
    );
    const nan = { columns: 128, data: new Float64Array(128 * 128).fill(Number.NaN) };
    await expect(kernels.quantize(requestOf(layer, { rounding: 'gptq', hessian: nan }))).rejects.toThrow('not finite');
  });
});
