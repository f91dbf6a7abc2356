// Range, zeros and power sums in float64, four lanes; the additions are in the order that ../reference/moments.ts defines.
import { keptFloat, largest, smallest, sumInts } from "./lanes";

// @ts-ignore: decorator
@inline
function joined(a: v128, b: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1) + (f64x2.extract_lane(b, 0) + f64x2.extract_lane(b, 1));
}

export function powerSums(out: usize, floats: usize, count: i32, shift: f64): void {
  let low = f32x4.splat(Infinity), high = f32x4.splat(-Infinity), zeros = i32x4.splat(0);
  const zero = keptFloat(0), about = f64x2.splat(shift);
  // Lanes 0 and 1 in a, 2 and 3 in b.
  let a1 = f64x2.splat(0), b1 = a1, a2 = a1, b2 = a1, a3 = a1, b3 = a1, a4 = a1, b4 = a1;
  const body = count & ~3;
  const end = floats + (<usize>body << 2);
  while (floats < end) {
    const x = v128.load(floats);
    low = f32x4.pmin(low, x);
    high = f32x4.pmax(high, x);
    zeros = i32x4.sub(zeros, f32x4.eq(x, zero));
    const a = f64x2.sub(f64x2.promote_low_f32x4(x), about);
    const b = f64x2.sub(f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3)), about);
    const aa = f64x2.mul(a, a), bb = f64x2.mul(b, b);
    a1 = f64x2.add(a1, a);
    b1 = f64x2.add(b1, b);
    a2 = f64x2.add(a2, aa);
    b2 = f64x2.add(b2, bb);
    a3 = f64x2.add(a3, f64x2.mul(aa, a));
    b3 = f64x2.add(b3, f64x2.mul(bb, b));
    a4 = f64x2.add(a4, f64x2.mul(aa, aa));
    b4 = f64x2.add(b4, f64x2.mul(bb, bb));
    floats += 16;
  }
  let s1 = joined(a1, b1), s2 = joined(a2, b2), s3 = joined(a3, b3), s4 = joined(a4, b4);
  let min = smallest(low), max = largest(high), none = sumInts(zeros);
  for (let i = body; i < count; i++) {
    const x = load<f32>(floats);
    if (x < min) min = x;
    if (x > max) max = x;
    if (x == 0) none++;
    const d = <f64>x - shift, dd = d * d;
    s1 += d;
    s2 += dd;
    s3 += dd * d;
    s4 += dd * dd;
    floats += 4;
  }
  // Adding zero makes −0 plain.
  store<f64>(out, <f64>min + 0);
  store<f64>(out, <f64>max + 0, 8);
  store<f64>(out, <f64>none, 16);
  store<f64>(out, s1, 24);
  store<f64>(out, s2, 32);
  store<f64>(out, s3, 40);
  store<f64>(out, s4, 48);
}
