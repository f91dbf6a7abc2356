// Whether a tensor was pruned: more zeros than chance leaves.
import { elementCount, type Tensor } from '../../graph/graph';
import type { Gathering } from './gathering';

/** Above this share of exact zeros a tensor was pruned. */
export const prunedShare = 0.05;

/** A sentence where a step moves zeros that pruning made; none where nothing is computed. */
export async function movedZeros(tensor: Tensor, gathering: Gathering | null, why: string): Promise<string[]> {
  if (!gathering) return [];
  const { zeros } = await gathering.kernels.statistics(tensor, { signal: gathering.signal });
  return zeros > elementCount(tensor.dims) * prunedShare ? [`Its zeros do not stay zero: ${why}`] : [];
}
