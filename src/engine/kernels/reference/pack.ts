// Codes into bytes: 2- and 4-bit codes low bits first. Plain reference of the SIMD kernel.

/** Packs codes 0…2^bits−1; `flip` is xored to each (2^(bits−1) turns an unsigned grid into two's complement). */
export function packCodes(codes: Uint8Array, bits: number, flip: number): Uint8Array {
  const perByte = 8 / bits;
  const out = new Uint8Array(Math.ceil(codes.length / perByte));
  for (let i = 0; i < codes.length; i++) {
    out[Math.floor(i / perByte)]! |= (codes[i]! ^ flip) << ((i % perByte) * bits);
  }
  return out;
}
