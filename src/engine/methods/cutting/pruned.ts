// Puts pruned weights in the place of whole ones, layer by layer, each tensor once; names and types stay.
import { elementCount, type Model, storedBytes, type Tensor, type TensorData } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { encodeBfloat16, encodeFloat16, readFloats } from '../../graph/tensor';
import { everyGraph } from '../../graph/walk';
import type { Kernels } from '../../kernels';
import type { LayerCut, Subject, Target } from '../method';
import { Rewrite } from './rewrite';
import type { Workshop } from './workshop';

/** The bytes of a target's pruned weights, in the tensor's own type; `now` is the model with the layers before it pruned. */
export type Prune = (target: Target, kernels: Kernels, now: () => Model) => Promise<Uint8Array>;

export async function* pruneLayers(
  subject: Subject,
  targets: readonly Target[],
  workshop: Workshop,
  prune: Prune,
): AsyncGenerator<LayerCut, Model> {
  const rewrite = new Rewrite(subject.model);
  const { kernels } = workshop;
  const done = new Map<Tensor, LayerCut['error']>();
  for (const target of targets) {
    const { tensor, name } = target.site;
    if (!done.has(tensor)) {
      const data = await workshop.make(storedBytes(tensor), async () => {
        if (!kernels) throw new Error(`${name} is pruned where nothing is computed`);
        return prune(target, kernels, () => rewrite.finish());
      });
      putWeights(rewrite, subject.model, tensor, data);
      done.set(tensor, kernels ? await lossBetween(tensor, { ...tensor, data }) : null);
    }
    yield { layer: name, error: done.get(tensor) ?? null, notes: [] };
  }
  return rewrite.finish();
}

/** Wherever the tensor is stored, other data stand in its place. */
function putWeights(rewrite: Rewrite, model: Model, tensor: Tensor, data: TensorData): void {
  for (const { graph } of everyGraph(model)) {
    for (const [name, one] of graph.initializers) if (one === tensor) rewrite.place(graph, { ...tensor, name, data });
    for (const node of graph.nodes) {
      const value = node.op === 'Constant' ? node.attributes.get('value') : undefined;
      if (value?.type !== 'tensor' || value.value !== tensor) continue;
      rewrite.replace({ graph, node, nodeName: node.name }, []);
      rewrite.place(graph, { ...tensor, name: node.outputs[0]!, data });
    }
  }
}

/** Σw² and Σ(w − ŵ)² */
async function lossBetween(before: Tensor, after: Tensor): Promise<LayerCut['error']> {
  const was = await readFloats(before);
  const is = await readFloats(after);
  let [signal, noise] = [0, 0];
  for (let i = 0; i < was.length; i++) {
    signal += was[i]! ** 2;
    noise += (was[i]! - is[i]!) ** 2;
  }
  return { signal, noise };
}

/** Numbers as a tensor of floats stores them. */
export function storedFloats({ dtype, dims, name }: LayerSite['tensor'], values: Float32Array): Uint8Array {
  if (values.length !== elementCount(dims)) throw new Error(`${values.length} weights for ${name}`);
  const stored = dtype === 'float16' ? encodeFloat16(values) : dtype === 'bfloat16' ? encodeBfloat16(values) : values;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}
