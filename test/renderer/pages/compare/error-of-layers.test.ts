// Errors of weights and outputs, layer by layer, as shares of their size.
import { expect, it } from 'vitest';
import type { LayerOutcome } from '../../../../src/contract/words/run';
import { layerErrors } from '../../../../src/renderer/pages/compare/error-of-layers';

const layer = (name: string, more: Partial<LayerOutcome>): LayerOutcome => ({
  name,
  methods: ['weight-only'],
  shapeBefore: [4],
  shapeAfter: [4],
  bytesBefore: 16,
  bytesAfter: 4,
  ...more,
});

it('reads 20 dB as a tenth, exact layers as none, and leaves out what neither cut', () => {
  const a = [layer('one', { sqnrDb: 20, bits: 4 }), layer('two', { sqnrDb: null, bits: 16 }), layer('three', {})];
  const b = [layer('one', { sqnrDb: 40, bits: 8 }), layer('two', { sqnrDb: 6, bits: 2 }), layer('three', {})];
  expect(layerErrors(a, b, 'weights')).toEqual([
    { name: 'one', a: expect.closeTo(0.1, 6), b: expect.closeTo(0.01, 6), aBits: 4, bBits: 8 },
    { name: 'two', a: 0, b: expect.closeTo(0.501, 3), aBits: 16, bBits: 2 },
  ]);
  expect(layerErrors(null, b, 'weights').map((each) => each.a)).toEqual([0, 0]);
});

it('reads the outputs apart from the weights', () => {
  const a = [layer('one', { sqnrDb: 20, outputSqnrDb: 40 }), layer('two', { sqnrDb: 20 })];
  expect(layerErrors(a, null, 'outputs')).toEqual([
    { name: 'one', a: expect.closeTo(0.01, 6), b: 0, aBits: 32, bBits: 32 },
  ]);
});
