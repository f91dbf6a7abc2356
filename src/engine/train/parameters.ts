// Which tensors train when a step acts on some layers: their weights, their biases, and the norms beside them.
import { withInitializers } from '../graph/edit';
import { elementCount, type Graph, type Model, type Node, type Tensor } from '../graph/graph';
import type { LayerSite } from '../graph/layers';
import { constantTensor, consumers, producers } from '../graph/walk';
import type { Parameter } from './optimizer';

/** Inputs of an operator that belong to the layer beside its weights. */
const ownInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [2],
  ConvTranspose: [2],
  Gemm: [2],
  LSTM: [3, 7],
  GRU: [3],
  RNN: [3],
};

/** Inputs of an operator between layers that a training moves along with its neighbours. */
const freeInputs: Readonly<Record<string, readonly number[]>> = {
  Add: [0, 1],
  Mul: [0, 1],
  PRelu: [1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2],
  RMSNormalization: [1],
  SimplifiedLayerNormalization: [1],
  SkipSimplifiedLayerNormalization: [2, 3],
  SkipLayerNormalization: [2, 3, 4],
  FastGelu: [1],
  BiasGelu: [1],
};
const isNorm = (op: string): boolean => op.endsWith('Normalization');

/** Weights that are outputs of Constant nodes become initializers, which alone can be fed. */
export function withStoredWeights(model: Model): Model {
  const { graph } = model;
  const lifted: Tensor[] = [];
  const nodes = graph.nodes.filter((node) => {
    const tensor = constantTensor(node);
    const isWeight = tensor?.dtype === 'float32' && elementCount(tensor.dims) > 1;
    if (isWeight) lifted.push({ ...tensor, name: node.outputs[0]! });
    return !isWeight;
  });
  if (lifted.length === 0) return model;
  return { ...model, graph: withInitializers({ ...graph, nodes }, lifted) };
}

/**
 * The parameters of the chosen layers, each once, in the order of the graph. `model` is as `withStoredWeights` leaves it. Tensors that are
 * not float32 or lie in a subgraph are no parameters.
 */
export function parametersOf({ graph }: Model, chosen: readonly LayerSite[], every: readonly LayerSite[]): Parameter[] {
  const found = new Map<string, Parameter>();
  const add = (name: string | undefined): void => {
    const tensor = name ? graph.initializers.get(name) : undefined;
    if (tensor?.dtype === 'float32' && !found.has(tensor.name)) found.set(tensor.name, parameter(tensor));
  };
  const chosenNodes = new Set(chosen.map(({ node }) => node.outputs[0]));
  const layerNodes = new Set(every.map(({ node }) => node.outputs[0]));
  const weights = new Set(every.map(({ weight }) => weight));
  for (const site of chosen) {
    add(site.weight);
    for (const input of ownInputs[site.op] ?? []) add(site.node.inputs[input]);
  }
  const neighbours = neighboursOf(graph, layerNodes);
  for (const node of graph.nodes) {
    const free = (freeInputs[node.op] ?? []).filter((input) => {
      const tensor = graph.initializers.get(node.inputs[input] ?? '');
      return tensor !== undefined && !weights.has(tensor.name) && isVector(tensor);
    });
    if (free.length === 0) continue;
    if (neighbours(node).some((output) => chosenNodes.has(output))) for (const input of free) add(node.inputs[input]);
  }
  return [...found.values()];
}

function parameter({ name, dims }: Tensor): Parameter {
  return { name, dims, count: elementCount(dims), decays: dims.filter((dim) => dim > 1).length > 1 };
}

/** One number for each channel: anything else between layers is a constant of the architecture (a mask, a table, a factor). */
const isVector = ({ dims }: Tensor): boolean => dims.filter((dim) => dim > 1).length === 1;

/**
 * The layers, by their first output, that a node between layers goes with: those before it, for a norm also those behind it where none is
 * before. Arithmetic without a layer before it prepares the input and is not trained.
 */
function neighboursOf(graph: Graph, layers: ReadonlySet<string | undefined>): (node: Node) => string[] {
  const makers = producers(graph);
  const readers = consumers(graph);
  const walk = (from: Node, next: (node: Node) => readonly (Node | undefined)[]): string[] => {
    const seen = new Set<Node>([from]);
    const queue = [...next(from)];
    const found: string[] = [];
    for (let node = queue.pop(); node !== undefined || queue.length > 0; node = queue.pop()) {
      if (!node || seen.has(node)) continue;
      seen.add(node);
      if (layers.has(node.outputs[0])) found.push(node.outputs[0]!);
      else queue.push(...next(node));
    }
    return found;
  };
  const before = (node: Node) => node.inputs.map((name) => makers.get(name));
  const behind = (node: Node) => node.outputs.flatMap((name) => readers.get(name) ?? []);
  return (node) => {
    const earlier = walk(node, before);
    return earlier.length > 0 || !isNorm(node.op) ? earlier : walk(node, behind);
  };
}
