// Charts: heights, ticks, outliers and tile names, as numbers.
import { describe, expect, it } from 'vitest';
import { roundTicks } from '../../../src/renderer/charts/axes';
import { loudSentence } from '../../../src/renderer/charts/channel-ranges';
import { binsOf, countTicks, heightOf, sigmaTicks } from '../../../src/renderer/charts/histogram-scale';
import { drawnTiles, leastShare } from '../../../src/renderer/charts/tiles';
import { fitName } from '../../../src/renderer/fit-name';

describe('histogram', () => {
  it('shows a single weight on a log scale, and nothing where there is none', () => {
    expect(heightOf(1, 'log')).toBeGreaterThan(0);
    expect(heightOf(0, 'log')).toBe(0);
    expect(heightOf(10_000, 'log') / heightOf(1, 'log')).toBeCloseTo(17, 5);
  });
  it('names powers of ten, or a few round counts', () => {
    expect(countTicks(31_000, 'log')).toEqual([1, 10, 100, 1000, 10_000]);
    expect(countTicks(380, 'sqrt')).toEqual([100, 200, 300]);
  });
  it('marks bins whose centre lies beyond 6 σ', () => {
    const bins = binsOf({ min: -8, max: 8, counts: Array(16).fill(1) }, 0, 1);
    expect(bins.filter((bin) => bin.outlier).map((bin) => bin.from)).toEqual([-8, -7, 6, 7]);
  });
  it('puts σ where it is, also with a mean', () => {
    const ticks = sigmaTicks({ min: -1, max: 3, counts: Array(256).fill(1) }, 1, 1);
    expect(ticks.map(({ sigmas }) => sigmas)).toEqual([-2, -1, 0, 1, 2]);
    expect(ticks.map(({ bin }) => bin)).toEqual([0, 64, 128, 192, 256]);
  });
  it('has no ticks for weights that are all alike', () => {
    expect(sigmaTicks({ min: 2, max: 2, counts: [9] }, 2, 0)).toEqual([]);
  });
});

describe('treemap', () => {
  const tile = (name: string, bytes: number) => ({ name, bytes, fill: '', ink: '', lines: [] });
  it('draws small tiles at the least share and says so', () => {
    const [large, small] = drawnTiles([tile('a', 1e6), tile('b', 1)]);
    expect(large?.enlarged).toBe(false);
    expect(small).toMatchObject({ enlarged: true, size: 1_000_001 * leastShare });
  });
  it('shortens names from the left, at a part where it can', () => {
    expect(fitName('layer3.0.conv1', 200)).toBe('layer3.0.conv1');
    expect(fitName('layer3.0.conv1', 75)).toBe('…0.conv1');
    expect(fitName('layer3.0.conv1', 50)).toBe('…conv1');
    expect(fitName('layer3.0.downsample', 40)).toBeNull();
    expect(fitName('conv1', 10)).toBeNull();
  });
});

describe('channels', () => {
  it('names the loud ones, unless most are', () => {
    const channels = (loud: number) => ({
      axis: 0,
      count: 16,
      min: Array(16).fill(-0.1),
      max: Array.from({ length: 16 }, (_, at) => (at < loud ? 1 : 0.1)),
    });
    expect(loudSentence(channels(2))).toBe('2 of 16 set the scale for the rest');
    expect(loudSentence(channels(9))).toBeNull();
  });
});

it('makes round ticks', () => {
  expect(roundTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(roundTicks(91.4, 95.3, 4)).toEqual([92, 93, 94, 95]);
});
