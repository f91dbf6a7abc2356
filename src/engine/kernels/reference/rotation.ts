// A seeded orthogonal matrix that mixes all channels: a randomised Hadamard matrix where the size has one, else a random one. float64.

/** v ← v·R for one row vector, in place. */
export interface Rotation {
  readonly size: number;
  readonly kind: 'hadamard' | 'random';
  apply(vector: Float64Array): void;
}

/** Prime p with p mod 4 = 3 gives a Hadamard matrix of p + 1, p mod 4 = 1 one of 2(p + 1) (Paley 1933). */
const largestPaley = 512;

/**
 * D·H/√d with random signs D. `keepsOnes`: followed by the reflection that brings (1, …, 1) back to itself, so that the mean
 * over channels stays what it was and a LayerNormalization commutes with the rotation.
 */
export function makeRotation(size: number, random: () => number, keepsOnes: boolean): Rotation {
  const core = coreOf(size);
  const signs = Float64Array.from({ length: size }, () => (random() < 0.5 ? -1 : 1));
  const mix = core
    ? (vector: Float64Array) => {
        for (let i = 0; i < size; i++) vector[i]! *= signs[i]!;
        hadamard(vector, core);
      }
    : multiplier(randomOrthogonal(size, random), size);
  const kind = core ? 'hadamard' : 'random';
  if (!keepsOnes) return { size, kind, apply: mix };
  // w = u·R₀ with u = 1/√d; the Householder reflection along w − u maps w to u.
  const mirror = new Float64Array(size).fill(1 / Math.sqrt(size));
  mix(mirror);
  for (let i = 0; i < size; i++) mirror[i]! -= 1 / Math.sqrt(size);
  const length = mirror.reduce((sum, value) => sum + value * value, 0);
  const apply = (vector: Float64Array) => {
    mix(vector);
    if (length < 1e-24) return;
    let along = 0;
    for (let i = 0; i < size; i++) along += vector[i]! * mirror[i]!;
    along *= 2 / length;
    for (let i = 0; i < size; i++) vector[i]! -= along * mirror[i]!;
  };
  return { size, kind, apply };
}

export const hasHadamard = (size: number): boolean => coreOf(size) !== null;

interface Core {
  readonly order: number;
  /** [order][order] of ±1. */
  readonly matrix: Int8Array;
}

/** The smallest known Hadamard matrix M with size = 2^k · M's order; null where there is none here. */
function coreOf(size: number): Core | null {
  let odd = size;
  while (odd % 2 === 0) odd /= 2;
  if (odd === 1) return { order: 1, matrix: Int8Array.of(1) };
  for (let order = odd * 4; order <= Math.min(size, largestPaley); order *= 2) {
    const matrix = paley(order);
    if (size % order === 0 && matrix) return { order, matrix };
  }
  return null;
}

/** (H_{2^k} ⊗ M)/√d applied to a row vector. */
function hadamard(vector: Float64Array, { order, matrix }: Core): void {
  const { length } = vector;
  for (let half = order; half < length; half *= 2) {
    for (let from = 0; from < length; from += 2 * half) {
      for (let i = from; i < from + half; i++) {
        const a = vector[i]!;
        const b = vector[i + half]!;
        vector[i] = a + b;
        vector[i + half] = a - b;
      }
    }
  }
  const scale = 1 / Math.sqrt(length);
  if (order === 1) {
    for (let i = 0; i < length; i++) vector[i]! *= scale;
    return;
  }
  const mixed = new Float64Array(order);
  for (let from = 0; from < length; from += order) {
    mixed.fill(0);
    for (let i = 0; i < order; i++) {
      const value = vector[from + i]!;
      const row = i * order;
      for (let j = 0; j < order; j++) mixed[j]! += value * matrix[row + j]!;
    }
    for (let j = 0; j < order; j++) vector[from + j] = mixed[j]! * scale;
  }
}

/** A Hadamard matrix of this order from quadratic residues, or null. */
function paley(order: number): Int8Array | null {
  const first = order - 1;
  if (first % 4 === 3 && isPrime(first)) {
    // H = I + S, S = [[0, 1], [−1, Q]] skew.
    const matrix = bordered(first, 1, -1);
    for (let i = 0; i < order; i++) matrix[i * order + i] = 1;
    return matrix;
  }
  const second = order / 2 - 1;
  if (second % 4 !== 1 || !isPrime(second)) return null;
  // Symmetric C = [[0, 1], [1, Q]]: 0 → [[1, −1], [−1, −1]], ±1 → ±[[1, 1], [1, −1]].
  const half = second + 1;
  const conference = bordered(second, 1, 1);
  const matrix = new Int8Array(order * order);
  for (let i = 0; i < half; i++) {
    for (let j = 0; j < half; j++) {
      const entry = conference[i * half + j]!;
      const block = entry === 0 ? [1, -1, -1, -1] : [entry, entry, entry, -entry];
      block.forEach((value, at) => {
        matrix[(2 * i + (at >> 1)) * order + 2 * j + (at & 1)] = value;
      });
    }
  }
  return matrix;
}

/** [[0, row …], [column …, χ(i − j)]] with the quadratic character χ mod p. */
function bordered(p: number, row: number, column: number): Int8Array {
  const order = p + 1;
  const residues = new Set(Array.from({ length: p - 1 }, (_, i) => ((i + 1) * (i + 1)) % p));
  const matrix = new Int8Array(order * order);
  for (let i = 0; i < p; i++) {
    matrix[i + 1] = row;
    matrix[(i + 1) * order] = column;
    for (let j = 0; j < p; j++) if (i !== j) matrix[(i + 1) * order + j + 1] = residues.has((i - j + p) % p) ? 1 : -1;
  }
  return matrix;
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let factor = 2; factor * factor <= value; factor++) if (value % factor === 0) return false;
  return true;
}

/** Rows of normal numbers, made orthonormal one after another, twice for the last digits. */
function randomOrthogonal(size: number, random: () => number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < matrix.length; i++)
    matrix[i] = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  for (let i = 0; i < size; i++) {
    const row = matrix.subarray(i * size, (i + 1) * size);
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        const other = matrix.subarray(k * size, (k + 1) * size);
        let along = 0;
        for (let j = 0; j < size; j++) along += row[j]! * other[j]!;
        for (let j = 0; j < size; j++) row[j]! -= along * other[j]!;
      }
    }
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let j = 0; j < size; j++) row[j]! /= length;
  }
  return matrix;
}

function multiplier(matrix: Float64Array, size: number): (vector: Float64Array) => void {
  const out = new Float64Array(size);
  return (vector) => {
    out.fill(0);
    for (let i = 0; i < size; i++) {
      const value = vector[i]!;
      for (let j = 0; j < size; j++) out[j]! += value * matrix[i * size + j]!;
    }
    vector.set(out);
  };
}
