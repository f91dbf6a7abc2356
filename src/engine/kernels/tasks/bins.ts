// Second reading for statistics: the histogram over a known range and the weights far from the mean.
import type { Weights } from '../bench';
import { flatPiece, type Starter } from './task';

export interface BinsAsk {
  readonly weights: Weights;
  readonly count: number;
  readonly min: number;
  readonly width: number;
  /** Weights outside [low, high] are counted as outliers; null where none can be. */
  readonly beyond: { readonly low: number; readonly high: number } | null;
  /** False where some weights are NaN or infinite. */
  readonly finite: boolean;
}
export type BinsEnd = { readonly counts: Uint32Array<ArrayBuffer>; readonly beyond: number };

export const bins: Starter<BinsAsk, null, BinsEnd> = (bench, { weights, count, min, width, beyond, finite }) => {
  const kernels = finite ? bench.fast : bench.plain;
  const counts = bench.take(1024 + 4096);
  const total = new Uint32Array(bench.memory.buffer, counts, 256);
  total.fill(0);
  const start = bench.mark();
  let outside = 0;
  return {
    piece(index) {
      const first = index * flatPiece;
      const stored = Math.min(flatPiece, count - first);
      bench.release(start);
      const { at, length } = bench.load(weights, first, stored);
      kernels.countBins(counts, at, length, min, width);
      if (beyond) outside += kernels.countBeyond(at, length, beyond.low, beyond.high);
      return null;
    },
    end: () => ({ counts: total.slice() as Uint32Array<ArrayBuffer>, beyond: outside }),
  };
};
