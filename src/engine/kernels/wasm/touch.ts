// Bringing a piece close before it is worked on.

/**
 * Reads one word of every cache line. A loop that does little waits for many lines at once; one that computes waits for a few at a time, and
 * where the processor does not look ahead (virtual machines often do not) that is five times slower.
 */
export function touch(from: usize, bytes: i32): i32 {
  let a = 0, b = 0, c = 0, d = 0;
  const body = from + (bytes & ~255), end = from + bytes;
  while (from < body) {
    a ^= load<i32>(from);
    b ^= load<i32>(from, 64);
    c ^= load<i32>(from, 128);
    d ^= load<i32>(from, 192);
    from += 256;
  }
  while (from < end) a ^= <i32>load<u8>(from++);
  return a ^ b ^ c ^ d;
}
