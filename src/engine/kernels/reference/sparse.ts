// Which weights stay when channels are pruned by a score, and SparseGPT's feedback (Frantar & Alistarh 2023) in the form of LDLQ.
import { tileSide } from './factor';

const f = Math.fround;

/** Zeros for the `count` lowest scores, ones for the rest; of equal scores the earlier ones stay. NaN is above infinity. */
export function dropLowest(stays: Uint8Array, scores: Float32Array, count: number): void {
  stays.fill(1);
  if (count <= 0) return;
  const sorted = scores.slice().sort();
  const last = sorted[Math.min(count, scores.length) - 1]!;
  let equal = count;
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i]! < last)) continue;
    stays[i] = 0;
    equal--;
  }
  for (let i = scores.length - 1; i >= 0 && equal > 0; i--) {
    if (!Object.is(scores[i], last) && scores[i] !== last) continue;
    stays[i] = 0;
    equal--;
  }
}

/** Ones for the `keep` highest scores of each `of` neighbours; of equal ones the earlier stay. */
export function keepWithin(stays: Uint8Array, scores: Float32Array, keep: number, of: number): void {
  for (let first = 0; first < scores.length; first += of) {
    for (let i = first; i < first + of; i++) {
      let above = 0;
      for (let j = first; j < first + of; j++) {
        if (scores[j]! > scores[i]! || (scores[j] === scores[i] && j < i)) above++;
      }
      stays[i] = above < keep ? 1 : 0;
    }
  }
}

/** What a line is pruned by: which weights of a tile stay, or how many of each group of neighbours. */
export type Stays = Uint8Array | { readonly keep: number; readonly of: number };

/**
 * Prunes the places [from, to) of one tile of one line, last first, and makes good on the places before: `current` holds the weights with all
 * feedback from later places and ends as the weights that stay, `original` without. What was lost goes to `lost`. `cost`: what an error at a
 * place costs, D of H = U·D·Uᵀ; `worth`: the same, zero where a column never had an input. `feedBack` makes a loss good on the places before.
 * Answers what it adds to tr(ΔW·H·ΔWᵀ).
 */
export function prunePlaces(
  stays: Stays,
  lost: Float32Array,
  current: Float32Array,
  original: Float32Array,
  feedBack: (place: number, lost: number) => void,
  { cost, worth, from, to }: { cost: Float64Array; worth: Float64Array; from: number; to: number },
): number {
  let total = 0;
  const chosen = stays instanceof Uint8Array ? stays : new Uint8Array(tileSide);
  for (let p = to - 1; p >= from; p--) {
    if (!(stays instanceof Uint8Array) && p % stays.of === stays.of - 1)
      keepPlaces(chosen, current, worth, p - stays.of + 1, stays);
    const before = current[p]!;
    const after = chosen[p] === 1 ? before : 0;
    const e = before - after;
    total += e * e * cost[p]!;
    const d = f(original[p]! - after);
    lost[p] = d;
    current[p] = after;
    if (d !== 0) feedBack(p, d);
  }
  return total;
}

function keepPlaces(
  chosen: Uint8Array,
  current: Float32Array,
  worth: Float64Array,
  first: number,
  { keep, of }: { readonly keep: number; readonly of: number },
): void {
  const score = (p: number): number => current[p]! ** 2 * worth[p]!;
  for (let i = first; i < first + of; i++) {
    let above = 0;
    for (let j = first; j < first + of; j++) {
      if (score(j) > score(i) || (score(j) === score(i) && j > i)) above++;
    }
    chosen[i] = above < keep ? 1 : 0;
  }
}
