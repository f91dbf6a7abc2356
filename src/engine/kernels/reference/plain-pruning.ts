// The plain kernels of pruning over the shared memory.
import type { WasmMemory } from '../kernel-set';
import type { PruningSet } from '../pruning-set';
import { countMagnitudes, keepMasked, maskAbove, maskTwoOfFour } from './prune';

export function plainPruning(memory: WasmMemory): PruningSet {
  const f32 = (at: number, count: number) => new Float32Array(memory.buffer, at, count);
  const u8 = (at: number, count: number) => new Uint8Array(memory.buffer, at, count);
  return {
    maskAbove: (mask, floats, count, threshold) => maskAbove(u8(mask, count), f32(floats, count), threshold),
    countMagnitudes(counts, floats, count, shift, above, prefix) {
      const places = new Uint32Array(memory.buffer, counts, 2 ** (above - shift));
      countMagnitudes(places, f32(floats, count), shift, above, prefix);
    },
    maskNeighbours: (mask, floats, count) => maskTwoOfFour(u8(mask, count), f32(floats, count), 1),
    maskBelow(mask, floats, columns) {
      maskTwoOfFour(u8(mask, 4 * columns), f32(floats, 4 * columns), columns);
    },
    keepMasked(to, from, mask, count, bytes) {
      keepMasked(u8(to, count * bytes), u8(from, count * bytes), u8(mask, count), bytes);
    },
  };
}
