// GPTQ in the form of LDLQ (Chee et al. 2023, theorem 6): each weight is rounded after what was lost on those before it was fed back.
// Plain reference: the SIMD kernels give the same bits without fused multiplication.
import { tileSide } from './factor';
import { roundHalfUp } from './quantize';

const f = Math.fround;

/**
 * Places run against the order of rounding: the last place is rounded first. `columns` floats of padding and real weights lie in a line of
 * places; `columnOf` names the weight of a place, −1 where it is padding.
 */
export interface Line {
  /** Grid of a place: scale, 1/scale and zero of the group it belongs to, in three runs of `groups` each. */
  readonly grid: Float32Array;
  readonly groups: number;
  readonly groupOf: Int32Array;
  /** Where the code of a place goes, −1 for padding. */
  readonly codeOf: Int32Array;
  readonly top: number;
}

/**
 * Rounds the places of one tile of one line, last first: `current` holds the weights with all feedback from later tiles, `original` without.
 * A weight that is zero stays zero: it was pruned. What was lost goes to `lost`. Answers Σ (current − rounded)²·weight: what it adds to tr(ΔHΔᵀ).
 */
export function roundPlaces(
  codes: Uint8Array,
  lost: Float32Array,
  current: Float32Array,
  original: Float32Array,
  unit: Float32Array,
  weights: Float64Array,
  first: number,
  { grid, groups, groupOf, codeOf, top }: Line,
): number {
  let total = 0;
  for (let p = tileSide - 1; p >= 0; p--) {
    const group = groupOf[first + p]!;
    const scale = grid[group]!;
    const zero = grid[2 * groups + group]!;
    const t = f(current[p]! * grid[groups + group]!);
    const code = original[p] === 0 ? zero : Math.max(0, Math.min(top, roundHalfUp(f(t + zero))));
    const rounded = f((code - zero) * scale);
    if (codeOf[first + p]! >= 0) codes[codeOf[first + p]!] = code;
    const e = f(current[p]! - rounded);
    total += e * e * weights[first + p]!;
    const d = f(original[p]! - rounded);
    lost[p] = d;
    for (let i = 0; i < p; i++) current[i] = current[i]! + f(d * unit[p * tileSide + i]!);
  }
  return total;
}
