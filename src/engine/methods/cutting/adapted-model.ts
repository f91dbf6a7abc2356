// What becomes of adapters that have learnt: part of the weights they stood beside, or tensors of their own beside them.
import type { Adapter, AdapterSet } from '../../../contract/words/adapter';
import { withInitializers } from '../../graph/edit';
import { elementCount, type Model, type Tensor, type TensorData } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { readFloats } from '../../graph/tensor';
import { withStoredWeights } from '../../train/parameters';
import type { LayerCut } from '../method';
import type { Factors, LearntAdapter } from './adapter-training';
import { type AdapterData, scalingOf, withAdapters } from './adapters';
import { rightMatrix } from './matrix';
import type { Workshop } from './workshop';

/** What adapters go beside, and where they begin where that is not at zero. */
export interface Base {
  readonly model: Model;
  readonly sites: readonly LayerSite[];
  readonly starts?: readonly Factors[] | null;
  readonly errors?: readonly LayerCut['error'][];
}

export interface Adapted {
  readonly model: Model;
  /** Of each layer. */
  readonly notes: readonly (readonly string[])[];
}

/** W + s·A·B in the place of W, with DoRA every channel at its magnitude. */
export async function merged(
  { model, sites }: Base,
  set: AdapterSet,
  learnt: readonly LearntAdapter[] | null,
  workshop: Workshop,
): Promise<Adapted> {
  const stored = withStoredWeights(model);
  const tensors: Tensor[] = [];
  const notes: string[][] = [];
  for (const [i, site] of sites.entries()) {
    const tensor = stored.graph.initializers.get(site.weight)!;
    const weights = learnt && (await readFloats(tensor));
    notes.push(weights && isSparse(weights) ? [filledZeros] : []);
    const data = await workshop.make(elementCount(tensor.dims) * 4, async () =>
      mergedBytes(weights!, site, set, set.adapters[i]!, learnt![i]!),
    );
    tensors.push({ ...tensor, data });
  }
  return { model: { ...stored, graph: withInitializers(stored.graph, tensors) }, notes };
}

const filledZeros =
  'Weights that were pruned to zero are filled where the adapter is merged; kept apart, it leaves them zero.';

/** More than one weight in twenty is zero: it was pruned. */
function isSparse(weights: Float32Array): boolean {
  let zeros = 0;
  for (const value of weights) if (value === 0) zeros++;
  return zeros > 0.05 * weights.length;
}

function mergedBytes(
  weights: Float32Array,
  site: LayerSite,
  set: AdapterSet,
  { inputs, outputs }: Adapter,
  { a, b, magnitude, norm }: LearntAdapter,
): Uint8Array {
  const s = scalingOf(set);
  const { rank } = set;
  const isByRows = rightMatrix(site)!.order === 'rows';
  for (let o = 0; o < outputs; o++) {
    const factor = magnitude && norm ? magnitude[o]! / norm[o]! : 1;
    for (let i = 0; i < inputs; i++) {
      let added = 0;
      for (let k = 0; k < rank; k++) added += a[i * rank + k]! * b[k * outputs + o]!;
      const at = isByRows ? o * inputs + i : i * outputs + o;
      weights[at] = (weights[at]! + s * added) * factor;
    }
  }
  return asBytes(weights);
}

export async function apart(
  { model, sites }: Base,
  set: AdapterSet,
  learnt: readonly LearntAdapter[] | null,
  workshop: Workshop,
): Promise<Adapted> {
  const parts: AdapterData[] = [];
  for (const [i, { inputs, outputs, magnitude }] of set.adapters.entries()) {
    const make = (what: keyof LearntAdapter, count: number): Promise<TensorData> =>
      workshop.make(count * 4, async () => asBytes(learnt![i]![what]!));
    parts.push({
      a: await make('a', inputs * set.rank),
      b: await make('b', set.rank * outputs),
      ...(magnitude ? { magnitude: await make('magnitude', outputs), norm: await make('norm', outputs) } : {}),
    });
  }
  const made = withAdapters(model, sites, set, (one) => parts[set.adapters.indexOf(one)]!);
  return { model: made, notes: sites.map(() => []) };
}

const asBytes = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
