// Masks of the weights that stay, a byte each, and the counts that find a threshold. Plain reference of the SIMD kernels.
//
// Magnitudes are compared as the bits of |w|, which order floats as their values do and NaN above infinity: nothing is left out of the order.
const magnitude = 0x7fffffff;

const bitsOf = (weights: Float32Array) => new Int32Array(weights.buffer, weights.byteOffset, weights.length);

/** 1 where a weight's magnitude is above the threshold, else 0. Answers how many. */
export function maskAbove(mask: Uint8Array, weights: Float32Array, threshold: number): number {
  const bits = bitsOf(weights);
  let kept = 0;
  for (let i = 0; i < bits.length; i++) {
    const above = (bits[i]! & magnitude) > threshold ? 1 : 0;
    mask[i] = above;
    kept += above;
  }
  return kept;
}

/** Counts magnitude >> shift, less the bits from `above` on, of those magnitudes whose bits from `above` on are `prefix`. */
export function countMagnitudes(
  counts: Uint32Array,
  weights: Float32Array,
  shift: number,
  above: number,
  prefix: number,
): void {
  const bits = bitsOf(weights);
  const within = 2 ** (above - shift) - 1;
  for (let i = 0; i < bits.length; i++) {
    const own = bits[i]! & magnitude;
    if (own >> above === prefix) counts[(own >> shift) & within]!++;
  }
}

/** Masks of the two largest of each four weights `apart` from one another, the earlier ones where they are equal. */
export function maskTwoOfFour(mask: Uint8Array, weights: Float32Array, apart: number): void {
  const bits = bitsOf(weights);
  for (let first = 0; first < bits.length; first += 4 * apart) {
    for (let column = first; column < first + apart; column++) {
      const places = [0, 1, 2, 3].map((i) => column + i * apart);
      for (const [i, at] of places.entries()) {
        const own = bits[at]! & magnitude;
        const larger = places.filter((other, j) => {
          const rival = bits[other]! & magnitude;
          return rival > own || (rival === own && j < i);
        });
        mask[at] = larger.length < 2 ? 1 : 0;
      }
    }
  }
}

/** Elements of `bytes` bytes, zeros where the mask is 0. */
export function keepMasked(to: Uint8Array, from: Uint8Array, mask: Uint8Array, bytes: number): void {
  for (let i = 0; i < mask.length; i++) {
    for (let b = i * bytes; b < (i + 1) * bytes; b++) to[b] = mask[i] === 0 ? 0 : from[b]!;
  }
}
