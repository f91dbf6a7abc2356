// Rotations: orthogonal, seeded, mean-keeping where asked; and what they win at few bits on a layer with loud channels.
import { describe, expect, it } from 'vitest';
import { groupRange, groupScale, roundHalfUp } from '../../../src/engine/kernels/reference/quantize';
import { makeRotation } from '../../../src/engine/kernels/reference/rotation';
import { draws, hessianOf, makeLayer, quadratic } from './layer';

const unit = (size: number, i: number): Float64Array =>
  Float64Array.from({ length: size }, (_, k) => (k === i ? 1 : 0));

describe('a rotation', () => {
  // 1·2^k, Paley I of 11, 19 and 59, Paley II of 13 and 17, and sizes that have no Hadamard matrix.
  it.each([
    [64, 'hadamard'],
    [48, 'hadamard'],
    [40, 'hadamard'],
    [60, 'hadamard'],
    [56, 'hadamard'],
    [72, 'hadamard'],
    [30, 'random'],
    [7, 'random'],
  ] as const)('of %i is %s, orthogonal, and keeps the ones where asked', (size, kind) => {
    for (const keepsOnes of [false, true]) {
      const rotation = makeRotation(size, draws(5).uniform, keepsOnes);
      expect(rotation.kind).toBe(kind);
      const rows = Array.from({ length: size }, (_, i) => unit(size, i));
      for (const row of rows) rotation.apply(row);
      for (const [i, a] of rows.entries())
        for (const [j, b] of rows.entries())
          expect(Math.abs(a.reduce((sum, value, k) => sum + value * b[k]!, 0) - (i === j ? 1 : 0))).toBeLessThan(1e-12);
      const ones = new Float64Array(size).fill(1);
      rotation.apply(ones);
      const moved = Math.max(...ones.map((value) => Math.abs(value - 1)));
      if (keepsOnes) expect(moved).toBeLessThan(1e-12);
      else expect(moved).toBeGreaterThan(0.1);
      // Flat: no entry carries much of a channel.
      if (kind === 'hadamard' && !keepsOnes)
        for (const row of rows) for (const value of row) expect(Math.abs(value)).toBeCloseTo(size ** -0.5, 12);
    }
  });

  it('is the same for the same seed, another for another', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => {
      const row = unit(64, 3);
      makeRotation(64, draws(seed).uniform, true).apply(row);
      return row;
    });
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  it('loses at most 0.9 of nearest at few bits, in groups and per channel (algorithms.md §4.2)', () => {
    for (const seed of [0, 1]) {
      const layer = makeLayer(seed);
      const { rows, columns, weights } = layer;
      const hessian = hessianOf(layer, layer.heldOut);
      const rotation = makeRotation(columns, draws(seed + 100).uniform, false);
      const turned = turn(weights, rows, columns, rotation.apply);
      const basis = turn(
        Float32Array.from({ length: columns ** 2 }, (_, i) => (i % (columns + 1) === 0 ? 1 : 0)),
        columns,
        columns,
        rotation.apply,
      );
      for (const [bits, group] of [
        [4, columns],
        [4, 64],
        [3, 64],
      ] as const) {
        const nearest = rounded(weights, bits, group).map((w, i) => w - weights[i]!);
        // Ŵ = Q(W·R)·Rᵀ: the error goes back to the basis of the inputs.
        const error = rounded(turned, bits, group).map((w, i) => w - turned[i]!);
        const back = error.map((_, at) => {
          const [n, i] = [Math.floor(at / columns), at % columns];
          let sum = 0;
          for (let k = 0; k < columns; k++) sum += basis[i * columns + k]! * error[n * columns + k]!;
          return sum;
        });
        expect(quadratic(back, hessian) / quadratic(nearest, hessian)).toBeLessThanOrEqual(0.9);
      }
    }
  });
});

function turn(
  weights: Float32Array,
  rows: number,
  columns: number,
  apply: (vector: Float64Array) => void,
): Float64Array {
  const out = Float64Array.from(weights);
  for (let n = 0; n < rows; n++) apply(out.subarray(n * columns, (n + 1) * columns));
  return out;
}

function rounded(weights: ArrayLike<number>, bits: number, group: number): Float64Array {
  const out = Float64Array.from(weights);
  for (let at = 0; at < out.length; at += group) {
    const part = Float32Array.from(out.subarray(at, at + group));
    const { low, high } = groupRange(part);
    const { scale, zero } = groupScale(low, high, { bits: bits as 4, rule: 'asymmetric' });
    for (let i = 0; i < part.length; i++) {
      const code = Math.max(0, Math.min(2 ** bits - 1, roundHalfUp(part[i]! / scale + zero)));
      out[at + i] = (code - zero) * scale;
    }
  }
  return out;
}
