// Smallest and largest weight of each channel. Plain reference of the SIMD kernel.

/**
 * Widens `min[c]` and `max[c]` by the finite values of channel c. The values are a stretch of a tensor [outer, channels, inner] that begins
 * at flat index `start`.
 */
export function widenRanges(
  min: Float32Array | Float64Array,
  max: Float32Array | Float64Array,
  values: Float32Array | Float64Array,
  start: number,
  inner: number,
): void {
  const channels = min.length;
  let channel = Math.floor(start / inner) % channels;
  let left = inner - (start % inner);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) {
      if (value < min[channel]!) min[channel] = value;
      if (value > max[channel]!) max[channel] = value;
    }
    if (--left === 0) {
      left = inner;
      channel = channel + 1 === channels ? 0 : channel + 1;
    }
  }
}
