// Ranges clipped to the least Σ h·|w − ŵ|^2.4; the float32 steps are those of ../reference/clip.ts.
import { keptFloat, keptInt, largest, smallest, sumFloats } from "./lanes";

/** The largest float32 below a half. */
const almostHalf = reinterpret<f32>(0x3effffff);

// @ts-ignore: decorator
@inline
function polynomial(x: v128, a: v128, b: v128, c: v128, d: v128, e: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(f32x4.add(f32x4.mul(e, x), d), x), c), x), b), x), a);
}

/** |x|^2.4 of four; see the reference. */
// @ts-ignore: decorator
@inline
function power24(x: v128, magnitude: v128, fraction: v128, one: v128, bias: v128, power: v128): v128 {
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(v128.and(x, magnitude), 23), bias));
  const m = v128.or(v128.and(x, fraction), one);
  const root = polynomial(
    m, f32x4.splat(0.43128634), f32x4.splat(0.80384684), f32x4.splat(-0.31129736), f32x4.splat(0.08664147), f32x4.splat(-0.010463891)
  );
  const y = f32x4.mul(exponent, power), whole = f32x4.floor(y);
  const rest = polynomial(
    f32x4.sub(y, whole), one, f32x4.splat(0.6930825), f32x4.splat(0.2408933), f32x4.splat(0.053219613), f32x4.splat(0.012731906)
  );
  // At 2^23 a float's last bits are a whole number: here the biased exponent.
  const two = i32x4.shl(f32x4.add(whole, f32x4.splat(8388735.0)), 23);
  return f32x4.mul(f32x4.mul(f32x4.mul(x, x), root), f32x4.mul(rest, two));
}

/** Scales, as `quantizeGroups` left them, into clipped ones. `loudness`: h of each weight of a line, 0 where all are alike. `scratch` takes a group. */
export function clipScales(
  scales: usize, zeros: usize, floats: usize, loudness: usize, lines: i32, line: i32, group: i32, bits: i32, scratch: usize
): void {
  const top = <f32>((1 << bits) - 1);
  const magnitude = keptInt(0x7fffffff), fraction = keptInt(0x007fffff), one = keptFloat(1), bias = keptInt(127), power = keptFloat(0.4);
  const tops = keptFloat(top), none = keptFloat(0), half = keptFloat(almostHalf);
  for (let n = 0; n < lines; n++) {
    for (let from = 0; from < line; from += group) {
      const length = min(group, line - from);
      const scale = load<f32>(scales), zero = <f32>load<u8>(zeros);
      if (scale != 0) {
        const body = length & ~3, reciprocal: f32 = 1 / scale;
        const r = f32x4.splat(reciprocal), z = f32x4.splat(zero);
        let low = none, high = none;
        for (let i = 0; i < body; i += 4) {
          const t = f32x4.mul(v128.load(floats + (<usize>i << 2)), r);
          v128.store(scratch + (<usize>i << 2), t);
          low = f32x4.pmin(low, t);
          high = f32x4.pmax(high, t);
        }
        let lowest = smallest(low), highest = largest(high);
        for (let i = body; i < length; i++) {
          const t = load<f32>(floats + (<usize>i << 2)) * reciprocal;
          store<f32>(scratch + (<usize>i << 2), t);
          if (t < lowest) lowest = t;
          if (t > highest) highest = t;
        }
        const loud = loudness + (<usize>from << 2);
        let quietest: f32 = 1;
        if (loudness != 0) {
          quietest = f32.MAX_VALUE;
          for (let i = 0; i < length; i++) quietest = min(quietest, load<f32>(loud + (<usize>i << 2)));
        }
        let best = f64.MAX_VALUE, chosen: f32 = 1;
        for (let step = 0; step < 80; step++) {
          const p = <f32>(1 - <f64>step / 100);
          const beyond = max<f32>(max<f32>(highest - (top - zero) * p, -zero * p - lowest), 0);
          const farthest = f32x4.extract_lane(power24(f32x4.splat(beyond), magnitude, fraction, one, bias, power), 0);
          if (<f64>(quietest * farthest) > best) break;
          const shrink: f32 = 1 / p;
          const s = f32x4.splat(p), q = f32x4.splat(shrink);
          let total: f64 = 0, clipped: f64 = 0;
          let i = 0;
          // Sums only grow: half of a loss that is no less than the best is as good as all of it.
          for (; i < body && total < best; ) {
            let sums = none, ends = none;
            for (const flush = min(i + 256, body); i < flush; ) {
              for (const look = min(i + 32, flush); i < look; i += 4) {
                const t = v128.load(scratch + (<usize>i << 2));
                const near = f32x4.floor(f32x4.add(f32x4.add(f32x4.mul(t, q), z), half));
                const code = f32x4.pmin(f32x4.pmax(near, none), tops);
                const e = f32x4.sub(t, f32x4.mul(f32x4.sub(code, z), s));
                const alone = power24(e, magnitude, fraction, one, bias, power);
                const lost = loudness == 0 ? alone : f32x4.mul(alone, v128.load(loud + (<usize>i << 2)));
                sums = f32x4.add(sums, lost);
                ends = f32x4.add(ends, v128.and(lost, f32x4.ne(near, code)));
              }
              if (total + <f64>sumFloats(sums) >= best) break;
            }
            total += <f64>sumFloats(sums);
            clipped += <f64>sumFloats(ends);
          }
          if (total >= best) {
            // What is clipped now is clipped further by every later step; a thousandth is more than the polynomials bend.
            if (clipped > best * 1.001) break;
            continue;
          }
          for (; i < length; i++) {
            const t = load<f32>(scratch + (<usize>i << 2));
            const code = max<f32>(0, min(top, floor<f32>(t * shrink + zero + almostHalf)));
            const e = f32x4.splat(t - (code - zero) * p);
            const lost = f32x4.extract_lane(power24(e, magnitude, fraction, one, bias, power), 0);
            total += <f64>(loudness == 0 ? lost : lost * load<f32>(loud + (<usize>i << 2)));
          }
          if (total < best) {
            best = total;
            chosen = p;
          }
        }
        const narrower = scale * chosen;
        if (abs(narrower) >= reinterpret<f32>(0x00800000)) store<f32>(scales, narrower);
      }
      floats += <usize>length << 2;
      scales += 4;
      zeros++;
    }
  }
}
