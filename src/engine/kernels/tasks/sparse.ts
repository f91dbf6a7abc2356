// Pruning of whole channels, piece by piece: by the size of weights and inputs, or with feedback through the factor of a layer's Hessian.
import type { Bench, Weights } from '../bench';
import type { Factor } from '../factor';
import { linesApart } from '../feedback-bytes';
import { GroupPlan, type GroupShape } from '../group-plan';
import type { Address } from '../kernel-set';
import { tileSide } from '../reference/factor';
import { dropLowest, keepWithin, prunePlaces } from '../reference/sparse';
import { tileAt } from './factor';
import { loadLines } from './groups';
import type { Starter } from './task';

/** A share of the weights becomes zero, or some of each `of` neighbours along a channel stay. */
export type Drop = { readonly share: number } | { readonly keep: number; readonly of: number };

export interface SparseAsk {
  readonly weights: Weights;
  readonly shape: GroupShape;
  readonly drop: Drop;
  /** Of each column: what a weight's magnitude is multiplied by. Null where a factor says what a weight is worth. */
  readonly norms: Float32Array | null;
  readonly factor: Factor | null;
}

export interface SparsePiece {
  /** [lines][columns] */
  readonly values: Float32Array<ArrayBuffer>;
  readonly signal: number;
  /** Σ(w − ŵ)² */
  readonly noise: number;
  /** tr(ΔW·H·ΔWᵀ) with a factor, else 0. */
  readonly outputNoise: number;
  /** False where a weight is NaN or infinite. */
  readonly finite: boolean;
}

export const sparse: Starter<SparseAsk, SparsePiece, null> = (bench, { weights, shape, drop, norms, factor }) => {
  const plan = new GroupPlan(shape);
  const start = bench.mark();
  return {
    piece(index) {
      bench.release(start);
      const piece = plan.piece(index);
      const { lines } = piece;
      const { columns } = shape;
      const floats = loadLines(bench, weights, plan, piece);
      const original = bench.floats(floats, lines * columns);
      const values = Float32Array.from(original);
      let outputNoise = 0;
      if (factor) outputNoise = pruneWithFeedback(bench, floats, values, lines, columns, drop, factor);
      else for (let n = 0; n < lines; n++) pruneLine(values.subarray(n * columns, (n + 1) * columns), norms, drop);
      let [signal, noise] = [0, 0];
      for (let i = 0; i < values.length; i++) {
        signal += original[i]! ** 2;
        noise += (original[i]! - values[i]!) ** 2;
      }
      return { values, signal, noise, outputNoise, finite: Number.isFinite(signal) };
    },
    end: () => null,
  };
};

/** How many of `count` weights become zero. */
const dropped = (share: number, count: number): number => Math.round(share * count);

function pruneLine(line: Float32Array, norms: Float32Array | null, drop: Drop): void {
  const scores = line.map((w, k) => Math.abs(w) * (norms ? norms[k]! : 1));
  const stays = new Uint8Array(line.length);
  if ('share' in drop) dropLowest(stays, scores, dropped(drop.share, line.length));
  else keepWithin(stays, scores, drop.keep, drop.of);
  for (let k = 0; k < line.length; k++) if (stays[k] === 0) line[k] = 0;
}

/**
 * Each tile of 128 columns after those behind it were fed back. A share is chosen among all weights of a block of columns and of the piece's
 * lines together. Memory lies as in feedback.ts.
 */
function pruneWithFeedback(
  bench: Bench,
  floats: Address,
  values: Float32Array,
  lines: number,
  columns: number,
  drop: Drop,
  factor: Factor,
): number {
  const { buffer } = bench.memory;
  const places = factor.side * tileSide;
  const full = Math.ceil(lines / 4) * 4;
  const stride = places + linesApart;
  const original = bench.take(full * stride * 4);
  const lost = bench.take(full * places * 4);
  const current = bench.take(full * tileSide * 4);
  bench.floats(original + lines * stride * 4, (full - lines) * stride).fill(0);
  bench.fast.gatherPlaces(original, floats, factor.columnOf, lines, columns, stride, places);
  const columnOf = new Int32Array(buffer, factor.columnOf, places);
  const loudness = bench.floats(factor.loudness, columns);
  const cost = new Float64Array(buffer, factor.weights, places);
  const worth = cost.map((d, p) => (columnOf[p]! >= 0 && loudness[columnOf[p]!]! > 0 ? d : 0));
  const lostOf = new Float32Array(tileSide);
  const block = 'share' in drop ? blockOf(columns) : tileSide;
  const at = (from: Address, n: number, width: number): Float32Array => bench.floats(from + n * width * 4, tileSide);

  let total = 0;
  for (let tile = factor.side - 1; tile >= 0; tile--) {
    const first = tile * tileSide;
    for (let n = 0; n < full; n++) at(current, n, tileSide).set(at(original + first * 4, n, stride));
    for (let later = factor.side - 1; later > tile; later--)
      bench.fast.feedBack(current, lost + later * full * tileSide * 4, tileAt(factor.tiles, later, tile), full);
    const real = columnOf.subarray(first, first + tileSide).filter((column) => column >= 0).length;
    const part = { cost: cost.subarray(first, first + tileSide), worth: worth.subarray(first, first + tileSide) };
    const out = bench.floats(lost + tile * full * tileSide * 4, full * tileSide).fill(0);
    const unit = tileAt(factor.tiles, tile, tile);
    for (let to = tileSide; to > 0; to -= block) {
      const span = { ...part, from: to - block, to };
      const stays = 'share' in drop ? chooseShare(bench, current, lines, real, span, drop.share) : drop;
      for (let n = 0; n < lines; n++) {
        const line = at(current, n, tileSide);
        const own = stays instanceof Uint8Array ? stays.subarray(n * tileSide, (n + 1) * tileSide) : stays;
        const feedBack = (p: number, lost: number) =>
          bench.fast.feedBackPlace(current + n * tileSide * 4, unit + p * tileSide * 4, p, lost);
        total += prunePlaces(own, lostOf, line, at(original + first * 4, n, stride), feedBack, span);
        for (let p = span.from; p < to; p++) out[(n >> 2) * 4 * tileSide + p * 4 + (n & 3)] = lostOf[p]!;
        for (let p = span.from; p < Math.min(to, real); p++) values[n * columns + columnOf[first + p]!] = line[p]!;
      }
    }
  }
  return total;
}

/**
 * Weights of a channel whose fate is decided together, before what they lose is fed back. The paper has 128, of thousands; where a channel has
 * few, a sixteenth of them and no fewer than 16 lose less (measured: 10 to 25 % of the error up to 512, perplexity 27.3 → 24.2 at 64).
 */
function blockOf(columns: number): number {
  let block = 16;
  while (block < tileSide && block * 16 < columns) block *= 2;
  return block;
}

/** A byte for each place of the tile, line after line, of which those from `from` to `to` count; padding is behind the `real` places. */
function chooseShare(
  bench: Bench,
  current: Address,
  lines: number,
  real: number,
  { worth, from, to }: { worth: Float64Array; from: number; to: number },
  share: number,
): Uint8Array {
  const width = Math.max(0, Math.min(to, real) - from);
  const scores = new Float32Array(lines * width);
  for (let n = 0; n < lines; n++) {
    const line = bench.floats(current + n * tileSide * 4, tileSide);
    for (let p = 0; p < width; p++) scores[n * width + p] = line[from + p]! ** 2 * worth[from + p]!;
  }
  const stays = new Uint8Array(scores.length);
  dropLowest(stays, scores, dropped(share, scores.length));
  const out = new Uint8Array(lines * tileSide);
  for (let n = 0; n < lines; n++) out.set(stays.subarray(n * width, (n + 1) * width), n * tileSide + from);
  return out;
}
