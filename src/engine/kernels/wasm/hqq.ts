// Half-quadratic quantization where shrinkage is provably zero; the float32 steps are those of ../reference/hqq.ts.
import { keptFloat, keptInt, largest, smallest, sumFloats, sumInts } from "./lanes";

/** The largest float32 below a half. */
const almostHalf = reinterpret<f32>(0x3effffff);
const iterations = 20;
const shrinksBeyond: f32 = 0.147;

/** Mean of code − w/scale. */
function meanOf(floats: usize, length: i32, reciprocal: f32, zero: f32, top: f32): f32 {
  const r = f32x4.splat(reciprocal), z = f32x4.splat(zero);
  const tops = keptFloat(top), none = keptFloat(0), half = keptFloat(almostHalf);
  const body = length & ~3;
  let total: f64 = 0;
  let i = 0;
  while (i < body) {
    let sums = none;
    for (const flush = min(i + 256, body); i < flush; i += 4) {
      const t = f32x4.mul(v128.load(floats), r);
      const near = f32x4.floor(f32x4.add(f32x4.add(t, z), half));
      sums = f32x4.add(sums, f32x4.sub(f32x4.pmin(f32x4.pmax(near, none), tops), t));
      floats += 16;
    }
    total += <f64>sumFloats(sums);
  }
  for (; i < length; i++) {
    const t = load<f32>(floats) * reciprocal;
    total += <f64>(max<f32>(0, min(top, floor<f32>(t + zero + almostHalf))) - t);
    floats += 4;
  }
  return <f32>(total / <f64>length);
}

/** Answers false where an error may be large enough to shrink: the plain kernel does that. */
function fitGroup(scales: usize, zeros: usize, floats: usize, length: i32, top: f32): bool {
  let low = f32x4.splat(Infinity), high = f32x4.splat(-Infinity);
  const body = floats + (<usize>(length & ~3) << 2), end = floats + (<usize>length << 2);
  let at = floats;
  for (; at < body; at += 16) {
    const w = v128.load(at);
    low = f32x4.pmin(low, w);
    high = f32x4.pmax(high, w);
  }
  let lowest = smallest(low), highest = largest(high);
  for (; at < end; at += 4) {
    const w = load<f32>(at);
    if (w < lowest) lowest = w;
    if (w > highest) highest = w;
  }
  const scale = (highest - lowest) / top;
  if (!(scale >= reinterpret<f32>(0x00800000) && scale < Infinity)) {
    store<f32>(scales, 1);
    store<f32>(zeros, 0 - lowest);
    return true;
  }
  const reciprocal: f32 = 1 / scale, first: f32 = 0 - lowest * reciprocal;
  let zero = first;
  for (let step = 0; step < iterations; step++) {
    if (!(((0.5 as f32) + abs<f32>(zero - first)) * scale < shrinksBeyond)) return false;
    const next = meanOf(floats, length, reciprocal, zero, top);
    if (next == zero) break;
    zero = next;
  }
  store<f32>(scales, scale);
  store<f32>(zeros, zero);
  return true;
}

export function hqqGroups(
  codes: usize, scales: usize, zeros: usize, loss: usize, floats: usize, lines: i32, line: i32, group: i32, padded: i32, bits: i32
): i32 {
  const top = <f32>((1 << bits) - 1);
  const tops = keptFloat(top), none = keptFloat(0), half = keptFloat(almostHalf);
  // At 2^23 a float's last bit is one: the low byte is the code.
  const align = keptFloat(8388608.0), byte = keptInt(0xff);
  let totalSignal = load<f64>(loss), totalNoise = load<f64>(loss, 8);
  let clipped = i32x4.splat(0), clippedAlone: i32 = 0;
  for (let n = 0; n < lines; n++) {
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from), body = length & ~3;
      if (!fitGroup(scales, zeros, floats, length, top)) return 0;
      const scale = load<f32>(scales), zero = load<f32>(zeros), reciprocal: f32 = 1 / scale;
      const s = f32x4.splat(scale), r = f32x4.splat(reciprocal), z = f32x4.splat(zero);
      let signal: f64 = 0, noise: f64 = 0;
      let i = 0;
      while (i < body) {
        let squares = none, errors = none;
        for (const flush = min(i + 256, body); i < flush; i += 4) {
          const w = v128.load(floats), t = f32x4.mul(w, r);
          const near = f32x4.floor(f32x4.add(f32x4.add(t, z), half));
          const code = f32x4.pmin(f32x4.pmax(near, none), tops);
          clipped = i32x4.sub(clipped, f32x4.ne(near, code));
          squares = f32x4.add(squares, f32x4.mul(t, t));
          const e = f32x4.mul(f32x4.sub(w, f32x4.mul(f32x4.sub(code, z), s)), r);
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
      for (; i < length; i++) {
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
        memory.fill(codes, <u8>max<f32>(0, min(top, floor<f32>(zero + almostHalf))), padded - length);
        codes += padded - length;
      }
      scales += 4;
      zeros += 4;
    }
  }
  store<f64>(loss, totalSignal);
  store<f64>(loss, totalNoise, 8);
  store<f64>(loss, load<f64>(loss, 16) + <f64>(sumInts(clipped) + clippedAlone), 16);
  return 1;
}

/** (code − zero) · scale with float zeros */
export function reconstructFloats(
  floats: usize, codes: usize, scales: usize, zeros: usize, lines: i32, line: i32, group: i32, padded: i32
): void {
  for (let n = 0; n < lines; n++) {
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from);
      const scale = load<f32>(scales), zero = load<f32>(zeros);
      for (let i = 0; i < length; i++) {
        store<f32>(floats, (<f32>load<u8>(codes + i) - zero) * scale);
        floats += 4;
      }
      codes += padded == 0 ? length : padded;
      scales += 4;
      zeros += 4;
    }
  }
}
