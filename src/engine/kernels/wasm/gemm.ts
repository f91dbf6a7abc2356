// Inner products of packed panels: the one place where multiplication and addition are fused where the processor can.
//
//   A, four rows:      a00 a10 a20 a30 | a01 a11 a21 a31 | …        B, eight columns:   b00 … b07 | b10 … b17 | …

/** C[4][8] += A·B in float32; `stride` bytes from a row of C to the next. */
// @ts-ignore: decorator
@inline
export function addPanels(c: usize, stride: usize, a: usize, b: usize, depth: i32): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (const end = b + (<usize>depth << 5); b < end; ) {
    let b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = f32x4.relaxed_madd(x, b0, c00); c01 = f32x4.relaxed_madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = f32x4.relaxed_madd(x, b0, c10); c11 = f32x4.relaxed_madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = f32x4.relaxed_madd(x, b0, c20); c21 = f32x4.relaxed_madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = f32x4.relaxed_madd(x, b0, c30); c31 = f32x4.relaxed_madd(x, b1, c31);
    b0 = v128.load(b, 32); b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 16);
    c00 = f32x4.relaxed_madd(x, b0, c00); c01 = f32x4.relaxed_madd(x, b1, c01);
    x = v128.load32_splat(a, 20);
    c10 = f32x4.relaxed_madd(x, b0, c10); c11 = f32x4.relaxed_madd(x, b1, c11);
    x = v128.load32_splat(a, 24);
    c20 = f32x4.relaxed_madd(x, b0, c20); c21 = f32x4.relaxed_madd(x, b1, c21);
    x = v128.load32_splat(a, 28);
    c30 = f32x4.relaxed_madd(x, b0, c30); c31 = f32x4.relaxed_madd(x, b1, c31);
    a += 32;
    b += 64;
  }
  v128.store(c, f32x4.add(v128.load(c), c00)); v128.store(c, f32x4.add(v128.load(c, 16), c01), 16);
  c += stride;
  v128.store(c, f32x4.add(v128.load(c), c10)); v128.store(c, f32x4.add(v128.load(c, 16), c11), 16);
  c += stride;
  v128.store(c, f32x4.add(v128.load(c), c20)); v128.store(c, f32x4.add(v128.load(c, 16), c21), 16);
  c += stride;
  v128.store(c, f32x4.add(v128.load(c), c30)); v128.store(c, f32x4.add(v128.load(c, 16), c31), 16);
}

/** C[4][4] −= A·B in float64, both in panels of four; `keep` 0 writes A·B instead. */
// @ts-ignore: decorator
@inline
export function subtractDoubles(c: usize, stride: usize, a: usize, b: usize, depth: i32, keep: bool): void {
  let c00 = f64x2.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (const end = b + (<usize>depth << 5); b < end; ) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load64_splat(a);
    c00 = f64x2.relaxed_madd(x, b0, c00); c01 = f64x2.relaxed_madd(x, b1, c01);
    x = v128.load64_splat(a, 8);
    c10 = f64x2.relaxed_madd(x, b0, c10); c11 = f64x2.relaxed_madd(x, b1, c11);
    x = v128.load64_splat(a, 16);
    c20 = f64x2.relaxed_madd(x, b0, c20); c21 = f64x2.relaxed_madd(x, b1, c21);
    x = v128.load64_splat(a, 24);
    c30 = f64x2.relaxed_madd(x, b0, c30); c31 = f64x2.relaxed_madd(x, b1, c31);
    a += 32;
    b += 32;
  }
  put(c, c00, c01, keep);
  put(c + stride, c10, c11, keep);
  put(c + 2 * stride, c20, c21, keep);
  put(c + 3 * stride, c30, c31, keep);
}

// @ts-ignore: decorator
@inline
function put(c: usize, low: v128, high: v128, keep: bool): void {
  if (keep) {
    low = f64x2.sub(v128.load(c), low);
    high = f64x2.sub(v128.load(c, 16), high);
  }
  v128.store(c, low);
  v128.store(c, high, 16);
}
