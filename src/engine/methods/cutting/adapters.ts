// Low-rank adapters in a graph: y = x·W becomes x·W + s·(x·A)·B, and with a magnitude (x·W + s·(x·A)·B)·m / ‖W + s·A·B‖. What a model
// says about its adapters stands in its metadata, so that whoever writes or reads it finds them.
import { type Adapter, type AdapterSet, adapterSet } from '../../../contract/words/adapter';
import { freshName, intsAttribute, makeNode, namesIn, withAttributes, withInputs } from '../../graph/edit';
import type { Model, Node, Tensor, TensorData } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { floatTensor, int64Tensor } from '../../graph/tensor';
import { moduleOf, sidesOf } from './adapted-layers';
import { Rewrite } from './rewrite';

/** How much what they add counts. */
export type Scaling = Pick<AdapterSet, 'rank' | 'alpha' | 'rankStabilised'>;

export const scalingOf = ({ rank, alpha, rankStabilised }: Scaling): number =>
  alpha / (rankStabilised ? Math.sqrt(rank) : rank);

const key = 'lathe.adapters';

/** The adapters of a model that keeps them apart; null where there are none, or a later step took one of them away. */
export function adaptersIn({ metadata, graph }: Model): AdapterSet | null {
  const text = metadata.get(key);
  if (text === undefined) return null;
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = adapterSet.safeParse(told);
  if (!parsed.success) return null;
  const isFloat = (name: string | undefined): boolean =>
    name === undefined || graph.initializers.get(name)?.dtype === 'float32';
  return parsed.data.adapters.every(({ a, b, magnitude }) => isFloat(a) && isFloat(b) && isFloat(magnitude))
    ? parsed.data
    : null;
}

/** Adapters for these layers, under names that nothing in the model bears. */
export function nameAdapters(
  { graph }: Model,
  sites: readonly LayerSite[],
  scaling: Scaling,
  hasMagnitude: boolean,
): AdapterSet {
  const taken = namesIn(graph);
  const modules = new Set<string>();
  const adapters = sites.map((site) => {
    const module = freshName(modules, moduleOf(site));
    const name = (what: string): string => freshName(taken, `${module}.${what}`);
    return {
      ...{ module, layer: site.name, ...sidesOf(site)! },
      ...{ a: name('lora_A'), b: name('lora_B') },
      ...(hasMagnitude ? { magnitude: name('lora_magnitude') } : {}),
    };
  });
  return { ...scaling, scaling: freshName(taken, 'lora_scaling'), adapters };
}

/** The numbers of one adapter. */
export interface AdapterData {
  readonly a: TensorData;
  readonly b: TensorData;
  readonly magnitude?: TensorData;
  /**
   * ‖W + s·A·B‖ of each output once A and B are fixed; while they train, `squares`, which is ‖W‖² of each, lets the graph compute it from
   * what they are.
   */
  readonly norm?: TensorData;
  readonly squares?: TensorData;
}

/** The model with an adapter beside each of these sites, which are in its own graph. The base stays as it is, tensor by tensor. */
export function withAdapters(
  model: Model,
  sites: readonly LayerSite[],
  set: AdapterSet,
  dataOf: (adapter: Adapter) => AdapterData,
): Model {
  const rewrite = new Rewrite(model);
  rewrite.place(model.graph, floatTensor(set.scaling, [], [scalingOf(set)]));
  for (const [i, one] of set.adapters.entries()) beside(rewrite, sites[i]!, one, dataOf(one), set);
  const made = rewrite.finish();
  return { ...made, metadata: new Map(made.metadata).set(key, JSON.stringify(set)) };
}

function beside(rewrite: Rewrite, site: LayerSite, one: Adapter, data: AdapterData, set: AdapterSet): void {
  const { node, nodeName } = site;
  const { graph } = site;
  const { rank } = set;
  const s = scalingOf(set);
  const output = node.outputs[0]!;
  const nodes: Node[] = [];
  const put = (what: string, op: string, inputs: string[], to?: string): string => {
    const made = to ?? rewrite.name(`${output}_${what}`);
    nodes.push(makeNode(op, inputs, [made], { name: `${nodeName}/${what}` }));
    return made;
  };
  const store = (name: string, dims: number[], bytes: TensorData): string => {
    rewrite.place(graph, { name, dtype: 'float32', dims, data: bytes });
    return name;
  };
  const scalar = (what: string, value: number): string => {
    const tensor = floatTensor(rewrite.name(`${output}_${what}`), [], [value]);
    rewrite.place(graph, tensor);
    return tensor.name;
  };
  const a = store(one.a, [one.inputs, rank], data.a);
  const b = store(one.b, [rank, one.outputs], data.b);
  const base = rewrite.name(`${output}_base`);
  nodes.push({ ...node, name: nodeName, outputs: [base] });
  const narrow = put('lora_A', 'MatMul', [node.inputs[0]!, a]);
  const scaled = put('lora_scaled', 'Mul', [narrow, set.scaling]);
  const wide = put('lora_B', 'MatMul', [scaled, b]);
  if (one.magnitude === undefined) {
    put('lora_sum', 'Add', [base, wide], output);
    rewrite.replace(site, nodes);
    return;
  }
  const norm = data.norm
    ? store(rewrite.name(`${one.magnitude}_norm`), [one.outputs], data.norm)
    : normInGraph(data.squares!);
  const factor = put('lora_factor', 'Div', [store(one.magnitude, [one.outputs], data.magnitude!), norm]);
  const bias = biasOf(node);
  const sum = put('lora_sum', 'Add', [base, wide]);
  if (bias === '') put('lora_directed', 'Mul', [sum, factor], output);
  else {
    // The bias is part of the base's answer and has no direction: (base + wide)·f + bias·(1 − f).
    const directed = put('lora_directed', 'Mul', [sum, factor]);
    const rest = put('lora_rest', 'Sub', [scalar('lora_one', 1), factor]);
    put('lora_whole', 'Add', [directed, put('lora_bias', 'Mul', [bias, rest])], output);
  }
  rewrite.replace(site, nodes);

  /** ‖W + s·A·B‖² = ‖W‖² + 2s·B∘(Aᵀ·W) + s²·B∘(AᵀA·B), summed over the rank; Aᵀ·W by the layer's own operator. */
  function normInGraph(squares: TensorData): string {
    const axes = int64Tensor(rewrite.name(`${output}_lora_axes`), [1], [0]);
    rewrite.place(graph, axes);
    const turned = rewrite.name(`${output}_lora_turned`);
    nodes.push(makeNode('Transpose', [a], [turned], { attributes: { perm: intsAttribute([1, 0]) } }));
    const seen = rewrite.name(`${output}_lora_seen`);
    nodes.push({ ...withoutBias(node, turned), outputs: [seen] });
    const overRank = (what: string, factor: number, inputs: string[]): string => {
      const summed = put(`lora_${what}_sum`, 'ReduceSum', [put(`lora_${what}`, 'Mul', inputs), axes.name]);
      return put(`lora_${what}_part`, 'Mul', [summed, scalar(`lora_${what}_factor`, factor)]);
    };
    const cross = overRank('cross', 2 * s, [b, seen]);
    const own = overRank('own', s * s, [b, put('lora_image', 'MatMul', [put('lora_gram', 'MatMul', [turned, a]), b])]);
    const fixed = store(rewrite.name(`${output}_lora_squares`), [one.outputs], squares);
    return put('lora_norm', 'Sqrt', [put('lora_square', 'Add', [fixed, put('lora_moved', 'Add', [cross, own])])]);
  }
}

/** The input that is added to a product, or the empty string. */
function biasOf({ op, inputs }: Node): string {
  return inputs[op === 'Gemm' ? 2 : op === 'MatMulNBits' ? 5 : inputs.length] ?? '';
}

/** The same product over another left side: exact, without what is added, and without a name. */
export function withoutBias(node: Node, left: string): Node {
  const at = node.op === 'Gemm' ? 2 : 5;
  const inputs = node.inputs.map((name, i) => (i === 0 ? left : i === at ? '' : name));
  return { ...withAttributes(withInputs(node, inputs), { accuracy_level: null }), name: '' };
}

/** Of tensors that were asked for by name. */
export function tensorOf({ graph }: Model, name: string): Tensor {
  const found = graph.initializers.get(name);
  if (!found) throw new Error(`the adapter ${name} is not in the model`);
  return found;
}
