// What quantization would do to a tensor, without its codes: three histograms and how often each level is used.
import type { Weights } from '../bench';
import { GroupPlan, type GroupShape } from '../group-plan';
import type { Loss } from '../reference/quantize';
import { quantizePiece, type Way } from './groups';
import type { Starter } from './task';

interface Bins {
  readonly min: number;
  readonly width: number;
}

export interface PreviewAsk {
  readonly weights: Weights;
  readonly shape: GroupShape;
  readonly way: Way;
  /** Bins of the weights and of the reconstructed weights. */
  readonly bins: Bins;
  /** Bins of the weights divided by their scales. */
  readonly scaledBins: Bins;
  /** False where the histogram of the weights is known already. */
  readonly before: boolean;
}
export interface PreviewEnd {
  readonly before: Uint32Array<ArrayBuffer>;
  readonly after: Uint32Array<ArrayBuffer>;
  readonly scaled: Uint32Array<ArrayBuffer>;
  /** How often code − zero + 256 occurs. */
  readonly levels: Uint32Array<ArrayBuffer>;
}

export const preview: Starter<PreviewAsk, Loss, PreviewEnd> = (bench, ask) => {
  const { weights, shape, way } = ask;
  const plan = new GroupPlan(shape);
  // Each with the scratch that counting needs.
  const counters = { before: bench.take(5120), after: bench.take(5120), scaled: bench.take(5120) };
  const levels = bench.take(2048 + 8192);
  const counted = (at: number, count = 256) => new Uint32Array(bench.memory.buffer, at, count);
  for (const at of Object.values(counters)) counted(at).fill(0);
  counted(levels, 512).fill(0);
  const start = bench.mark();
  return {
    piece(index) {
      bench.release(start);
      const done = quantizePiece(bench, weights, plan, plan.piece(index), way);
      const { floats, codes, scales, zeros, lines, line, group, padded } = done;
      const count = lines * line;
      const kernels = done.finite ? bench.fast : bench.plain;
      const scratch = bench.take(count * 4);
      if (ask.before) kernels.countBins(counters.before, floats, count, ask.bins.min, ask.bins.width);
      if (done.floatZeros === null)
        bench.fast.reconstructGroups(scratch, codes, scales, zeros, lines, line, group, padded);
      else bench.fast.reconstructFloats(scratch, codes, scales, done.floatZeros, lines, line, group, padded);
      kernels.countBins(counters.after, scratch, count, ask.bins.min, ask.bins.width);
      kernels.scaleGroups(scratch, floats, scales, lines, line, group);
      kernels.countBins(counters.scaled, scratch, count, ask.scaledBins.min, ask.scaledBins.width);
      bench.fast.countLevels(levels, codes, zeros, lines, line, group, padded);
      return done.loss;
    },
    end: () => ({
      before: counted(counters.before).slice() as Uint32Array<ArrayBuffer>,
      after: counted(counters.after).slice() as Uint32Array<ArrayBuffer>,
      scaled: counted(counters.scaled).slice() as Uint32Array<ArrayBuffer>,
      levels: counted(levels, 512).slice() as Uint32Array<ArrayBuffer>,
    }),
  };
};
