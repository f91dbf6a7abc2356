// Block quantization, piece by piece: codes packed as the request wants them, scales and zeros.
import type { Weights } from '../bench';
import { GroupPlan, type GroupShape } from '../group-plan';
import type { Loss } from '../reference/quantize';
import { quantizePiece, type Way } from './groups';
import type { Starter } from './task';

export interface QuantizeAsk {
  readonly weights: Weights;
  readonly shape: GroupShape;
  readonly way: Way;
  /** Xored to every code and zero: 2^(bits−1) makes them two's complement. */
  readonly flip: number;
}

export interface QuantizePiece {
  /** Packed, or one byte a code where pieces share bytes (`packsInPieces`). */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** [lines][groups] */
  readonly scales: Float32Array<ArrayBuffer>;
  readonly zeros: Uint8Array<ArrayBuffer>;
  readonly floatZeros: Float32Array<ArrayBuffer> | null;
  readonly loss: Loss;
  readonly outputNoise: number;
}

export const quantize: Starter<QuantizeAsk, QuantizePiece, null> = (bench, { weights, shape, way, flip }) => {
  const plan = new GroupPlan(shape);
  const start = bench.mark();
  return {
    piece(index) {
      bench.release(start);
      const done = quantizePiece(bench, weights, plan, plan.piece(index), way);
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
        floatZeros:
          done.floatZeros === null
            ? null
            : (bench.floats(done.floatZeros, done.groupCount).slice() as Float32Array<ArrayBuffer>),
        loss: done.loss,
        outputNoise: done.outputNoise,
      };
    },
    end: () => null,
  };
};
