// float16 and bfloat16 to float32, float32 to float16.
import { keptFloat, keptInt } from "./lanes";

export function decodeFloat16(floats: usize, codes: usize, count: i32): void {
  const sign = keptInt(0x8000), rest = keptInt(0x7fff), kept = keptInt(0x8fffe000);
  // From exponent bias 15 to 127; infinity and NaN go up as far again, subnormals by one more.
  const rebias = keptInt(0x38000000), smallestNormal = keptInt(0x38800000), special = keptInt(0x0f800000);
  const magnitudes = keptInt(0x7fff7fff), least = keptInt(0x04000400), most = keptInt(0x77ff77ff);
  const end = codes + ((count & ~7) << 1);
  while (codes < end) {
    const both = v128.load(codes);
    const magnitude = v128.and(both, magnitudes);
    let low: v128, high: v128;
    // Normal numbers, all eight: moved into place and rebiased; the copies of the sign that moving makes are masked off.
    if (i16x8.all_true(i16x8.le_u(i16x8.sub(magnitude, least), most))) {
      low = i32x4.add(v128.and(i32x4.shl(i32x4.extend_low_i16x8_s(both), 13), kept), rebias);
      high = i32x4.add(v128.and(i32x4.shl(i32x4.extend_high_i16x8_s(both), 13), kept), rebias);
    } else {
      low = four(i32x4.extend_low_i16x8_u(both), sign, rest, rebias, smallestNormal, special);
      high = four(i32x4.extend_high_i16x8_u(both), sign, rest, rebias, smallestNormal, special);
    }
    v128.store(floats, low);
    v128.store(floats, high, 16);
    codes += 16;
    floats += 32;
  }
  for (let i = count & ~7; i < count; i++) {
    const one = four(i32x4.splat(<i32>load<u16>(codes)), sign, rest, rebias, smallestNormal, special);
    store<i32>(floats, i32x4.extract_lane(one, 0));
    codes += 2;
    floats += 4;
  }
}

/** Any four. Subnormals are taken off a normal number: multiplying them up would cost Intel's cores a hundred cycles each. */
// @ts-ignore: decorator
@inline
function four(codes: v128, sign: v128, rest: v128, rebias: v128, smallestNormal: v128, special: v128): v128 {
  const shifted = i32x4.shl(v128.and(codes, rest), 13);
  const high = v128.and(i32x4.ge_s(shifted, special), rebias);
  const normal = i32x4.add(i32x4.add(shifted, rebias), high);
  const subnormal = f32x4.sub(i32x4.add(shifted, smallestNormal), smallestNormal);
  const isSubnormal = i32x4.lt_s(shifted, i32x4.splat(0x00800000));
  return v128.or(v128.bitselect(subnormal, normal, isSubnormal), i32x4.shl(v128.and(codes, sign), 16));
}

/** A bfloat16 is the upper half of a float32. */
export function decodeBfloat16(floats: usize, codes: usize, count: i32): void {
  const zero = i32x4.splat(0);
  const end = codes + ((count & ~7) << 1);
  while (codes < end) {
    const both = v128.load(codes);
    v128.store(floats, i16x8.shuffle(zero, both, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(floats, i16x8.shuffle(zero, both, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    codes += 16;
    floats += 32;
  }
  for (let i = count & ~7; i < count; i++) {
    store<u32>(floats, (<u32>load<u16>(codes)) << 16);
    codes += 2;
    floats += 4;
  }
}

/** Nearest, ties to even; beyond 65,504 infinity; NaN 0x7e00 (XNNPACK's recipe: adding a power of two does the rounding). */
export function encodeFloat16(codes: usize, floats: usize, count: i32): void {
  const end = floats + ((count & ~7) << 2);
  const bias = keptInt(0x07800000), up = keptInt(0x77800000), down = keptInt(0x08800000), infinity = keptInt(0x7f800000);
  const exponent = keptInt(0xff800000), least = keptInt(0x40000000), field = keptInt(0x7c00), mantissa = keptInt(0x0fff);
  const nan = keptInt(0x7e00);
  while (floats < end) {
    v128.store(
      codes,
      i16x8.narrow_i32x4_u(
        half(v128.load(floats), bias, up, down, infinity, exponent, least, field, mantissa, nan),
        half(v128.load(floats, 16), bias, up, down, infinity, exponent, least, field, mantissa, nan)
      )
    );
    floats += 32;
    codes += 16;
  }
  for (let i = count & ~7; i < count; i++) {
    const one = half(keptFloat(load<f32>(floats)), bias, up, down, infinity, exponent, least, field, mantissa, nan);
    store<u16>(codes, <u16>i32x4.extract_lane(one, 0));
    floats += 4;
    codes += 2;
  }
}

// @ts-ignore: decorator
@inline
function half(
  x: v128, bias: v128, up: v128, down: v128, infinity: v128, exponent: v128, least: v128, field: v128, mantissa: v128, nan: v128
): v128 {
  const magnitude = f32x4.abs(x);
  const sign = v128.xor(x, magnitude);
  // Scaling up and down again overflows to infinity exactly where float16 does.
  const scaled = f32x4.mul(f32x4.mul(magnitude, up), down);
  const anchor = i32x4.max_s(v128.and(i32x4.add(magnitude, bias), exponent), least);
  const rounded = f32x4.add(scaled, anchor);
  const code = i32x4.add(v128.and(i32x4.shr_u(rounded, 13), field), v128.and(rounded, mantissa));
  return v128.or(v128.bitselect(nan, code, i32x4.gt_s(magnitude, infinity)), i32x4.shr_u(sign, 16));
}
