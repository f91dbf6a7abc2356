// Errors of weights, layer by layer, as shares of their size.
import { expect, it } from 'vitest';
import type { LayerOutcome } from '../../../../src/contract/words/run';
import { weightErrors } from '../../../../src/renderer/pages/compare/weight-errors';

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
  expect(weightErrors(a, b)).toEqual([
    { name: 'one', a: expect.closeTo(0.1, 6), b: expect.closeTo(0.01, 6), aBits: 4, bBits: 8 },
    { name: 'two', a: 0, b: expect.closeTo(0.501, 3), aBits: 16, bBits: 2 },
  ]);
  expect(weightErrors(null, b).map((each) => each.a)).toEqual([0, 0]);
});
