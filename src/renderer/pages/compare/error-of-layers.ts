// The error each layer's weights, or its output, bear in two runs, as shares of their own size: a comparison layer by layer.
import type { LayerOutcome } from '../../../contract/words/run';

/** Of the weights alone, or of what comes out of the layer: then with the noise of everything before it. */
export type ErrorOf = 'weights' | 'outputs';

const decibelsOf = { weights: 'sqnrDb', outputs: 'outputSqnrDb' } as const;

export interface LayerError {
  name: string;
  /** Root of noise over signal: 0.09 is 9 % of the weights' size. 0 where a layer is as it was. */
  a: number;
  b: number;
  aBits: number;
  bBits: number;
}

/** 20 dB of signal over noise are an error of a tenth. */
function shareOf(layer: LayerOutcome | undefined, of: ErrorOf): number {
  const decibels = layer?.[decibelsOf[of]];
  return decibels === undefined || decibels === null ? 0 : 10 ** (-decibels / 20);
}

/** Layers that bear an error in either run, in the order of the model; the parent (null) bears none. */
export function layerErrors(
  a: readonly LayerOutcome[] | null,
  b: readonly LayerOutcome[] | null,
  of: ErrorOf,
): LayerError[] {
  const inA = new Map((a ?? []).map((layer) => [layer.name, layer]));
  const inB = new Map((b ?? []).map((layer) => [layer.name, layer]));
  return [...new Set([...inA.keys(), ...inB.keys()])]
    .map((name) => ({
      name,
      a: shareOf(inA.get(name), of),
      b: shareOf(inB.get(name), of),
      aBits: inA.get(name)?.bits ?? 32,
      bBits: inB.get(name)?.bits ?? 32,
    }))
    .filter((layer) => layer.a > 0 || layer.b > 0);
}
