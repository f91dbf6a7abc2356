// What a layer is, in words: *Conv 3×3, 128 → 256 channels*.
import { count, shape } from '../../format';
import type { LayerRow } from './rows';

export interface LayerWords {
  before: string;
  /** Around an arrow, where the layer leads from so many to so many. */
  from?: string;
  to?: string;
}

export function layerWords(row: LayerRow): LayerWords {
  const [first = 0, second = 0, ...kernel] = row.shape;
  if (row.op.includes('Conv') && row.shape.length >= 3) {
    const kind = `${row.op} ${shape(kernel)}`;
    return { before: kind, from: count(second), to: `${count(first)} channels` };
  }
  if (row.shape.length === 2 && row.op === 'Gather')
    return { before: `Table of ${count(first)} rows, ${count(second)} wide` };
  if (row.shape.length === 2) return { before: `${row.op}, ${shape(row.shape)}` };
  return { before: `${row.op}, ${shape(row.shape)}` };
}
