// Turns every vector along one axis of a tensor.
import { elementCount } from '../../graph/graph';
import type { Rotation } from '../../kernels/reference/rotation';

/** Vectors that are turned together where they lie across the memory. */
const tile = 16;

/** v ← (gain ∘ v)·R for every vector along an axis; float64 inside. */
export function turnAlong(
  values: Float32Array,
  dims: readonly number[],
  axis: number,
  rotation: Rotation,
  gain: Float64Array | null,
): void {
  const size = dims[axis]!;
  const inner = elementCount(dims.slice(axis + 1));
  const vectors = new Float64Array(tile * size);
  for (let block = 0; block < values.length; block += size * inner) {
    for (let from = 0; from < inner; from += tile) {
      const width = Math.min(tile, inner - from);
      for (let k = 0; k < size; k++) {
        const at = block + k * inner + from;
        const factor = gain ? gain[k]! : 1;
        for (let t = 0; t < width; t++) vectors[t * size + k] = values[at + t]! * factor;
      }
      for (let t = 0; t < width; t++) rotation.apply(vectors.subarray(t * size, (t + 1) * size));
      for (let k = 0; k < size; k++) {
        const at = block + k * inner + from;
        for (let t = 0; t < width; t++) values[at + t] = vectors[t * size + k]!;
      }
    }
  }
}
