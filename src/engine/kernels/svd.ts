// Singular values in float64: all of them by one-sided Jacobi rotations, or the largest by iterating a subspace.

/** A ≈ U·diag(σ)·Vᵀ, σ falling. */
export interface Decomposition {
  readonly rank: number;
  /** [rows][rank] */
  readonly u: Float64Array;
  readonly sigma: Float64Array;
  /** [columns][rank] */
  readonly v: Float64Array;
}

export interface TruncatedOptions {
  readonly random: () => number;
  /** Right singular vectors to start from, [columns][any]: the result is never worse than the best with these. */
  readonly start?: { readonly rank: number; readonly v: Float64Array };
  /** How often the subspace is multiplied by AᵀA. */
  readonly iterations?: number;
}

/** Directions beyond the wanted ones that an iteration carries along: they take up what would spoil the last of the wanted. */
const oversampling = 8;
const usualIterations = 4;
/** Up to this many rows or columns all singular values are computed. */
const largestExact = 160;
const mostSweeps = 30;

/** The `rank` largest; exact in matrices whose smaller side is short, or where nearly all are wanted. */
export function truncatedSvd(
  matrix: Float64Array,
  rows: number,
  columns: number,
  rank: number,
  options: TruncatedOptions,
): Decomposition {
  const least = Math.min(rows, columns);
  if (least <= largestExact || rank + oversampling > least / 2)
    return firstOf(fullSvd(matrix, rows, columns), rows, columns, rank);
  const { random, start, iterations = usualIterations } = options;
  const width = rank + oversampling;
  // Row i of `basis` is one direction.
  const basis = Float64Array.from({ length: width * columns }, () => gaussian(random));
  if (start) {
    for (let i = 0; i < Math.min(start.rank, width); i++)
      for (let c = 0; c < columns; c++) basis[i * columns + c] = start.v[c * start.rank + i]!;
  }
  orthonormalise(basis, width, columns);
  let images = timesTransposed(basis, width, matrix, rows, columns);
  for (let i = 0; i < iterations; i++) {
    orthonormalise(images, width, rows);
    const back = times(images, width, matrix, rows, columns);
    orthonormalise(back, width, columns);
    basis.set(back);
    images = timesTransposed(basis, width, matrix, rows, columns);
  }
  // A·Bᵀ = U·S·Wᵀ over the subspace: A's best approximation inside it is U·S·(Bᵀ·W)ᵀ.
  const inner = fullSvd(images, width, rows);
  const v = new Float64Array(columns * width);
  for (let i = 0; i < width; i++) {
    for (let c = 0; c < columns; c++) {
      const value = basis[i * columns + c]!;
      for (let k = 0; k < width; k++) v[c * width + k]! += value * inner.u[i * width + k]!;
    }
  }
  return firstOf({ rank: width, u: inner.v, sigma: inner.sigma, v }, rows, columns, rank);
}

/** All of them: min(rows, columns). Hestenes' rotations make the rows of the shorter side orthogonal, to 1e−15 of their lengths. */
export function fullSvd(matrix: Float64Array, rows: number, columns: number): Decomposition {
  if (rows > columns) {
    const { u, v, ...rest } = fullSvd(transposed(matrix, rows, columns), columns, rows);
    return { ...rest, u: v, v: u };
  }
  const work = matrix.slice();
  // Row i of `turned` says of which rows of A row i of `work` is made: work = turned · A.
  const turned = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) turned[i * rows + i] = 1;
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let moved = false;
    for (let p = 0; p < rows - 1; p++)
      for (let q = p + 1; q < rows; q++) if (orthogonalise(work, columns, turned, rows, p, q)) moved = true;
    if (!moved) break;
  }
  const lengths = Float64Array.from({ length: rows }, (_, i) => lengthOf(work, i, columns));
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const u = new Float64Array(rows * rows);
  const v = new Float64Array(columns * rows);
  for (const [k, i] of order.entries()) {
    for (let r = 0; r < rows; r++) u[r * rows + k] = turned[i * rows + r]!;
    const length = lengths[i]!;
    if (length > 0) for (let c = 0; c < columns; c++) v[c * rows + k] = work[i * columns + c]! / length;
  }
  return { rank: rows, u, sigma: Float64Array.from(order, (i) => lengths[i]!), v };
}

/** Turns rows p and q until they are orthogonal; answers whether they were not. */
function orthogonalise(
  work: Float64Array,
  columns: number,
  turned: Float64Array,
  rows: number,
  p: number,
  q: number,
): boolean {
  let alpha = 0;
  let beta = 0;
  let gamma = 0;
  for (let a = p * columns, b = q * columns, end = a + columns; a < end; a++, b++) {
    const x = work[a]!;
    const y = work[b]!;
    alpha += x * x;
    beta += y * y;
    gamma += x * y;
  }
  if (Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta) || gamma === 0) return false;
  const zeta = (beta - alpha) / (2 * gamma);
  const tangent = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  turn(work, p * columns, q * columns, columns, cosine, cosine * tangent);
  turn(turned, p * rows, q * rows, rows, cosine, cosine * tangent);
  return true;
}

function turn(values: Float64Array, a: number, b: number, length: number, cosine: number, sine: number): void {
  for (let i = 0; i < length; i++) {
    const x = values[a + i]!;
    const y = values[b + i]!;
    values[a + i] = cosine * x - sine * y;
    values[b + i] = sine * x + cosine * y;
  }
}

/** Gram and Schmidt over the rows, twice, which is as good as it gets; rows that vanish become zero. */
function orthonormalise(basis: Float64Array, count: number, length: number): void {
  for (let i = 0; i < count; i++) {
    const own = basis.subarray(i * length, (i + 1) * length);
    const before = lengthOf(basis, i, length);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        let along = 0;
        for (let c = 0, at = j * length; c < length; c++, at++) along += own[c]! * basis[at]!;
        for (let c = 0, at = j * length; c < length; c++, at++) own[c]! -= along * basis[at]!;
      }
    }
    const left = lengthOf(basis, i, length);
    const scale = left > 1e-14 * before ? 1 / left : 0;
    for (let c = 0; c < length; c++) own[c]! *= scale;
  }
}

function lengthOf(values: Float64Array, row: number, length: number): number {
  let sum = 0;
  for (let at = row * length, end = at + length; at < end; at++) sum += values[at]! ** 2;
  return Math.sqrt(sum);
}

/** [count][columns] · Aᵀ → [count][rows] */
function timesTransposed(
  left: Float64Array,
  count: number,
  matrix: Float64Array,
  rows: number,
  columns: number,
): Float64Array {
  const out = new Float64Array(count * rows);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let a = i * columns, b = r * columns, end = a + columns; a < end; a++, b++) sum += left[a]! * matrix[b]!;
      out[i * rows + r] = sum;
    }
  }
  return out;
}

/** [count][rows] · A → [count][columns] */
function times(left: Float64Array, count: number, matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(count * columns);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < count; i++) {
      const factor = left[i * rows + r]!;
      for (let a = i * columns, b = r * columns, end = a + columns; a < end; a++, b++) out[a]! += factor * matrix[b]!;
    }
  }
  return out;
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c]!;
  return out;
}

function firstOf({ rank: all, u, sigma, v }: Decomposition, rows: number, columns: number, wanted: number) {
  const rank = Math.min(all, wanted);
  const first = (values: Float64Array, count: number): Float64Array =>
    Float64Array.from({ length: count * rank }, (_, at) => values[Math.floor(at / rank) * all + (at % rank)]!);
  return { rank, u: first(u, rows), sigma: sigma.slice(0, rank), v: first(v, columns) };
}

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
