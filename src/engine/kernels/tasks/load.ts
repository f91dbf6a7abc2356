// Reading a whole tensor into the shared memory, to be kept warm.
import type { Address } from '../kernel-set';
import type { Source } from '../source';
import type { Starter } from './task';

export interface LoadAsk {
  readonly source: Source;
  readonly bytes: number;
  readonly to: Address;
}

export const loadPiece = 2 ** 20;

export const load: Starter<LoadAsk, null, null> = (bench, { source, bytes, to }) => ({
  piece(index) {
    const from = index * loadPiece;
    bench.reader.read(to + from, source, from, Math.min(loadPiece, bytes - from));
    return null;
  },
  end: () => null,
});
