// Steps of the optimisers and the norm of gradients; the float32 steps and the order of additions are those of ../reference/optimizer.ts.
import { touch } from "./touch";
export { nothing } from "./lanes";

/** Floats of a run that is brought near before its squares are summed; steps compute enough for the processor to look ahead by itself. */
const run: i32 = 4096;

export function adamw(
  weights: usize, grads: usize, m: usize, v: usize, count: i32,
  gradScale: f32, decay: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32, rate: f32, root: f32, epsilon: f32
): void {
  const G = f32x4.splat(gradScale), D = f32x4.splat(decay), B1 = f32x4.splat(beta1), R1 = f32x4.splat(rest1);
  const B2 = f32x4.splat(beta2), R2 = f32x4.splat(rest2), L = f32x4.splat(rate), C = f32x4.splat(root), E = f32x4.splat(epsilon);
  for (const body = weights + (<usize>(count & ~3) << 2); weights < body; ) {
    const g = f32x4.mul(v128.load(grads), G);
    const first = f32x4.add(f32x4.mul(v128.load(m), B1), f32x4.mul(g, R1));
    const second = f32x4.add(f32x4.mul(v128.load(v), B2), f32x4.mul(f32x4.mul(g, g), R2));
    v128.store(m, first);
    v128.store(v, second);
    const below = f32x4.add(f32x4.mul(f32x4.sqrt(second), C), E);
    const step = f32x4.div(f32x4.mul(first, L), below);
    v128.store(weights, f32x4.sub(f32x4.mul(v128.load(weights), D), step));
    weights += 16; grads += 16; m += 16; v += 16;
  }
  for (let i = count & ~3; i < count; i++) {
    const g = load<f32>(grads) * gradScale;
    const first = load<f32>(m) * beta1 + g * rest1, second = load<f32>(v) * beta2 + g * g * rest2;
    store<f32>(m, first);
    store<f32>(v, second);
    store<f32>(weights, load<f32>(weights) * decay - first * rate / (sqrt<f32>(second) * root + epsilon));
    weights += 4; grads += 4; m += 4; v += 4;
  }
}

export function sgd(
  weights: usize, grads: usize, m: usize, count: i32, gradScale: f32, decay: f32, momentum: f32, nesterov: i32, rate: f32
): void {
  const G = f32x4.splat(gradScale), D = f32x4.splat(decay), M = f32x4.splat(momentum), L = f32x4.splat(rate);
  // The way is g + velocity·momentum with Nesterov's look ahead, the velocity itself without.
  const ahead = i32x4.splat(-nesterov);
  for (const body = weights + (<usize>(count & ~3) << 2); weights < body; ) {
    const w = v128.load(weights);
    const g = f32x4.add(f32x4.mul(v128.load(grads), G), f32x4.mul(w, D));
    const velocity = f32x4.add(f32x4.mul(v128.load(m), M), g);
    v128.store(m, velocity);
    const step = v128.bitselect(f32x4.add(g, f32x4.mul(velocity, M)), velocity, ahead);
    v128.store(weights, f32x4.sub(w, f32x4.mul(step, L)));
    weights += 16; grads += 16; m += 16;
  }
  for (let i = count & ~3; i < count; i++) {
    const w = load<f32>(weights), g = load<f32>(grads) * gradScale + w * decay;
    const velocity = load<f32>(m) * momentum + g;
    store<f32>(m, velocity);
    store<f32>(weights, w - (nesterov ? g + velocity * momentum : velocity) * rate);
    weights += 4; grads += 4; m += 4;
  }
}

/** Eight accumulators, joined as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)); the last count mod 8 one by one. */
export function squaredNorm(floats: usize, count: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a;
  const body = count & ~7;
  for (let left = body; left > 0; left -= run) {
    const own = min(left, run);
    touch(floats, own << 2);
    for (const end = floats + (<usize>own << 2); floats < end; floats += 32) {
      const x = v128.load(floats), y = v128.load(floats, 16);
      const p = f64x2.promote_low_f32x4(x), q = f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3));
      const r = f64x2.promote_low_f32x4(y), s = f64x2.promote_low_f32x4(i32x4.shuffle(y, y, 2, 3, 2, 3));
      a = f64x2.add(a, f64x2.mul(p, p));
      b = f64x2.add(b, f64x2.mul(q, q));
      c = f64x2.add(c, f64x2.mul(r, r));
      d = f64x2.add(d, f64x2.mul(s, s));
    }
  }
  let sum = joined(a, b) + joined(c, d);
  for (let i = body; i < count; i++) {
    const x = <f64>load<f32>(floats);
    sum += x * x;
    floats += 4;
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function joined(a: v128, b: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1) + (f64x2.extract_lane(b, 0) + f64x2.extract_lane(b, 1));
}
