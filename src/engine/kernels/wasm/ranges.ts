// Smallest and largest value of each channel of a stretch of [outer, channels, inner].
import { largest, smallest } from "./lanes";

export function widenRanges(
  lows: usize, highs: usize, floats: usize, count: i32, channel: i32, left: i32, inner: i32, channels: i32
): void {
  while (count > 0) {
    const at = <usize>channel << 2;
    if (inner == 1) {
      const run = min(count, channels - channel);
      widenEach(lows + at, highs + at, floats, run);
      floats += <usize>run << 2;
      count -= run;
      channel = 0;
    } else {
      const run = min(count, left);
      widenOne(lows + at, highs + at, floats, run);
      floats += <usize>run << 2;
      count -= run;
      left = inner;
      if (++channel == channels) channel = 0;
    }
  }
}

/** Every value is of a channel of its own. */
function widenEach(lows: usize, highs: usize, floats: usize, run: i32): void {
  const body = floats + (<usize>(run & ~3) << 2), end = floats + (<usize>run << 2);
  while (floats < body) {
    const x = v128.load(floats);
    v128.store(lows, f32x4.pmin(v128.load(lows), x));
    v128.store(highs, f32x4.pmax(v128.load(highs), x));
    floats += 16;
    lows += 16;
    highs += 16;
  }
  while (floats < end) {
    const x = load<f32>(floats);
    if (x < load<f32>(lows)) store<f32>(lows, x);
    if (x > load<f32>(highs)) store<f32>(highs, x);
    floats += 4;
    lows += 4;
    highs += 4;
  }
}

/** All values are of one channel. */
function widenOne(low: usize, high: usize, floats: usize, run: i32): void {
  let lowest = load<f32>(low), highest = load<f32>(high);
  const end = floats + (<usize>run << 2);
  if (run >= 8) {
    let a = f32x4.splat(lowest), b = f32x4.splat(highest), c = a, d = b;
    const body = floats + (<usize>(run & ~7) << 2);
    while (floats < body) {
      const x = v128.load(floats), y = v128.load(floats, 16);
      a = f32x4.pmin(a, x);
      b = f32x4.pmax(b, x);
      c = f32x4.pmin(c, y);
      d = f32x4.pmax(d, y);
      floats += 32;
    }
    lowest = smallest(f32x4.pmin(a, c));
    highest = largest(f32x4.pmax(b, d));
  }
  while (floats < end) {
    const x = load<f32>(floats);
    if (x < lowest) lowest = x;
    if (x > highest) highest = x;
    floats += 4;
  }
  store<f32>(low, lowest);
  store<f32>(high, highest);
}
