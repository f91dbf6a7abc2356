// Rounding the lines of a piece with feedback through the factor of the layer's Hessian.
import type { Bench } from '../bench';
import type { Factor } from '../factor';
import { linesApart } from '../feedback-bytes';
import type { Address } from '../kernel-set';
import { tileSide } from '../reference/factor';
import { tileAt } from './factor';

export interface Nearest {
  readonly floats: Address;
  readonly codes: Address;
  readonly scales: Address;
  readonly zeros: Address;
  readonly lines: number;
  readonly line: number;
  readonly group: number;
  readonly padded: number;
}

/**
 * Codes in place of the nearest ones, on the same grid. A line with a weight that is not finite keeps its nearest codes. Answers
 * tr(ΔW·H·ΔWᵀ) of the lines.
 */
export function roundWithFeedback(bench: Bench, nearest: Nearest, factor: Factor, bits: number): number {
  const { floats, codes, lines, line, group, padded } = nearest;
  const groups = Math.ceil(line / group);
  const codeStride = padded > 0 ? groups * padded : line;
  const places = factor.side * tileSide;
  const full = Math.ceil(lines / 4) * 4;
  const stride = places + linesApart;
  const original = bench.take(full * stride * 4);
  const lost = bench.take(full * places * 4);
  const current = bench.take(full * tileSide * 4);
  const grid = gridOf(bench, nearest, groups);
  const { groupOf, codeOf } = placesOf(bench, factor, places, nearest, groups);
  bench.floats(original + lines * stride * 4, (full - lines) * stride).fill(0);
  bench.fast.gatherPlaces(original, floats, factor.columnOf, lines, line, stride, places);
  const kept = withoutOdd(bench, nearest, codeStride, (n) => bench.floats(original + n * stride * 4, places).fill(0));

  let total = 0;
  for (let tile = factor.side - 1; tile >= 0; tile--) {
    const first = tile * tileSide;
    for (let n = 0; n < full; n++) {
      bench
        .floats(current + n * tileSide * 4, tileSide)
        .set(bench.floats(original + (n * stride + first) * 4, tileSide));
    }
    for (let later = factor.side - 1; later > tile; later--) {
      const unit = tileAt(factor.tiles, later, tile);
      bench.fast.feedBack(current, lost + later * full * tileSide * 4, unit, full);
    }
    total += bench.fast.roundPlaces(
      ...([codes, codeStride, lost + tile * full * tileSide * 4, current, original, stride] as const),
      ...([tileAt(factor.tiles, tile, tile), factor.weights, lines, first, grid, groups + 1] as const),
      ...([groupOf, codeOf, 2 ** bits - 1] as const),
    );
  }
  for (const { at, bytes } of kept) new Uint8Array(bench.memory.buffer, at, bytes.length).set(bytes);
  return total;
}

/** [lines][scale, 1/scale, zero][groups + 1]; the last group is that of padding. */
function gridOf(bench: Bench, { scales, zeros, lines }: Nearest, groups: number): Address {
  const grid = bench.take(lines * 3 * (groups + 1) * 4);
  const out = bench.floats(grid, lines * 3 * (groups + 1));
  const scale = bench.floats(scales, lines * groups);
  const zero = new Uint8Array(bench.memory.buffer, zeros, lines * groups);
  for (let n = 0; n < lines; n++) {
    const at = n * 3 * (groups + 1);
    for (let g = 0; g <= groups; g++) {
      const own = g < groups ? scale[n * groups + g]! : 0;
      out[at + g] = own;
      out[at + groups + 1 + g] = own === 0 ? 0 : 1 / own;
      out[at + 2 * (groups + 1) + g] = g < groups ? zero[n * groups + g]! : 0;
    }
  }
  return grid;
}

function placesOf(bench: Bench, factor: Factor, places: number, { group, padded }: Nearest, groups: number) {
  const columnOf = new Int32Array(bench.memory.buffer, factor.columnOf, places);
  const groupOf = bench.take(places * 4);
  const codeOf = bench.take(places * 4);
  const ownGroup = new Int32Array(bench.memory.buffer, groupOf, places);
  const ownCode = new Int32Array(bench.memory.buffer, codeOf, places);
  for (let p = 0; p < places; p++) {
    const column = columnOf[p]!;
    const g = Math.floor(column / group);
    ownGroup[p] = column < 0 ? groups : g;
    ownCode[p] = column < 0 ? -1 : padded > 0 ? g * padded + (column % group) : column;
  }
  return { groupOf, codeOf };
}

/** Calls `blank` for lines that are not finite and answers their codes, to be put back. */
function withoutOdd(
  bench: Bench,
  { floats, codes, lines, line }: Nearest,
  codeStride: number,
  blank: (n: number) => void,
): { at: Address; bytes: Uint8Array }[] {
  const kept: { at: Address; bytes: Uint8Array }[] = [];
  for (let n = 0; n < lines; n++) {
    if (bench.floats(floats + n * line * 4, line).every(Number.isFinite)) continue;
    const at = codes + n * codeStride;
    kept.push({ at, bytes: bench.copy(at, codeStride) });
    blank(n);
  }
  return kept;
}

/** Σ(w − ŵ)² of the finite weights. */
export function noiseOf(bench: Bench, { floats, codes, scales, zeros, lines, line, group, padded }: Nearest): number {
  const groups = Math.ceil(line / group);
  const weights = bench.floats(floats, lines * line);
  const scale = bench.floats(scales, lines * groups);
  const zero = new Uint8Array(bench.memory.buffer, zeros, lines * groups);
  const code = new Uint8Array(bench.memory.buffer, codes, padded > 0 ? lines * groups * padded : lines * line);
  let noise = 0;
  for (let g = 0; g < lines * groups; g++) {
    const n = Math.floor(g / groups);
    const from = (g % groups) * group;
    const at = padded > 0 ? g * padded : n * line + from;
    for (let i = 0; i < group && from + i < line; i++) {
      const w = weights[n * line + from + i]!;
      const e = w - Math.fround((code[at + i]! - zero[g]!) * scale[g]!);
      if (Number.isFinite(w)) noise += e * e;
    }
  }
  return noise;
}
