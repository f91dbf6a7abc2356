// Vector constants that stay in registers, and sums and extremes across the four lanes.

/**
 * Always 0, but the optimiser cannot know: a constant made with it is kept in a register across a loop. A plain `splat(constant)` is folded
 * and made anew at every use, which costs a third of the speed.
 */
export let nothing: i32 = 0;

// @ts-ignore: decorator
@inline
export function keptFloat(x: f32): v128 {
  return i32x4.splat(reinterpret<i32>(x) + nothing);
}

// @ts-ignore: decorator
@inline
export function keptInt(x: i32): v128 {
  return i32x4.splat(x + nothing);
}

// @ts-ignore: decorator
@inline
export function largest(v: v128): f32 {
  const w = f32x4.pmax(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(w, i32x4.shuffle(w, w, 1, 0, 3, 2)), 0);
}

// @ts-ignore: decorator
@inline
export function smallest(v: v128): f32 {
  const w = f32x4.pmin(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmin(w, i32x4.shuffle(w, w, 1, 0, 3, 2)), 0);
}

/** (0 + 1) + (2 + 3) */
// @ts-ignore: decorator
@inline
export function sumFloats(v: v128): f32 {
  const pairs = f32x4.add(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
  return f32x4.extract_lane(f32x4.add(pairs, i32x4.shuffle(pairs, pairs, 2, 3, 0, 1)), 0);
}

// @ts-ignore: decorator
@inline
export function sumInts(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}
