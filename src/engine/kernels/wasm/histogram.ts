// Counting into 256 bins, beyond limits, and by level.
import { keptFloat, keptInt, sumInts } from "./lanes";

/** The definition: the last bin whose edge, in float64, is not above x. */
function binOf(x: f32, min: f64, width: f64): i32 {
  if (width == 0) return 0;
  const value = <f64>x;
  let bin = <i32>Math.min(255, Math.max(0, Math.floor((value - min) / width)));
  while (bin < 255 && value >= min + <f64>(bin + 1) * width) bin++;
  while (bin > 0 && value < min + <f64>bin * width) bin--;
  return bin;
}

// @ts-ignore: decorator
@inline
function count1(address: usize, table: usize): void {
  store<u32>(address + table, load<u32>(address + table) + 1);
}

/**
 * Four tables behind the counts take turns, so that equal neighbours do not wait for each other. The bin in float32 is off by less than
 * 3·2^−24·256 ≈ 0.00005 bins: whatever lies within 0.0001 of an edge is looked at again in float64.
 */
export function countBins(counts: usize, floats: usize, count: i32, min: f64, width: f64): void {
  const low = <f32>min, perBin = <f32>(1 / width);
  const fast = <f64>low == min && perBin < Infinity && perBin > 0 && width < 1e36;
  const t0 = counts + 1024, t1 = t0 + 1024, t2 = t1 + 1024, t3 = t2 + 1024;
  memory.fill(t0, 0, 4096);
  const end = floats + (<usize>count << 2);
  if (fast) {
    const from = keptFloat(low), scale = keptFloat(perBin), half = keptFloat(0.5), top = keptFloat(255.5);
    const clear = keptFloat(0.4999), align = keptFloat(2097152.0), mask = keptInt(0x3fc);
    const body = floats + (<usize>(count & ~7) << 2);
    while (floats < body) {
      const x = f32x4.pmin(f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(floats), from), scale), half), top);
      const y = f32x4.pmin(f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(floats, 16), from), scale), half), top);
      const fx = f32x4.floor(x), fy = f32x4.floor(y);
      const nearX = f32x4.abs(f32x4.sub(f32x4.sub(x, fx), half)), nearY = f32x4.abs(f32x4.sub(f32x4.sub(y, fy), half));
      if (i32x4.all_true(f32x4.lt(f32x4.pmax(nearX, nearY), clear))) {
        // At 2^21 a float's last bit is a quarter: the low bits are the bin times four, its address in a table.
        const p = v128.and(f32x4.add(fx, align), mask), q = v128.and(f32x4.add(fy, align), mask);
        const p0 = i64x2.extract_lane(p, 0), p1 = i64x2.extract_lane(p, 1);
        const q0 = i64x2.extract_lane(q, 0), q1 = i64x2.extract_lane(q, 1);
        count1(<usize>(<u32>p0), t0);
        count1(<usize>(p0 >> 32), t1);
        count1(<usize>(<u32>p1), t2);
        count1(<usize>(p1 >> 32), t3);
        count1(<usize>(<u32>q0), t0);
        count1(<usize>(q0 >> 32), t1);
        count1(<usize>(<u32>q1), t2);
        count1(<usize>(q1 >> 32), t3);
      } else {
        for (let i: usize = 0; i < 32; i += 4) count1(<usize>binOf(load<f32>(floats + i), min, width) << 2, t0);
      }
      floats += 32;
    }
  }
  while (floats < end) {
    count1(<usize>binOf(load<f32>(floats), min, width) << 2, t0);
    floats += 4;
  }
  for (let bin: usize = 0; bin < 1024; bin += 16) {
    const sum = i32x4.add(
      i32x4.add(v128.load(t0 + bin), v128.load(t1 + bin)),
      i32x4.add(v128.load(t2 + bin), v128.load(t3 + bin))
    );
    v128.store(counts + bin, i32x4.add(v128.load(counts + bin), sum));
  }
}

/** The smallest float32 that is not below x. */
function notBelow(x: f64): f32 {
  const y = <f32>x;
  if (<f64>y >= x || y == Infinity) return y;
  if (y == 0) return reinterpret<f32>(1);
  return reinterpret<f32>(reinterpret<i32>(y) + (y > 0 ? 1 : -1));
}

export function countBeyond(floats: usize, count: i32, low: f64, high: f64): i32 {
  const first = keptFloat(notBelow(low)), last = keptFloat(-notBelow(-high)), infinity = keptFloat(Infinity);
  let beyond = i32x4.splat(0);
  const body = floats + (<usize>(count & ~3) << 2);
  while (floats < body) {
    const x = v128.load(floats);
    const outside = v128.or(f32x4.lt(x, first), f32x4.gt(x, last));
    beyond = i32x4.sub(beyond, v128.and(outside, f32x4.lt(f32x4.abs(x), infinity)));
    floats += 16;
  }
  let total = sumInts(beyond);
  for (let i = count & ~3; i < count; i++) {
    const x = <f64>load<f32>(floats);
    if ((x < low || x > high) && abs(x) < Infinity) total++;
    floats += 4;
  }
  return total;
}

/** Four tables of 512 behind the counts take turns. */
export function countLevels(
  counts: usize, codes: usize, zeros: usize, lines: i32, line: i32, group: i32, padded: i32
): void {
  const t0 = counts + 2048, t1 = t0 + 2048, t2 = t1 + 2048, t3 = t2 + 2048;
  memory.fill(t0, 0, 8192);
  for (let n = 0; n < lines; n++) {
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from);
      // Code 0 counts at level −zero, which is entry 256 − zero.
      const base = <usize>(256 - <i32>load<u8>(zeros++)) << 2;
      const a = t0 + base, b = t1 + base, c = t2 + base, d = t3 + base;
      let at = codes;
      const body = codes + (length & ~3);
      while (at < body) {
        const four = load<u32>(at);
        count1((four & 0xff) << 2, a);
        count1((four >> 6) & 0x3fc, b);
        count1((four >> 14) & 0x3fc, c);
        count1((four >> 22) & 0x3fc, d);
        at += 4;
      }
      const end = codes + length;
      while (at < end) count1(<usize>load<u8>(at++) << 2, a);
      codes += padded == 0 ? length : padded;
    }
  }
  for (let level: usize = 0; level < 2048; level += 16) {
    const sum = i32x4.add(
      i32x4.add(v128.load(t0 + level), v128.load(t1 + level)),
      i32x4.add(v128.load(t2 + level), v128.load(t3 + level))
    );
    v128.store(counts + level, i32x4.add(v128.load(counts + level), sum));
  }
}
