// Conversion to float16, piece by piece.
import type { Weights } from '../bench';
import { flatPiece, type Starter } from './task';

export interface Float16Ask {
  readonly weights: Weights;
  readonly count: number;
}

export const float16: Starter<Float16Ask, Uint8Array<ArrayBuffer>, null> = (bench, { weights, count }) => {
  const floats = bench.take(flatPiece * 4);
  const codes = bench.take(flatPiece * 2);
  return {
    piece(index) {
      const first = index * flatPiece;
      const length = Math.min(flatPiece, count - first);
      bench.loadInto(floats, weights, first, length);
      bench.fast.encodeFloat16(codes, floats, length);
      return bench.copy(codes, length * 2);
    },
    end: () => null,
  };
};
