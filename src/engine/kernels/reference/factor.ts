// Cholesky factorisation by tiles of 128 × 128 float64, row-major: H = L·Lᵀ. Plain reference: the SIMD kernels give the same bits without
// fused multiplication, and answers equal to 1e−12 with it.
export const tileSide = 128;
export const tileCount = tileSide * tileSide;

/** Lower triangle of a symmetric tile into its factor; above the diagonal zeros. Answers 0, or 1 + the first row that is not positive. */
export function factorTile(tile: Float64Array): number {
  for (let j = 0; j < tileSide; j++) {
    let pivot = tile[j * tileSide + j]!;
    for (let k = 0; k < j; k++) pivot -= tile[j * tileSide + k]! ** 2;
    if (!(pivot > 0 && pivot < Infinity)) return j + 1;
    const diagonal = Math.sqrt(pivot);
    tile[j * tileSide + j] = diagonal;
    const reciprocal = 1 / diagonal;
    for (let i = j + 1; i < tileSide; i++) {
      let sum = 0;
      for (let k = 0; k < j; k++) sum += tile[i * tileSide + k]! * tile[j * tileSide + k]!;
      tile[i * tileSide + j] = (tile[i * tileSide + j]! - sum) * reciprocal;
      tile[j * tileSide + i] = 0;
    }
  }
  return 0;
}

/** L⁻¹ of a lower triangular tile. */
export function invertTile(inverse: Float64Array, tile: Float64Array): void {
  inverse.fill(0);
  for (let i = 0; i < tileSide; i++) {
    const own = inverse.subarray(i * tileSide, (i + 1) * tileSide);
    for (let k = 0; k < i; k++) {
      const factor = tile[i * tileSide + k]!;
      for (let j = 0; j <= k; j++) own[j]! -= factor * inverse[k * tileSide + j]!;
    }
    const reciprocal = 1 / tile[i * tileSide + i]!;
    for (let j = 0; j < i; j++) own[j]! *= reciprocal;
    own[i] = reciprocal;
  }
}

/** C −= A·Bᵀ */
export function subtractProduct(c: Float64Array, a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < tileSide; i++) {
    for (let j = 0; j < tileSide; j++) c[i * tileSide + j]! -= dot(a, i, b, j);
  }
}

/** A ← A·Bᵀ */
export function multiplyBy(a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < tileSide; i++) {
    const row = Float64Array.from({ length: tileSide }, (_, j) => dot(a, i, b, j));
    a.set(row, i * tileSide);
  }
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number): number {
  let sum = 0;
  for (let k = 0; k < tileSide; k++) sum += a[i * tileSide + k]! * b[j * tileSide + k]!;
  return sum;
}

/**
 * Columns of a tile divided by the diagonal they have in the factor, as float32 in the first half of the tile: H = U·D·Uᵀ with ones on U's
 * diagonal. Where `panels`, columns lie in panels of eight, row after row; else row-major with zeros from the diagonal on.
 */
export function unitTile(tile: Float64Array, diagonal: Float64Array, panels: boolean): void {
  const out = new Float32Array(tile.buffer, tile.byteOffset, tileCount);
  const values = tile.slice();
  for (let i = 0; i < tileSide; i++) {
    for (let j = 0; j < tileSide; j++) {
      const value = values[i * tileSide + j]! / diagonal[j]!;
      if (panels) out[(j >> 3) * tileSide * 8 + i * 8 + (j & 7)] = value;
      else out[i * tileSide + j] = j < i ? value : 0;
    }
  }
}
