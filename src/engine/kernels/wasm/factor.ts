// Cholesky factorisation by tiles of 128 × 128 float64; the steps are those of ../reference/factor.ts.
import { subtractDoubles } from "./gemm";

const side = 128;
const rowBytes: usize = side * 8;

export function factorTile(tile: usize): i32 {
  for (let j = 0; j < side; j++) {
    const own = tile + <usize>j * rowBytes;
    let pivot = load<f64>(own + (<usize>j << 3));
    for (let k: usize = 0; k < <usize>j << 3; k += 8) {
      const x = load<f64>(own + k);
      pivot -= x * x;
    }
    if (!(pivot > 0 && pivot < Infinity)) return j + 1;
    const diagonal = sqrt(pivot), reciprocal = 1 / diagonal;
    store<f64>(own + (<usize>j << 3), diagonal);
    for (let i = j + 1; i < side; i++) {
      const row = tile + <usize>i * rowBytes, at = row + (<usize>j << 3);
      let sum: f64 = 0;
      for (let k: usize = 0; k < <usize>j << 3; k += 8) sum += load<f64>(row + k) * load<f64>(own + k);
      store<f64>(at, (load<f64>(at) - sum) * reciprocal);
      store<f64>(own + (<usize>i << 3), 0);
    }
  }
  return 0;
}

export function invertTile(inverse: usize, tile: usize): void {
  memory.fill(inverse, 0, side * rowBytes);
  for (let i = 0; i < side; i++) {
    const row = tile + <usize>i * rowBytes, own = inverse + <usize>i * rowBytes;
    for (let k = 0; k < i; k++) {
      const factor = f64x2.splat(load<f64>(row + (<usize>k << 3))), from = inverse + <usize>k * rowBytes;
      // Beyond k there are zeros.
      for (let j: usize = 0; j <= <usize>k << 3; j += 16) {
        v128.store(own + j, f64x2.sub(v128.load(own + j), f64x2.mul(factor, v128.load(from + j))));
      }
    }
    const reciprocal = 1 / load<f64>(row + (<usize>i << 3));
    for (let j: usize = 0; j < <usize>i << 3; j += 8) store<f64>(own + j, load<f64>(own + j) * reciprocal);
    store<f64>(own + (<usize>i << 3), reciprocal);
  }
}

/** Rows of a tile in panels of four, which are the columns of its transpose too. */
function packRows(to: usize, tile: usize): void {
  for (let i = 0; i < side; i += 4) {
    const a = tile + <usize>i * rowBytes;
    for (let k: usize = 0; k < rowBytes; k += 16) {
      const p = v128.load(a + k), q = v128.load(a + rowBytes + k);
      const r = v128.load(a + 2 * rowBytes + k), s = v128.load(a + 3 * rowBytes + k);
      v128.store(to, i64x2.shuffle(p, q, 0, 2));
      v128.store(to, i64x2.shuffle(r, s, 0, 2), 16);
      v128.store(to, i64x2.shuffle(p, q, 1, 3), 32);
      v128.store(to, i64x2.shuffle(r, s, 1, 3), 48);
      to += 64;
    }
  }
}

function multiply(c: usize, a: usize, b: usize, scratch: usize, keep: bool): void {
  const second = scratch + side * rowBytes;
  packRows(scratch, a);
  packRows(second, b);
  for (let j = 0; j < side; j += 4) {
    const panel = second + <usize>j * rowBytes;
    for (let i = 0; i < side; i += 4) {
      const at = c + <usize>i * rowBytes + (<usize>j << 3);
      subtractDoubles(at, rowBytes, scratch + <usize>i * rowBytes, panel, side, keep);
    }
  }
}

export function subtractProduct(c: usize, a: usize, b: usize, scratch: usize): void {
  multiply(c, a, b, scratch, true);
}

export function multiplyBy(a: usize, b: usize, scratch: usize): void {
  multiply(a, a, b, scratch, false);
}

export function unitTile(tile: usize, diagonal: usize, panels: i32, scratch: usize): void {
  memory.copy(scratch, tile, side * rowBytes);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const value = <f32>(load<f64>(scratch) / load<f64>(diagonal + (<usize>j << 3)));
      scratch += 8;
      if (panels) store<f32>(tile + (<usize>((j >> 3) * side * 8 + i * 8 + (j & 7)) << 2), value);
      else store<f32>(tile + (<usize>(i * side + j) << 2), j < i ? value : 0);
    }
  }
}
