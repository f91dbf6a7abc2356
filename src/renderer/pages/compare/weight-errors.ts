// The error each layer's weights bear in two runs, as shares of their own size: a comparison layer by layer.
import type { LayerOutcome } from '../../../contract/words/run';

export interface WeightError {
  name: string;
  /** Root of noise over signal: 0.09 is 9 % of the weights' size. 0 where a layer is as it was. */
  a: number;
  b: number;
  aBits: number;
  bBits: number;
}

/** 20 dB of signal over noise are an error of a tenth. */
const shareOf = (layer: LayerOutcome | undefined): number =>
  layer?.sqnrDb === undefined || layer.sqnrDb === null ? 0 : 10 ** (-layer.sqnrDb / 20);

/** Layers either run has cut, in the order of the model; the parent (null) bears no error. */
export function weightErrors(a: readonly LayerOutcome[] | null, b: readonly LayerOutcome[] | null): WeightError[] {
  const inA = new Map((a ?? []).map((layer) => [layer.name, layer]));
  const inB = new Map((b ?? []).map((layer) => [layer.name, layer]));
  return [...new Set([...inA.keys(), ...inB.keys()])]
    .map((name) => ({
      name,
      a: shareOf(inA.get(name)),
      b: shareOf(inB.get(name)),
      aBits: inA.get(name)?.bits ?? 32,
      bBits: inB.get(name)?.bits ?? 32,
    }))
    .filter((layer) => layer.a > 0 || layer.b > 0);
}
