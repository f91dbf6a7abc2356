// Block quantization, and back: the float32 steps and the order of additions are those of ../reference/quantize.ts.
import { keptFloat, keptInt, largest, smallest, sumFloats, sumInts } from "./lanes";

const signedMax = 0, restricted = 1, given = 3;

/** The largest float32 below a half: floor(x + it) is x to the nearest whole, halves up, for every x from 0 to 2^23. */
const almostHalf = reinterpret<f32>(0x3effffff);

/** Scale and zero of a group: range first, zero included. */
function groupScale(scales: usize, zeros: usize, floats: usize, length: i32, bits: i32, rule: i32): void {
  let low = f32x4.splat(0), high = low;
  const body = floats + (<usize>(length & ~7) << 2), end = floats + (<usize>length << 2);
  while (floats < body) {
    const x = v128.load(floats), y = v128.load(floats, 16);
    low = f32x4.pmin(low, f32x4.pmin(x, y));
    high = f32x4.pmax(high, f32x4.pmax(x, y));
    floats += 32;
  }
  let lowest = smallest(low), highest = largest(high);
  while (floats < end) {
    const x = load<f32>(floats);
    if (x < lowest) lowest = x;
    if (x > highest) highest = x;
    floats += 4;
  }
  const middle = <f32>(1 << (bits - 1)), top = <f32>((1 << bits) - 1);
  let scale: f32 = 0, zero: f32 = middle;
  if (rule == signedMax) {
    // A power of two: the product is the quotient.
    scale = (highest > -lowest ? highest : lowest) * (-1 / middle);
  } else if (rule == restricted) {
    scale = (highest > -lowest ? highest : -lowest) / (middle - 1);
  } else {
    scale = (highest - lowest) / top;
    zero = scale > 0 ? min(top, floor<f32>(0 - lowest / scale + almostHalf)) : 0;
  }
  // Below 2^−126 the reciprocal would be infinite: such a group is all zeros.
  const magnitude = abs(scale);
  store<f32>(scales, magnitude >= reinterpret<f32>(0x00800000) && magnitude < Infinity ? scale : 0);
  store<u8>(zeros, <u8>zero);
}

export function quantizeGroups(
  codes: usize, scales: usize, zeros: usize, loss: usize, floats: usize,
  lines: i32, line: i32, group: i32, padded: i32, bits: i32, rule: i32
): void {
  let totalSignal = load<f64>(loss), totalNoise = load<f64>(loss, 8);
  let clipped = i32x4.splat(0), clippedAlone: i32 = 0;
  const top = <f32>((1 << bits) - 1);
  const tops = keptFloat(top), none = keptFloat(0), half = keptFloat(almostHalf);
  // At 2^23 a float's last bit is one: the low byte is the code.
  const align = keptFloat(8388608.0), byte = keptInt(0xff);
  for (let n = 0; n < lines; n++) {
    // The scales of a line first: their divisions then wait for each other, not for the codes.
    let nextScale = scales, nextZero = zeros;
    for (let from = rule == given ? line : 0; from < line; from += group) {
      groupScale(nextScale, nextZero, floats + (<usize>from << 2), min(group, line - from), bits, rule);
      nextScale += 4;
      nextZero++;
    }
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from), body = length & ~3;
      const scale = load<f32>(scales), zero = <f32>load<u8>(zeros);
      const reciprocal: f32 = scale == 0 ? 0 : 1 / scale;
      const s = f32x4.splat(scale), r = f32x4.splat(reciprocal), z = f32x4.splat(zero);
      let signal: f64 = 0, noise: f64 = 0;
      for (let i = 0; i < body; ) {
        const flush = min(i + 256, body);
        let squares = f32x4.splat(0), errors = squares;
        for (const full = i + ((flush - i) & ~15); i < full; i += 16) {
          const w0 = v128.load(floats), w1 = v128.load(floats, 16), w2 = v128.load(floats, 32), w3 = v128.load(floats, 48);
          const t0 = f32x4.mul(w0, r), t1 = f32x4.mul(w1, r), t2 = f32x4.mul(w2, r), t3 = f32x4.mul(w3, r);
          const r0 = rounded(t0, z, half), r1 = rounded(t1, z, half), r2 = rounded(t2, z, half), r3 = rounded(t3, z, half);
          const c0 = clamped(r0, none, tops), c1 = clamped(r1, none, tops), c2 = clamped(r2, none, tops), c3 = clamped(r3, none, tops);
          const outside = i32x4.add(
            i32x4.add(f32x4.ne(r0, c0), f32x4.ne(r1, c1)),
            i32x4.add(f32x4.ne(r2, c2), f32x4.ne(r3, c3))
          );
          clipped = i32x4.sub(clipped, outside);
          squares = f32x4.add(f32x4.add(f32x4.add(f32x4.add(squares, f32x4.mul(t0, t0)), f32x4.mul(t1, t1)), f32x4.mul(t2, t2)), f32x4.mul(t3, t3));
          const e0 = error(w0, c0, s, r, z), e1 = error(w1, c1, s, r, z), e2 = error(w2, c2, s, r, z), e3 = error(w3, c3, s, r, z);
          errors = f32x4.add(f32x4.add(f32x4.add(f32x4.add(errors, f32x4.mul(e0, e0)), f32x4.mul(e1, e1)), f32x4.mul(e2, e2)), f32x4.mul(e3, e3));
          v128.store(
            codes,
            i8x16.narrow_i16x8_u(
              i16x8.narrow_i32x4_u(v128.and(f32x4.add(c0, align), byte), v128.and(f32x4.add(c1, align), byte)),
              i16x8.narrow_i32x4_u(v128.and(f32x4.add(c2, align), byte), v128.and(f32x4.add(c3, align), byte))
            )
          );
          floats += 64;
          codes += 16;
        }
        for (; i < flush; i += 4) {
          const w = v128.load(floats), t = f32x4.mul(w, r);
          const near = rounded(t, z, half), code = clamped(near, none, tops), e = error(w, code, s, r, z);
          clipped = i32x4.sub(clipped, f32x4.ne(near, code));
          squares = f32x4.add(squares, f32x4.mul(t, t));
          errors = f32x4.add(errors, f32x4.mul(e, e));
          const words = v128.and(f32x4.add(code, align), byte);
          const shorts = i16x8.narrow_i32x4_u(words, words);
          store<u32>(codes, i32x4.extract_lane(i8x16.narrow_i16x8_u(shorts, shorts), 0));
          floats += 16;
          codes += 4;
        }
        signal += <f64>sumFloats(squares);
        noise += <f64>sumFloats(errors);
      }
      for (let i = body; i < length; i++) {
        const w = load<f32>(floats), t = w * reciprocal;
        const near = floor<f32>(t + zero + almostHalf), code = max<f32>(0, min(top, near));
        if (near != code) clippedAlone++;
        const e = (w - (code - zero) * scale) * reciprocal;
        signal += <f64>(t * t);
        noise += <f64>(e * e);
        store<u8>(codes++, <u8>code);
        floats += 4;
      }
      totalSignal += <f64>scale * <f64>scale * signal;
      totalNoise += <f64>scale * <f64>scale * noise;
      if (padded > length) {
        memory.fill(codes, <u8>zero, padded - length);
        codes += padded - length;
      }
      scales += 4;
      zeros++;
    }
  }
  store<f64>(loss, totalSignal);
  store<f64>(loss, totalNoise, 8);
  store<f64>(loss, load<f64>(loss, 16) + <f64>(sumInts(clipped) + clippedAlone), 16);
}

/** t + zero to the nearest whole, halves up; what is below zero may be off by one, and is clamped. */
// @ts-ignore: decorator
@inline
function rounded(t: v128, zero: v128, almostHalves: v128): v128 {
  return f32x4.floor(f32x4.add(f32x4.add(t, zero), almostHalves));
}

// @ts-ignore: decorator
@inline
function clamped(x: v128, none: v128, top: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, none), top);
}

/** What the weight lost, in units of the scale. */
// @ts-ignore: decorator
@inline
function error(w: v128, code: v128, scale: v128, reciprocal: v128, zero: v128): v128 {
  return f32x4.mul(f32x4.sub(w, f32x4.mul(f32x4.sub(code, zero), scale)), reciprocal);
}

export function reconstructGroups(
  floats: usize, codes: usize, scales: usize, zeros: usize, lines: i32, line: i32, group: i32, padded: i32
): void {
  for (let n = 0; n < lines; n++) {
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from);
      const scale = load<f32>(scales), zero = <f32>load<u8>(zeros);
      const s = f32x4.splat(scale), z = f32x4.splat(zero);
      let at = codes;
      const body = codes + (length & ~15), end = codes + length;
      while (at < body) {
        const sixteen = v128.load(at);
        const low = i16x8.extend_low_i8x16_u(sixteen), high = i16x8.extend_high_i8x16_u(sixteen);
        v128.store(floats, weights(i32x4.extend_low_i16x8_u(low), s, z));
        v128.store(floats, weights(i32x4.extend_high_i16x8_u(low), s, z), 16);
        v128.store(floats, weights(i32x4.extend_low_i16x8_u(high), s, z), 32);
        v128.store(floats, weights(i32x4.extend_high_i16x8_u(high), s, z), 48);
        at += 16;
        floats += 64;
      }
      while (at < end) {
        store<f32>(floats, (<f32>load<u8>(at) - zero) * scale);
        at++;
        floats += 4;
      }
      codes += padded == 0 ? length : padded;
      scales += 4;
      zeros++;
    }
  }
}

// @ts-ignore: decorator
@inline
function weights(codes: v128, scale: v128, zero: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.convert_i32x4_s(codes), zero), scale);
}

export function scaleGroups(to: usize, floats: usize, scales: usize, lines: i32, line: i32, group: i32): void {
  for (let n = 0; n < lines; n++) {
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from);
      const scale = load<f32>(scales);
      const reciprocal: f32 = scale == 0 ? 0 : 1 / scale;
      const r = f32x4.splat(reciprocal);
      const body = floats + (<usize>(length & ~3) << 2), end = floats + (<usize>length << 2);
      while (floats < body) {
        v128.store(to, f32x4.mul(v128.load(floats), r));
        floats += 16;
        to += 16;
      }
      while (floats < end) {
        store<f32>(to, load<f32>(floats) * reciprocal);
        floats += 4;
        to += 4;
      }
      scales += 4;
    }
  }
}
