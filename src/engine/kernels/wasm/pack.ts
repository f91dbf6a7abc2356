// Codes into bytes, low bits first.
//
//   4 bits:  | c1 c1 c1 c1 c0 c0 c0 c0 |        2 bits:  | c3 c3 c2 c2 c1 c1 c0 c0 |

/** Two codes of each 16-bit lane, the second moved down by `shift`, into the lane's low byte. */
// @ts-ignore: decorator
@inline
function pair(codes: v128, shift: i32, low: v128, high: v128): v128 {
  return v128.or(v128.and(codes, low), v128.and(i16x8.shr_u(codes, shift), high));
}

export function packCodes(bytes: usize, codes: usize, count: i32, bits: i32, flip: i32): void {
  const flips = i8x16.splat(<i8>flip);
  let i = 0;
  const body = count & ~63;
  if (bits == 8) {
    for (; i < body; i += 16) v128.store(bytes + i, v128.xor(v128.load(codes + i), flips));
    for (; i < count; i++) store<u8>(bytes + i, load<u8>(codes + i) ^ <u8>flip);
    return;
  }
  const nibble = i16x8.splat(0x000f), above = i16x8.splat(0x00f0);
  const two = i16x8.splat(0x0003), twoAbove = i16x8.splat(0x000c);
  for (; i < body; i += 64) {
    const a = v128.xor(v128.load(codes + i), flips), b = v128.xor(v128.load(codes + i, 16), flips);
    const c = v128.xor(v128.load(codes + i, 32), flips), d = v128.xor(v128.load(codes + i, 48), flips);
    if (bits == 4) {
      v128.store(bytes, i8x16.narrow_i16x8_u(pair(a, 4, nibble, above), pair(b, 4, nibble, above)));
      v128.store(bytes, i8x16.narrow_i16x8_u(pair(c, 4, nibble, above), pair(d, 4, nibble, above)), 16);
      bytes += 32;
    } else {
      const low = i8x16.narrow_i16x8_u(pair(a, 6, two, twoAbove), pair(b, 6, two, twoAbove));
      const high = i8x16.narrow_i16x8_u(pair(c, 6, two, twoAbove), pair(d, 6, two, twoAbove));
      v128.store(bytes, i8x16.narrow_i16x8_u(pair(low, 4, nibble, above), pair(high, 4, nibble, above)));
      bytes += 16;
    }
  }
  const perByte = 8 / bits;
  while (i < count) {
    let byte: u32 = 0;
    for (let j = 0; j < perByte && i < count; j++, i++) byte |= (<u32>load<u8>(codes + i) ^ flip) << (j * bits);
    store<u8>(bytes++, <u8>byte);
  }
}
