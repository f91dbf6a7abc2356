// First reading for statistics: range, zeros, non-finite, power sums and channel ranges.
import type { Weights } from '../bench';
import { weightIndex } from '../dequantize';
import type { PowerSums } from '../reference/moments';
import { powerSums } from '../reference/moments';
import { flatPiece, type Starter } from './task';

export interface SumsAsk {
  readonly weights: Weights;
  /** Stored elements, padding included. */
  readonly count: number;
  readonly shift: number;
  /** The weights are [outer, count, inner]; null where channel ranges are not wanted. */
  readonly channels: { readonly count: number; readonly inner: number } | null;
}
export type SumsEnd = { readonly min: Float32Array<ArrayBuffer>; readonly max: Float32Array<ArrayBuffer> } | null;

export const sums: Starter<SumsAsk, PowerSums, SumsEnd> = (bench, { weights, count, shift, channels }) => {
  const out = bench.take(7 * 8);
  const min = bench.take((channels?.count ?? 0) * 4);
  const max = bench.take((channels?.count ?? 0) * 4);
  bench.floats(min, channels?.count ?? 0).fill(Infinity);
  bench.floats(max, channels?.count ?? 0).fill(-Infinity);
  const start = bench.mark();
  const layout = typeof weights.element === 'string' ? ({ kind: 'tensor' } as const) : weights.element.layout;

  return {
    piece(index) {
      const first = index * flatPiece;
      const stored = Math.min(flatPiece, count - first);
      bench.release(start);
      const { at, length } = bench.load(weights, first, stored);
      bench.fast.powerSums(out, at, length, shift);
      const [low, high, zeros, s1, s2, s3, s4] = new Float64Array(bench.memory.buffer, out, 7) as unknown as number[];
      const finite = Number.isFinite(s4);
      if (channels) {
        const start = weightIndex(first, layout);
        const channel = Math.floor(start / channels.inner) % channels.count;
        const left = channels.inner - (start % channels.inner);
        const kernels = finite ? bench.fast : bench.plain;
        kernels.widenRanges(min, max, at, length, channel, left, channels.inner, channels.count);
      }
      if (!finite) return powerSums(bench.floats(at, length), shift);
      return { count: length, zeros: zeros!, nonFinite: 0, min: low!, max: high!, sums: [s1!, s2!, s3!, s4!] };
    },
    end() {
      if (!channels) return null;
      return { min: bench.floats(min, channels.count).slice(), max: bench.floats(max, channels.count).slice() };
    },
  };
};
