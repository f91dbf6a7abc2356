// Block quantization, and back: the float32 steps and the order of additions are those of ../reference/quantize.ts.
import { keptFloat, keptInt, sumInts } from "./lanes";

const signedMax = 0, restricted = 1, given = 3;

/** The largest float32 below a half: floor(x + it) is x to the nearest whole, halves up, for every x from 0 to 2^23. */
const almostHalf = reinterpret<f32>(0x3effffff);

/** [h, h, l, l]: the highest of some floats and zero, and the negative of the lowest. */
function range(floats: usize, length: i32): v128 {
  let low = f32x4.splat(0), high = low;
  const body = floats + (<usize>(length & ~7) << 2), end = floats + (<usize>length << 2);
  while (floats < body) {
    const x = v128.load(floats), y = v128.load(floats, 16);
    low = f32x4.pmin(low, f32x4.pmin(x, y));
    high = f32x4.pmax(high, f32x4.pmax(x, y));
    floats += 32;
  }
  while (floats < end) {
    const x = v128.load32_splat(floats);
    low = f32x4.pmin(low, x);
    high = f32x4.pmax(high, x);
    floats += 4;
  }
  const under = f32x4.neg(low);
  const both = f32x4.pmax(i32x4.shuffle(high, under, 0, 1, 4, 5), i32x4.shuffle(high, under, 2, 3, 6, 7));
  return f32x4.pmax(both, i32x4.shuffle(both, both, 1, 0, 3, 2));
}

/** Scales and zeros of a line, four groups at a time; in vectors, because a choice between floats would be a branch taken at random. */
function scaleLine(scales: usize, zeros: usize, floats: usize, line: i32, group: i32, bits: i32, rule: i32): void {
  const middle = <f32>(1 << (bits - 1));
  const none = keptFloat(0), top = keptFloat(<f32>((1 << bits) - 1)), half = keptFloat(almostHalf), middles = keptFloat(middle);
  // Below 2^−126 the reciprocal would be infinite: such a group is all zeros.
  const least = keptInt(0x00800000), infinity = keptFloat(Infinity), align = keptFloat(8388608.0);
  const factor = keptFloat(-1 / middle), divisor = keptFloat(middle - 1);
  for (let from = 0; from < line; ) {
    const a = range(floats + (<usize>from << 2), min(group, line - from));
    from += group;
    const b = range(floats + (<usize>from << 2), max(0, min(group, line - from)));
    from += group;
    const c = range(floats + (<usize>from << 2), max(0, min(group, line - from)));
    from += group;
    const d = range(floats + (<usize>from << 2), max(0, min(group, line - from)));
    from += group;
    const ab = i32x4.shuffle(a, b, 0, 4, 2, 6), cd = i32x4.shuffle(c, d, 0, 4, 2, 6);
    // Highest, and −lowest.
    const above = i64x2.shuffle(ab, cd, 0, 2), below = i64x2.shuffle(ab, cd, 1, 3);
    const larger = f32x4.gt(above, below);
    let scale: v128, zero = middles;
    if (rule == signedMax) {
      // A power of two: the product is the quotient.
      scale = f32x4.mul(v128.bitselect(above, f32x4.neg(below), larger), factor);
    } else if (rule == restricted) {
      scale = f32x4.div(v128.bitselect(above, below, larger), divisor);
    } else {
      scale = f32x4.div(f32x4.add(above, below), top);
      const near = f32x4.floor(f32x4.add(f32x4.div(below, scale), half));
      zero = v128.and(f32x4.pmin(near, top), f32x4.gt(scale, none));
    }
    const magnitude = f32x4.abs(scale);
    scale = v128.and(scale, v128.and(f32x4.ge(magnitude, least), f32x4.lt(magnitude, infinity)));
    // At 2^23 a float's last bit is one: the low byte is the zero.
    const bytes = i32x4.extract_lane(i8x16.shuffle(f32x4.add(zero, align), none, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
    if (from - group < line) {
      v128.store(scales, scale);
      store<i32>(zeros, bytes);
    } else {
      v128.store32_lane(scales, scale, 0);
      if (from - 3 * group < line) v128.store32_lane(scales, scale, 1, 4);
      if (from - 2 * group < line) v128.store32_lane(scales, scale, 2, 8);
      for (let g = 0; from - (4 - g) * group < line; g++) store<u8>(zeros + g, <u8>(bytes >> (g << 3)));
    }
    scales += 16;
    zeros += 4;
  }
}

/** Signal and noise of four lanes each as float64: (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline
function joined(squares: v128, errors: v128): v128 {
  const pairs = f32x4.add(i32x4.shuffle(squares, errors, 0, 2, 4, 6), i32x4.shuffle(squares, errors, 1, 3, 5, 7));
  const sums = f32x4.add(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2));
  return f64x2.promote_low_f32x4(i32x4.shuffle(sums, sums, 0, 2, 0, 2));
}

export function quantizeGroups(
  codes: usize, scales: usize, zeros: usize, loss: usize, floats: usize,
  lines: i32, line: i32, group: i32, padded: i32, bits: i32, rule: i32
): void {
  let total = v128.load(loss);
  let clipped = i32x4.splat(0), clippedAlone: i32 = 0;
  const top = <f32>((1 << bits) - 1);
  const none = keptFloat(0), half = keptFloat(almostHalf);
  // The largest float32 that is cut to the top code.
  const most = keptInt(reinterpret<i32>(top + 1) - 1);
  for (let n = 0; n < lines; n++) {
    // The scales of a line first: their divisions then wait for each other, not for the codes.
    if (rule != given) scaleLine(scales, zeros, floats, line, group, bits, rule);
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from), body = length & ~3;
      const scale = load<f32>(scales), zero = <f32>load<u8>(zeros);
      const reciprocal: f32 = scale == 0 ? 0 : 1 / scale;
      const r = f32x4.splat(reciprocal), z = f32x4.splat(zero);
      let sums = f64x2.splat(0);
      for (let i = 0; i < body; ) {
        const flush = min(i + 256, body);
        let squares = f32x4.splat(0), errors = squares;
        for (const full = i + ((flush - i) & ~15); i < full; i += 16) {
          let t = f32x4.mul(v128.load(floats), r);
          let y = f32x4.add(t, z);
          let u = f32x4.add(y, half);
          let v = clamped(u, none, most);
          clipped = i32x4.sub(clipped, f32x4.ne(u, v));
          squares = f32x4.add(squares, f32x4.mul(t, t));
          const c0 = whole(v);
          let e = error(y, c0);
          errors = f32x4.add(errors, f32x4.mul(e, e));
          t = f32x4.mul(v128.load(floats, 16), r);
          y = f32x4.add(t, z);
          u = f32x4.add(y, half);
          v = clamped(u, none, most);
          clipped = i32x4.sub(clipped, f32x4.ne(u, v));
          squares = f32x4.add(squares, f32x4.mul(t, t));
          const c1 = whole(v);
          e = error(y, c1);
          errors = f32x4.add(errors, f32x4.mul(e, e));
          const low = i16x8.narrow_i32x4_s(c0, c1);
          t = f32x4.mul(v128.load(floats, 32), r);
          y = f32x4.add(t, z);
          u = f32x4.add(y, half);
          v = clamped(u, none, most);
          clipped = i32x4.sub(clipped, f32x4.ne(u, v));
          squares = f32x4.add(squares, f32x4.mul(t, t));
          const c2 = whole(v);
          e = error(y, c2);
          errors = f32x4.add(errors, f32x4.mul(e, e));
          t = f32x4.mul(v128.load(floats, 48), r);
          y = f32x4.add(t, z);
          u = f32x4.add(y, half);
          v = clamped(u, none, most);
          clipped = i32x4.sub(clipped, f32x4.ne(u, v));
          squares = f32x4.add(squares, f32x4.mul(t, t));
          const c3 = whole(v);
          e = error(y, c3);
          errors = f32x4.add(errors, f32x4.mul(e, e));
          v128.store(codes, i8x16.narrow_i16x8_u(low, i16x8.narrow_i32x4_s(c2, c3)));
          floats += 64;
          codes += 16;
        }
        for (; i < flush; i += 4) {
          const t = f32x4.mul(v128.load(floats), r), y = f32x4.add(t, z), u = f32x4.add(y, half), v = clamped(u, none, most);
          const code = whole(v), e = error(y, code);
          clipped = i32x4.sub(clipped, f32x4.ne(u, v));
          squares = f32x4.add(squares, f32x4.mul(t, t));
          errors = f32x4.add(errors, f32x4.mul(e, e));
          const shorts = i16x8.narrow_i32x4_s(code, code);
          store<u32>(codes, i32x4.extract_lane(i8x16.narrow_i16x8_u(shorts, shorts), 0));
          floats += 16;
          codes += 4;
        }
        sums = f64x2.add(sums, joined(squares, errors));
      }
      for (let i = body; i < length; i++) {
        const t = load<f32>(floats) * reciprocal, y = t + zero;
        const near = floor<f32>(y + almostHalf), code = max<f32>(0, min(top, near));
        if (near != code) clippedAlone++;
        const e = y - code;
        sums = f64x2.add(sums, f64x2.promote_low_f32x4(f32x4.replace_lane(f32x4.splat(t * t), 1, e * e)));
        store<u8>(codes++, <u8>code);
        floats += 4;
      }
      total = f64x2.add(total, f64x2.mul(sums, f64x2.splat(<f64>scale * <f64>scale)));
      if (padded > length) {
        memory.fill(codes, <u8>zero, padded - length);
        codes += padded - length;
      }
      scales += 4;
      zeros++;
    }
  }
  v128.store(loss, total);
  store<f64>(loss, load<f64>(loss, 16) + <f64>(sumInts(clipped) + clippedAlone), 16);
}

// @ts-ignore: decorator
@inline
function clamped(x: v128, none: v128, most: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, none), most);
}

/** The whole part of what lies within the grid, as an integer. Only beyond 32 bits do processors differ here. */
// @ts-ignore: decorator
@inline
function whole(x: v128): v128 {
  return i32x4.relaxed_trunc_f32x4_s(x);
}

/** What the weight lost, in units of the scale. */
// @ts-ignore: decorator
@inline
function error(y: v128, code: v128): v128 {
  return f32x4.sub(y, f32x4.convert_i32x4_s(code));
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
