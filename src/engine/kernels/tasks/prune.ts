// Pruning, piece by piece: counts of magnitudes, masks of what stays, and weights without what goes.
import type { Weights } from '../bench';
import { keepMasked } from '../reference/prune';
import type { Source } from '../source';
import { flatPiece, type Starter } from './task';

export interface MagnitudesAsk {
  readonly weights: Weights;
  readonly count: number;
  /** See reference/prune.ts. */
  readonly shift: number;
  readonly above: number;
  readonly prefix: number;
}

export const magnitudes: Starter<MagnitudesAsk, null, Uint32Array<ArrayBuffer>> = (bench, ask) => {
  const { weights, count, shift, above, prefix } = ask;
  const places = 2 ** (above - shift);
  const counts = bench.take(places * 4);
  const total = new Uint32Array(bench.memory.buffer, counts, places);
  total.fill(0);
  const start = bench.mark();
  return {
    piece(index) {
      const first = index * flatPiece;
      bench.release(start);
      const { at, length } = bench.load(weights, first, Math.min(flatPiece, count - first));
      bench.fast.countMagnitudes(counts, at, length, shift, above, prefix);
      return null;
    },
    end: () => total.slice() as Uint32Array<ArrayBuffer>,
  };
};

export interface AboveAsk {
  readonly weights: Weights;
  readonly count: number;
  /** Bits of a magnitude. */
  readonly threshold: number;
  /** Whether those at the threshold are wanted too. */
  readonly ties: boolean;
}

export interface AbovePiece {
  /** 1 where the weight is above. */
  readonly mask: Uint8Array<ArrayBuffer>;
  readonly kept: number;
  /** 1 where the weight is above or at the threshold. */
  readonly atLeast: Uint8Array<ArrayBuffer> | null;
}

export const above: Starter<AboveAsk, AbovePiece, null> = (bench, { weights, count, threshold, ties }) => {
  const mask = bench.take(flatPiece);
  const start = bench.mark();
  return {
    piece(index) {
      const first = index * flatPiece;
      bench.release(start);
      const { at, length } = bench.load(weights, first, Math.min(flatPiece, count - first));
      const kept = bench.fast.maskAbove(mask, at, length, threshold);
      const own = bench.copy(mask, length);
      if (!ties) return { mask: own, kept, atLeast: null };
      bench.fast.maskAbove(mask, at, length, threshold - 1);
      return { mask: own, kept, atLeast: bench.copy(mask, length) };
    },
    end: () => null,
  };
};

export interface TwoOfFourAsk {
  readonly weights: Weights;
  readonly count: number;
  /** Columns of the stored rows where fours run down them; null where fours are neighbours. */
  readonly columns: number | null;
}

/** Elements of a piece: whole fours, and whole rows where they run down. */
export function twoOfFourPiece(columns: number | null): number {
  return columns === null ? flatPiece : 4 * columns * Math.max(1, Math.floor(flatPiece / (4 * columns)));
}

export const twoOfFour: Starter<TwoOfFourAsk, Uint8Array<ArrayBuffer>, null> = (bench, { weights, count, columns }) => {
  const size = twoOfFourPiece(columns);
  const start = bench.mark();
  return {
    piece(index) {
      bench.release(start);
      const first = index * size;
      const length = Math.min(size, count - first);
      const mask = bench.take(length);
      const { at } = bench.load(weights, first, length);
      if (columns === null) bench.fast.maskNeighbours(mask, at, length);
      else {
        for (let row = 0; row < length; row += 4 * columns) bench.fast.maskBelow(mask + row, at + row * 4, columns);
      }
      return bench.copy(mask, length);
    },
    end: () => null,
  };
};

export interface MaskedAsk {
  readonly source: Source;
  readonly bytes: 2 | 4 | 8;
  /** Of the whole tensor; the task runs where it is. */
  readonly mask: Uint8Array;
}

export const masked: Starter<MaskedAsk, Uint8Array<ArrayBuffer>, null> = (bench, { source, bytes, mask }) => {
  const [own, from, to] = [bench.take(flatPiece), bench.take(flatPiece * 8), bench.take(flatPiece * 8)];
  return {
    piece(index) {
      const first = index * flatPiece;
      const part = mask.subarray(first, first + flatPiece);
      bench.reader.read(from, source, first * bytes, part.length * bytes);
      const view = (at: number, length: number) => new Uint8Array(bench.memory.buffer, at, length);
      if (bytes === 8) keepMasked(view(to, part.length * 8), view(from, part.length * 8), part, 8);
      else {
        view(own, part.length).set(part);
        bench.fast.keepMasked(to, from, own, part.length, bytes);
      }
      return bench.copy(to, part.length * bytes);
    },
    end: () => null,
  };
};
