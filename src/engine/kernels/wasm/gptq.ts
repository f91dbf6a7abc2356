// Rounding with feedback, tile by tile; the steps are those of ../reference/gptq.ts.
import { addPanels } from "./gemm";

const side = 128;
/** The largest float32 below a half. */
const almostHalf = reinterpret<f32>(0x3effffff);

/** Weights of a line to their places; padding gets zero. */
export function gatherPlaces(to: usize, from: usize, columnOf: usize, lines: i32, line: i32, stride: i32, places: i32): void {
  for (let n = 0; n < lines; n++) {
    for (let p = 0; p < places; p++) {
      const column = load<i32>(columnOf + (<usize>p << 2));
      store<f32>(to + (<usize>p << 2), column < 0 ? 0 : load<f32>(from + (<usize>column << 2)));
    }
    to += <usize>stride << 2;
    from += <usize>line << 2;
  }
}

/** current[lines][128] += lost·unit, panels of four lines and of eight columns; lines are a multiple of four. */
export function feedBack(current: usize, lost: usize, unit: usize, lines: i32): void {
  for (let j = 0; j < side; j += 8) {
    const panel = unit + (<usize>(j * side) << 2);
    for (let n = 0; n < lines; n += 4) {
      addPanels(current + (<usize>(n * side + j) << 2), side * 4, lost + (<usize>(n * side) << 2), panel, side);
    }
  }
}

/** current[0 … places) += lost·row, places rounded up to four: the unit tile is zero from the diagonal on. */
export function feedBackPlace(current: usize, row: usize, places: i32, lost: f32): void {
  const factor = f32x4.splat(lost), end = <usize>places << 2;
  for (let i: usize = 0; i < end; i += 16) {
    v128.store(current + i, f32x4.add(v128.load(current + i), f32x4.mul(factor, v128.load(row + i))));
  }
}

export function roundPlaces(
  codes: usize, codeStride: i32, lost: usize, current: usize, original: usize, stride: i32, unit: usize, weights: usize,
  lines: i32, first: i32, grid: usize, groups: i32, groupOf: usize, codeOf: usize, top: i32
): f64 {
  const highest = <f32>top, run = <usize>groups << 2;
  groupOf += <usize>first << 2;
  codeOf += <usize>first << 2;
  weights += <usize>first << 3;
  original += <usize>first << 2;
  let total: f64 = 0;
  for (let n = 0; n < lines; n++) {
    // In panels of four lines.
    const out = lost + (<usize>((n >> 2) * side * 4 + (n & 3)) << 2);
    let own: f64 = 0;
    for (let p = side - 1; p >= 0; p--) {
      const place = <usize>p << 2;
      const group = grid + (<usize>load<i32>(groupOf + place) << 2);
      const scale = load<f32>(group), zero = load<f32>(group + 2 * run);
      const w = load<f32>(current + place);
      const near = floor<f32>(w * load<f32>(group + run) + zero + almostHalf);
      const was = load<f32>(original + place);
      const code = was == 0 ? zero : max<f32>(0, min(highest, near));
      const rounded = (code - zero) * scale;
      const to = load<i32>(codeOf + place);
      if (to >= 0) store<u8>(codes + to, <u8>code);
      const e = <f64>(w - rounded);
      own += e * e * load<f64>(weights + (<usize>p << 3));
      const d = was - rounded;
      store<f32>(out + (place << 2), d);
      const factor = f32x4.splat(d), row = unit + (<usize>(p * side) << 2);
      // The unit tile is zero from the diagonal on.
      for (let i: usize = 0; i < place; i += 16) {
        v128.store(current + i, f32x4.add(v128.load(current + i), f32x4.mul(factor, v128.load(row + i))));
      }
    }
    total += own;
    codes += codeStride;
    current += side * 4;
    original += <usize>stride << 2;
    grid += 3 * run;
  }
  return total;
}

/** Columns [first, first + 128) of `count` rows in panels of `width`; columns beyond `line` are zero. */
function packColumns(to: usize, from: usize, line: i32, first: i32, count: i32, width: i32): void {
  for (let j = first; j < first + side; j += width) {
    let row = from + (<usize>j << 2);
    for (let t = 0; t < count; t++) {
      if (j + width <= line) {
        v128.store(to, v128.load(row));
        if (width == 8) v128.store(to, v128.load(row, 16), 16);
      } else {
        for (let i = 0; i < width; i++) store<f32>(to + (<usize>i << 2), j + i < line ? load<f32>(row + (<usize>i << 2)) : 0);
      }
      to += <usize>width << 2;
      row += <usize>line << 2;
    }
  }
}

/** out[128][128] = Σ_t x[t][rows…]ᵀ·x[t][columns…] of `count` inputs, a multiple of two; `scratch` takes count · 1 KiB. */
export function multiplyInputs(out: usize, inputs: usize, line: i32, count: i32, row: i32, column: i32, scratch: usize): void {
  const second = scratch + (<usize>(count * side) << 2);
  packColumns(scratch, inputs, line, row, count, 4);
  packColumns(second, inputs, line, column, count, 8);
  memory.fill(out, 0, side * side * 4);
  for (let j = 0; j < side; j += 8) {
    for (let i = 0; i < side; i += 4) {
      addPanels(
        out + (<usize>(i * side + j) << 2), side * 4,
        scratch + (<usize>(i * count) << 2), second + (<usize>(j * count) << 2), count
      );
    }
  }
}
