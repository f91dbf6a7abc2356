// Reasons for a "no" that every cutting method shares, as refusals that name the layer.
import type { Refusal } from '../../../contract/words/refusal';
import type { DataType } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';

export function refusal({ name }: LayerSite, sentence: string, mend?: string): Refusal {
  return { code: 'unsupported', sentence: `${name}: ${sentence}`, ...(mend ? { mend } : {}) };
}

/** Where no setting helps: the layer may as well be left out of the step. */
export const keepIt = 'Exclude it; it stays as it is.';

/** Another method that makes the same layer smaller. */
export const insteadUse = (method: 'weight-only' | 'float16'): string => `Use ${method} for a smaller file.`;

/** A layer whose weights are codes already: cutting it again would add a second rounding to the first. */
export function dequantizedAlready(site: LayerSite): Refusal | null {
  if (!site.scales && site.bits >= 16) return null;
  return refusal(site, `Its weights are in ${site.bits} bits already.`, 'Start from the model as it was before.');
}

/** Weights and activations the kernels and the runtime's packed operators do not take. */
export function unfitType(site: LayerSite, computes: DataType | null): Refusal | null {
  const { dtype } = site.tensor;
  if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'bfloat16')
    return refusal(site, `Its weights are ${dtype}; this method takes float32 and float16.`, keepIt);
  if (computes === 'float32' || computes === 'float16') return null;
  return refusal(
    site,
    `It computes in ${computes ?? 'an unknown type'}; this method takes float32 and float16.`,
    keepIt,
  );
}
