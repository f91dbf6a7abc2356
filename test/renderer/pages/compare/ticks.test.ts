// The scatter's axes: round costs, room for whiskers, a collapsed run at the edge.
import { describe, expect, it } from 'vitest';
import { along, costAxis, qualityAxis } from '../../../../src/renderer/pages/compare/ticks';

const whisker = (id: string, value: number) => ({ id, value, low: value - 0.002, high: value + 0.002 });

describe('the axis of cost', () => {
  it('is logarithmic from a factor of 4 on, with ticks at 1, 2 and 5', () => {
    const axis = costAxis([150e3, 1.6e6]);
    expect(axis.scale).toBe('log');
    expect(axis.ticks).toEqual([200e3, 500e3, 1e6, 2e6]);
    expect(costAxis([1e6, 3e6]).scale).toBe('linear');
  });
  it('has room for a single value', () => {
    const { domain } = costAxis([5]);
    expect(domain[0]).toBeLessThan(5);
    expect(domain[1]).toBeGreaterThan(5);
  });
});

describe('the axis of quality', () => {
  it('has room for every whisker', () => {
    const { domain, out } = qualityAxis([whisker('a', 0.94), whisker('b', 0.95)], true);
    expect(domain[0]).toBeLessThan(0.938);
    expect(domain[1]).toBeGreaterThan(0.952);
    expect(out).toEqual([]);
  });
  it('leaves a collapsed run to the edge, at either end', () => {
    const points = [whisker('a', 0.94), whisker('b', 0.95), whisker('c', 0.945), whisker('lost', 0.1)];
    expect(qualityAxis(points, true)).toMatchObject({ out: ['lost'] });
    expect(qualityAxis(points, true).domain[0]).toBeGreaterThan(0.9);
    const perplexities = [whisker('a', 5), whisker('b', 5.1), whisker('c', 5.2), whisker('lost', 900)];
    expect(qualityAxis(perplexities, false).out).toEqual(['lost']);
  });
  it('lets a slope down to a weak run be seen', () => {
    expect(
      qualityAxis(
        [0.99, 0.985, 0.98, 0.97, 0.95].map((value, at) => whisker(`${at}`, value)),
        true,
      ).out,
    ).toEqual([]);
  });
});

it('places values along either scale', () => {
  expect(along(10, [1, 100], 'log', 200)).toBeCloseTo(100);
  expect(along(25, [0, 100], 'linear', 200)).toBe(50);
});
