// Σ x·xᵀ of a layer's inputs: what rounding with the inputs in view needs. Plain reference: the SIMD kernel gives the same bits.
const f = Math.fround;

/** Inputs that are summed in float32 before they are added in float64. */
export const gramRun = 256;

/**
 * Adds to the tile [rowFrom, rowFrom + tileRows) × [columnFrom, …) of `gram` (float64, [columns][columns]) the products of at most `gramRun`
 * inputs of [count][columns], in their order, each product and sum in float32.
 */
export function addTile(
  gram: Float64Array,
  inputs: Float32Array,
  columns: number,
  tile: { rowFrom: number; rows: number; columnFrom: number; columns: number },
): void {
  const count = inputs.length / columns;
  for (let i = tile.rowFrom; i < tile.rowFrom + tile.rows; i++) {
    for (let j = tile.columnFrom; j < tile.columnFrom + tile.columns; j++) {
      let sum = 0;
      for (let t = 0; t < count; t++) sum = f(sum + f(inputs[t * columns + i]! * inputs[t * columns + j]!));
      gram[i * columns + j]! += sum;
    }
  }
}
