// Σ x·xᵀ of a layer's inputs: what rounding with the inputs in view needs. Plain reference of the SIMD kernel, equal to it where that does not
// fuse multiplication and addition.
import { tileSide } from './factor';

const f = Math.fround;

/** out[i][j] = Σ x[row + i]·x[column + j] over inputs of `line`; products and sums in float32, zero beyond `line`. */
export function multiplyColumns(
  out: Float32Array,
  inputs: Float32Array,
  line: number,
  row: number,
  column: number,
): void {
  out.fill(0);
  for (let i = 0; i < tileSide && row + i < line; i++) {
    for (let j = 0; j < tileSide && column + j < line; j++) {
      let sum = 0;
      for (let t = 0; t < inputs.length; t += line) sum = f(sum + f(inputs[t + row + i]! * inputs[t + column + j]!));
      out[i * tileSide + j] = sum;
    }
  }
}
