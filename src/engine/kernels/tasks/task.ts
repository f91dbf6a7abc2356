// What a thread does: pieces of a task in any order, each answered on its own, and what it has at the end.
import type { Bench } from '../bench';

/** One thread's part of a task. */
export interface Share<Piece, End> {
  piece(index: number): Piece;
  /** Asked once, when no piece is left. */
  end(): End;
}
export type Starter<Ask, Piece, End> = (bench: Bench, ask: Ask) => Share<Piece, End>;

/** Elements of a piece for what runs over a flat tensor: 1 MiB of float32, which stays in the second-level cache. */
export const flatPiece = 2 ** 18;

export function flatPieces(count: number): number {
  return Math.ceil(count / flatPiece);
}
