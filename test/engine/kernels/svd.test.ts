// Singular value decompositions against what defines them, and the iterated ones against the exact.
import { expect, test } from 'vitest';
import { fullSvd, truncatedSvd } from '../../../src/engine/kernels/svd';
import { mulberry32 } from '../../../src/engine/measure/quality';

function randomMatrix(rows: number, columns: number, seed: number, decay = 1): Float64Array {
  const random = mulberry32(seed);
  return Float64Array.from({ length: rows * columns }, (_, i) => (random() - 0.5) * decay ** (i % columns));
}

/** ‖A − U·Σ·Vᵀ‖² */
function restOf(a: Float64Array, rows: number, columns: number, { rank, u, sigma, v }: ReturnType<typeof fullSvd>) {
  let rest = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let value = a[r * columns + c]!;
      for (let k = 0; k < rank; k++) value -= u[r * rank + k]! * sigma[k]! * v[c * rank + k]!;
      rest += value * value;
    }
  }
  return rest;
}

const sumOfSquares = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);

test.each([
  [5, 5],
  [20, 33],
  [33, 20],
  [1, 7],
])('%i × %i: back together, orthogonal, falling', (rows, columns) => {
  const a = randomMatrix(rows, columns, rows);
  const found = fullSvd(a, rows, columns);
  expect(found.rank).toBe(Math.min(rows, columns));
  expect(restOf(a, rows, columns, found)).toBeLessThan(1e-24 * sumOfSquares(a));
  expect([...found.sigma]).toEqual([...found.sigma].sort((x, y) => y - x));
  for (const [values, count] of [
    [found.u, rows],
    [found.v, columns],
  ] as const) {
    for (let i = 0; i < found.rank; i++) {
      for (let j = 0; j <= i; j++) {
        let dot = 0;
        for (let r = 0; r < count; r++) dot += values[r * found.rank + i]! * values[r * found.rank + j]!;
        expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-12);
      }
    }
  }
});

test('a truncation leaves the squares of what it cuts off', () => {
  const a = randomMatrix(40, 30, 2);
  const all = fullSvd(a, 40, 30);
  for (const rank of [1, 8, 30]) {
    const cut = truncatedSvd(a, 40, 30, rank, { random: mulberry32(1) });
    expect(restOf(a, 40, 30, cut)).toBeCloseTo(sumOfSquares(all.sigma.slice(rank)), 12);
  }
});

test('matrices without rank: zeros, and fewer directions than asked', () => {
  expect([...fullSvd(new Float64Array(12), 3, 4).sigma]).toEqual([0, 0, 0]);
  const a = Float64Array.from({ length: 400 * 200 }, (_, i) => Math.sin(Math.floor(i / 200)) * Math.cos(i % 200));
  const found = truncatedSvd(a, 400, 200, 4, { random: mulberry32(1) });
  expect(found.sigma[1]! / found.sigma[0]!).toBeLessThan(1e-12);
  expect(restOf(a, 400, 200, found)).toBeLessThan(1e-20 * sumOfSquares(a));
});

test('large matrices: as good as exact where singular values fall, and never worse than the subspace it starts from', () => {
  const [rows, columns, rank] = [220, 180, 6];
  const falling = randomMatrix(rows, columns, 5, 0.97);
  const exact = sumOfSquares(fullSvd(falling, rows, columns).sigma.slice(rank));
  const found = truncatedSvd(falling, rows, columns, rank, { random: mulberry32(1) });
  expect(restOf(falling, rows, columns, found)).toBeLessThan(1.001 * exact);
  expect(found).toEqual(truncatedSvd(falling, rows, columns, rank, { random: mulberry32(1) }));

  const flat = randomMatrix(rows, columns, 6);
  const once = truncatedSvd(flat, rows, columns, rank, { random: mulberry32(1), iterations: 1 });
  const again = truncatedSvd(flat, rows, columns, rank, { random: mulberry32(9), iterations: 1, start: once });
  expect(restOf(flat, rows, columns, again)).toBeLessThanOrEqual(restOf(flat, rows, columns, once));
});
