// The level chart's numbers: outlines, the outlier ground, clipping limits.
import { expect, it } from 'vitest';
import type { Preview } from '../../../../src/contract/words/recipe';
import {
  clippedShare,
  clippingLimits,
  gridOf,
  joinedBins,
  outlineOf,
  sixSigmaOf,
  ticksOf,
} from '../../../../src/renderer/pages/recipe/level-geometry';

const bins = { min: -8, max: 8, counts: [0, 4, 100, 100, 4, 0, 0, 1] };
const levels = [-2, -1, 0, 1].map((value) => ({ value, count: 10 }));
const preview = {
  layer: 'conv1',
  method: 'weight-only',
  sqnrDb: 12,
  bytesBefore: 4,
  bytesAfter: 1,
  bits: 2,
  before: { min: -1, max: 1, counts: [10, 20, 10] },
  after: { min: -1, max: 1, counts: [10, 20, 10] },
  levels,
  levelsOf: 'scale',
  scaled: { min: -2, max: 2, counts: [1, 2, 2, 1] },
  clipped: 4,
  sample: null,
  estimate: false,
  notes: [],
  milliseconds: 1,
} satisfies Preview;

it('closes the outline at the right edge, and no pile of clipped weights sets its height', () => {
  const outline = outlineOf({ min: 0, max: 4, counts: [900, 4, 1, 900] }, null);
  expect(outline.map((point) => point.x)).toEqual([0, 1, 2, 3, 4]);
  expect(outline.map((point) => point.before)).toEqual([1.05, 1, 0.5, 1.05, 1.05]);
});

it('stands beside stems at their height: a level gathers several bins', () => {
  // 4 bins a level, the highest level 400: a bin of 100 is as high as it.
  expect(outlineOf(bins, null, { bins: 4, most: 400 })[2]!.before).toBe(1);
});

it('marks only what lies beyond 6 σ', () => {
  const tight = { min: -10, max: 10, counts: [...Array(9).fill(0), 500, 500, ...Array(8).fill(0), 1] };
  const six = sixSigmaOf(tight)!;
  expect(six[1]).toBeLessThan(9);
  const far = outlineOf(tight, six).filter((point) => point.far > 0);
  expect(far.map((point) => point.x)).toEqual([9, 10]);
  expect(sixSigmaOf({ min: 0, max: 1, counts: [0, 0] })).toBeNull();
  expect(sixSigmaOf(bins)![0]).toBeLessThan(-8);
});

it('draws the limit on the side that clips only', () => {
  expect(clippingLimits(preview)).toEqual([1.5]);
  expect(clippingLimits({ ...preview, clipped: 0 })).toEqual([]);
  expect(clippedShare(preview)).toBe(0.1);
});

it('gives stems to small grids and ticks to every second level', () => {
  expect(gridOf(preview)).toBe(levels);
  expect(gridOf({ ...preview, levels: Array.from({ length: 255 }, (_, value) => ({ value, count: 1 })) })).toBeNull();
  expect(ticksOf({ min: -7.5, max: 7, counts: [] }, true)).toEqual([-6, -4, -2, 0, 2, 4, 6]);
});

it('joins bins where there are few weights, and loses none', () => {
  const few = { min: 0, max: 1, counts: Array.from({ length: 256 }, (_, at) => at % 2) };
  const joined = joinedBins(few);
  expect(joined.counts).toHaveLength(32);
  expect(joined.counts.reduce((sum, count) => sum + count, 0)).toBe(128);
  const many = { min: 0, max: 1, counts: Array(256).fill(100) };
  expect(joinedBins(many)).toBe(many);
});
