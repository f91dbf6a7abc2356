// Dials: places and values belong together; arrows move by ticks and stay inside.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clampToStep,
  positionOf,
  roundValues,
  type Scale,
  ticksOf,
  typedValue,
  valueAt,
} from '../../../src/renderer/parts/dial-scale';

const groups: Scale = {
  kind: 'stops',
  stops: [16, 32, 64, 128, 256, 0].map((value) => ({ value, label: String(value) })),
};
const sparsity: Scale = { kind: 'range', min: 0, max: 1, step: 0.05, stops: [] };
const rate: Scale = { kind: 'range', min: 1e-5, max: 1, step: 1e-5, logarithmic: true, stops: [] };

describe('stops', () => {
  it('stand at equal distances, whatever their values', () => {
    expect([16, 32, 64, 128, 256, 0].map((value) => positionOf(groups, value))).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });
  it('are walked one by one', () => {
    expect(clampToStep(groups, 32, 1)).toBe(64);
    expect(clampToStep(groups, 16, -1)).toBe(16);
    expect(clampToStep(groups, 32, 10)).toBe(0);
  });
});

describe('ranges', () => {
  it('give back the value of their place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), (tick) => {
        const value = Number((tick * 0.05).toFixed(2));
        expect(valueAt(sparsity, positionOf(sparsity, value))).toBe(value);
      }),
    );
  });
  it('print no binary dust', () => expect(clampToStep(sparsity, 0.1, 4)).toBe(0.3));
  it('stay inside', () => {
    expect(clampToStep(sparsity, 0.95, 10)).toBe(1);
    expect(clampToStep(sparsity, 7)).toBe(1);
  });
  it('move on a logarithmic dial, however small the value', () => {
    expect(clampToStep(rate, 1e-5, 1)).toBeGreaterThan(1e-5);
    expect(clampToStep(rate, 1, -1)).toBeLessThan(1);
  });
});

describe('round values', () => {
  const rates: Scale = { kind: 'rounds', values: roundValues(1e-7, 1, false), integer: false, stops: [] };
  const batches: Scale = { kind: 'rounds', values: roundValues(1, 4096, true), integer: true, stops: [] };

  it('are ten to a decade, or doublings of whole numbers', () => {
    expect(roundValues(1e-2, 1, false)).toEqual([
      0.01, 0.012, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6,
      0.8, 1,
    ]);
    expect(roundValues(1, 16, true)).toEqual([1, 2, 4, 8, 16]);
    expect(roundValues(3, 100, true)).toEqual([3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100]);
  });

  it('are walked one by one, by ten over a decade, and stay inside', () => {
    expect(clampToStep(rates, 3e-4, 1)).toBe(4e-4);
    expect(clampToStep(rates, 3e-4, 10)).toBe(3e-3);
    expect(clampToStep(rates, 1, 10)).toBe(1);
    expect(clampToStep(batches, 24, -1)).toBe(16);
    expect(valueAt(batches, 0.5)).toBe(64);
  });

  it('give back the value of their place', () => {
    for (const scale of [rates, batches])
      for (const value of scale.kind === 'rounds' ? scale.values : [])
        expect(valueAt(scale, positionOf(scale, value))).toBe(value);
  });

  it('leave what is typed as it is, inside the ends', () => {
    expect(typedValue(rates, '7e-4')).toBe(7e-4);
    expect(typedValue(batches, '24')).toBe(24);
    expect(typedValue(batches, '9000')).toBe(4096);
    expect(typedValue(rates, 'e')).toBeNull();
  });

  it('are engraved where they stand', () => {
    expect(ticksOf(batches)).toHaveLength(13);
    expect(ticksOf(batches)[1]).toBeCloseTo(1 / 12, 9);
  });
});
