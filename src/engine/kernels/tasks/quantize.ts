// Block quantization, piece by piece: codes packed as the request wants them, scales and zeros.
import type { Weights } from '../bench';
import { GroupPlan, type GroupShape } from '../group-plan';
import type { Grid, Loss } from '../reference/quantize';
import { quantizePiece } from './groups';
import type { Starter } from './task';

export interface QuantizeAsk {
  readonly weights: Weights;
  readonly shape: GroupShape;
  readonly rule: Grid['rule'];
  /** Xored to every code and zero: 2^(bits−1) makes them two's complement. */
  readonly flip: number;
}

export interface QuantizePiece {
  /** Packed, or one byte a code where pieces share bytes (`packsInPieces`). */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** [lines][groups] */
  readonly scales: Float32Array<ArrayBuffer>;
  readonly zeros: Uint8Array<ArrayBuffer>;
  readonly loss: Loss;
}

export const quantize: Starter<QuantizeAsk, QuantizePiece, null> = (bench, { weights, shape, rule, flip }) => {
  const plan = new GroupPlan(shape);
  const start = bench.mark();
  return {
    piece(index) {
      bench.release(start);
      const done = quantizePiece(bench, weights, plan, plan.piece(index), rule);
      let { codes } = done;
      if (shape.pack === 'plain' && shape.order === 'columns') {
        codes = bench.take(done.codeCount);
        bench.fast.transposeCodes(codes, done.codes, done.lines, done.line);
      }
      const bits = plan.packsInPieces ? shape.bits : 8;
      const bytes = Math.ceil((done.codeCount * bits) / 8);
      const packed = bench.take(bytes);
      bench.fast.packCodes(packed, codes, done.codeCount, bits, flip);
      return {
        codes: bench.copy(packed, bytes),
        scales: bench.floats(done.scales, done.groupCount).slice() as Float32Array<ArrayBuffer>,
        zeros: bench.copy(done.zeros, done.groupCount),
        loss: done.loss,
      };
    },
    end: () => null,
  };
};
