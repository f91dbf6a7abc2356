// Masks of the weights that stay, a byte each, and the counts that find a threshold. Magnitudes are compared as bits: NaN above all others.
import { keptInt } from "./lanes";

const magnitude = 0x7fffffff;

// @ts-ignore: decorator
@inline
function four(floats: usize, rest: v128): v128 {
  return v128.and(v128.load(floats), rest);
}

/** 1 where a weight's magnitude is above the threshold, else 0. Answers how many. */
export function maskAbove(mask: usize, floats: usize, count: i32, threshold: i32): i32 {
  const rest = keptInt(magnitude), limit = i32x4.splat(threshold), one = keptInt(0x01010101);
  let kept = 0;
  const body = count & ~15;
  for (const end = mask + body; mask < end; mask += 16) {
    const low = i16x8.narrow_i32x4_s(i32x4.gt_s(four(floats, rest), limit), i32x4.gt_s(four(floats + 16, rest), limit));
    const high = i16x8.narrow_i32x4_s(i32x4.gt_s(four(floats + 32, rest), limit), i32x4.gt_s(four(floats + 48, rest), limit));
    const all = i8x16.narrow_i16x8_s(low, high);
    kept += popcnt(i8x16.bitmask(all));
    v128.store(mask, v128.and(all, one));
    floats += 64;
  }
  for (let i = body; i < count; i++) {
    const above = (load<i32>(floats) & magnitude) > threshold;
    kept += i32(above);
    store<u8>(mask++, u8(above));
    floats += 4;
  }
  return kept;
}

/**
 * Adds to uint32 counts how often each value of magnitude >> shift occurs among magnitudes that begin with `prefix`: those for which
 * magnitude >> above == prefix.
 */
export function countMagnitudes(counts: usize, floats: usize, count: i32, shift: i32, above: i32, prefix: i32): void {
  const rest = keptInt(magnitude), begin = i32x4.splat(prefix);
  const within = (1 << (above - shift)) - 1;
  const end = floats + (<usize>count << 2), body = floats + (<usize>(count & ~7) << 2);
  if (above == 31) {
    // Every magnitude counts: its place comes out of the vector as bytes.
    const places = i32x4.splat(within << 2);
    for (; floats < body; floats += 32) {
      const x = v128.and(i32x4.shr_u(four(floats, rest), shift - 2), places);
      const y = v128.and(i32x4.shr_u(four(floats + 16, rest), shift - 2), places);
      count2(counts, i64x2.extract_lane(x, 0));
      count2(counts, i64x2.extract_lane(x, 1));
      count2(counts, i64x2.extract_lane(y, 0));
      count2(counts, i64x2.extract_lane(y, 1));
    }
  } else {
    for (; floats < body; floats += 32) {
      const x = i32x4.eq(i32x4.shr_u(four(floats, rest), above), begin), y = i32x4.eq(i32x4.shr_u(four(floats + 16, rest), above), begin);
      if (!v128.any_true(v128.or(x, y))) continue;
      for (let i: usize = 0; i < 32; i += 4) countOne(counts, floats + i, shift, above, prefix, within);
    }
  }
  for (; floats < end; floats += 4) countOne(counts, floats, shift, above, prefix, within);
}

// @ts-ignore: decorator
@inline
function count2(counts: usize, two: i64): void {
  const a = counts + <usize>(<u32>two);
  store<u32>(a, load<u32>(a) + 1);
  const b = counts + <usize>(two >> 32);
  store<u32>(b, load<u32>(b) + 1);
}

// @ts-ignore: decorator
@inline
function countOne(counts: usize, float: usize, shift: i32, above: i32, prefix: i32, within: i32): void {
  const bits = load<i32>(float) & magnitude;
  if (bits >> above != prefix) return;
  const at = counts + (<usize>((bits >> shift) & within) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** The masks of the two that stay of four by four, a and b before c and d where they are equal. */
// @ts-ignore: decorator
@inline
function stays(first: v128, second: v128, third: v128, lost: v128): v128 {
  return i32x4.gt_s(i32x4.add(i32x4.add(first, second), third), lost);
}

/** Keeps the two largest of each four neighbours, earlier ones where they are equal; `count` is a multiple of four. */
export function maskNeighbours(mask: usize, floats: usize, count: i32): void {
  const rest = keptInt(magnitude), one = keptInt(0x01010101), lost = keptInt(-2);
  const body = count & ~15;
  for (const end = mask + body; mask < end; mask += 16) {
    const r = four(floats, rest), s = four(floats + 16, rest), t = four(floats + 32, rest), u = four(floats + 48, rest);
    const rs = i32x4.shuffle(r, s, 0, 4, 1, 5), RS = i32x4.shuffle(r, s, 2, 6, 3, 7);
    const tu = i32x4.shuffle(t, u, 0, 4, 1, 5), TU = i32x4.shuffle(t, u, 2, 6, 3, 7);
    const a = i64x2.shuffle(rs, tu, 0, 2), b = i64x2.shuffle(rs, tu, 1, 3), c = i64x2.shuffle(RS, TU, 0, 2), d = i64x2.shuffle(RS, TU, 1, 3);
    const ba = i32x4.gt_s(b, a), ca = i32x4.gt_s(c, a), da = i32x4.gt_s(d, a), cb = i32x4.gt_s(c, b), db = i32x4.gt_s(d, b), dc = i32x4.gt_s(d, c);
    const ab = i16x8.narrow_i32x4_s(stays(ba, ca, da, lost), stays(v128.not(ba), cb, db, lost));
    const cd = i16x8.narrow_i32x4_s(stays(v128.not(ca), v128.not(cb), dc, lost), stays(v128.not(da), v128.not(db), v128.not(dc), lost));
    const all = v128.and(i8x16.narrow_i16x8_s(ab, cd), one);
    v128.store(mask, i8x16.shuffle(all, all, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    floats += 64;
  }
  for (let i = body; i < count; i += 4) {
    maskAlone(mask, 1, floats, 4);
    mask += 4;
    floats += 16;
  }
}

/** As `maskNeighbours`, of four rows below one another. */
export function maskBelow(mask: usize, floats: usize, columns: i32): void {
  const rest = keptInt(magnitude), one = keptInt(0x01010101), lost = keptInt(-2);
  const row = <usize>columns << 2, stride = <usize>columns;
  const body = columns & ~3;
  for (let i = 0; i < body; i += 4) {
    const a = four(floats, rest), b = four(floats + row, rest), c = four(floats + 2 * row, rest), d = four(floats + 3 * row, rest);
    const ba = i32x4.gt_s(b, a), ca = i32x4.gt_s(c, a), da = i32x4.gt_s(d, a), cb = i32x4.gt_s(c, b), db = i32x4.gt_s(d, b), dc = i32x4.gt_s(d, c);
    const ab = i16x8.narrow_i32x4_s(stays(ba, ca, da, lost), stays(v128.not(ba), cb, db, lost));
    const cd = i16x8.narrow_i32x4_s(stays(v128.not(ca), v128.not(cb), dc, lost), stays(v128.not(da), v128.not(db), v128.not(dc), lost));
    const all = v128.and(i8x16.narrow_i16x8_s(ab, cd), one);
    v128.store32_lane(mask, all, 0);
    v128.store32_lane(mask + stride, all, 1);
    v128.store32_lane(mask + 2 * stride, all, 2);
    v128.store32_lane(mask + 3 * stride, all, 3);
    mask += 4;
    floats += 16;
  }
  for (let i = body; i < columns; i++) {
    maskAlone(mask, stride, floats, row);
    mask++;
    floats += 4;
  }
}

/** One four of neighbours `apart` bytes apart, whose masks are `stride` apart. */
function maskAlone(mask: usize, stride: usize, floats: usize, apart: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    const own = load<i32>(floats + i * apart) & magnitude;
    let larger = 0;
    for (let j: usize = 0; j < 4; j++) {
      const other = load<i32>(floats + j * apart) & magnitude;
      larger += i32(other > own || (other == own && j < i));
    }
    store<u8>(mask + i * stride, u8(larger < 2));
  }
}

/** Copies elements of 2 or 4 bytes, zeros where the mask is 0. */
export function keepMasked(to: usize, from: usize, mask: usize, count: i32, bytes: i32): void {
  const body = count & ~15;
  for (const end = mask + body; mask < end; mask += 16) {
    const all = i8x16.neg(v128.load(mask));
    const low = i16x8.extend_low_i8x16_s(all), high = i16x8.extend_high_i8x16_s(all);
    if (bytes == 2) {
      v128.store(to, v128.and(v128.load(from), low));
      v128.store(to, v128.and(v128.load(from, 16), high), 16);
    } else {
      v128.store(to, v128.and(v128.load(from), i32x4.extend_low_i16x8_s(low)));
      v128.store(to, v128.and(v128.load(from, 16), i32x4.extend_high_i16x8_s(low)), 16);
      v128.store(to, v128.and(v128.load(from, 32), i32x4.extend_low_i16x8_s(high)), 32);
      v128.store(to, v128.and(v128.load(from, 48), i32x4.extend_high_i16x8_s(high)), 48);
    }
    to += <usize>bytes << 4;
    from += <usize>bytes << 4;
  }
  for (let i = body; i < count; i++) {
    const kept = load<u8>(mask++) != 0;
    if (bytes == 2) store<u16>(to, kept ? load<u16>(from) : 0);
    else store<u32>(to, kept ? load<u32>(from) : 0);
    to += <usize>bytes;
    from += <usize>bytes;
  }
}
