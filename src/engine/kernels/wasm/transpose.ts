// Turning stored rows into lines of a channel each, in tiles of 16 × 16 so that every cache line that is touched is used up.

export function transposeFloats(to: usize, from: usize, rows: i32, columns: i32): void {
  const fullRows = rows & ~3, fullColumns = columns & ~3;
  const fromStride = <usize>columns << 2, toStride = <usize>rows << 2;
  for (let c0 = 0; c0 < fullColumns; c0 += 16) {
    const c1 = min(c0 + 16, fullColumns);
    for (let r0 = 0; r0 < fullRows; r0 += 16) {
      const r1 = min(r0 + 16, fullRows);
      for (let c = c0; c < c1; c += 4) {
        for (let r = r0; r < r1; r += 4) {
          const p = from + <usize>r * fromStride + (<usize>c << 2);
          const q = to + <usize>c * toStride + (<usize>r << 2);
          const a = v128.load(p), b = v128.load(p + fromStride);
          const d = v128.load(p + 2 * fromStride), e = v128.load(p + 3 * fromStride);
          const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), AB = i32x4.shuffle(a, b, 2, 6, 3, 7);
          const de = i32x4.shuffle(d, e, 0, 4, 1, 5), DE = i32x4.shuffle(d, e, 2, 6, 3, 7);
          v128.store(q, i64x2.shuffle(ab, de, 0, 2));
          v128.store(q + toStride, i64x2.shuffle(ab, de, 1, 3));
          v128.store(q + 2 * toStride, i64x2.shuffle(AB, DE, 0, 2));
          v128.store(q + 3 * toStride, i64x2.shuffle(AB, DE, 1, 3));
        }
      }
    }
  }
  for (let r = 0; r < rows; r++) {
    // The right edge for every row, the bottom edge for the last rows.
    for (let c = r < fullRows ? fullColumns : 0; c < columns; c++) {
      store<f32>(to + <usize>c * toStride + (<usize>r << 2), load<f32>(from + <usize>r * fromStride + (<usize>c << 2)));
    }
  }
}

export function transposeCodes(to: usize, from: usize, rows: i32, columns: i32): void {
  for (let c0 = 0; c0 < columns; c0 += 16) {
    const c1 = min(c0 + 16, columns);
    for (let r0 = 0; r0 < rows; r0 += 64) {
      const r1 = min(r0 + 64, rows);
      for (let c = c0; c < c1; c++) {
        for (let r = r0; r < r1; r++) {
          store<u8>(to + <usize>c * rows + r, load<u8>(from + <usize>r * columns + c));
        }
      }
    }
  }
}
