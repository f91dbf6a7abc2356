// Dials: places and values belong together; arrows move by ticks and stay inside.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clampToStep, positionOf, type Scale, valueAt } from '../../../src/renderer/parts/dial-scale';

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
