// The kernels of pruning, as both implementations have them: masks have a byte a weight, magnitudes are compared as the bits of |w|.
import type { Address } from './kernel-set';

export interface PruningSet {
  /** 1 where a weight's magnitude is above the threshold, else 0. Answers how many. */
  maskAbove(mask: Address, floats: Address, count: number, threshold: number): number;
  /** See reference/prune.ts; adds to 2^(above − shift) uint32 at `counts`. `shift` is at least 2 where `above` is 31. */
  countMagnitudes(counts: Address, floats: Address, count: number, shift: number, above: number, prefix: number): void;
  /** Keeps the two largest of each four neighbours; `count` is a multiple of four. */
  maskNeighbours(mask: Address, floats: Address, count: number): void;
  /** Keeps the two largest of each four below one another in four rows of `columns`. */
  maskBelow(mask: Address, floats: Address, columns: number): void;
  /** Copies elements of 2 or 4 bytes, zeros where the mask is 0. */
  keepMasked(to: Address, from: Address, mask: Address, count: number, bytes: number): void;
}
