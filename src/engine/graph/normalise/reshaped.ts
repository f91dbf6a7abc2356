// Weights that a Reshape with a constant target gives another shape take that shape themselves: the bytes stay, a node goes.
// CNTK writes the matrix of a dense layer as [channels, height, width, out]; left so, it would not be known as a matrix.
import { mapNodes, readInt } from '../edit';
import { elementCount, type Graph, type Model, type Node, type Tensor } from '../graph';
import { constant, isStoredFloat } from '../layers/resolve';
import { readInts } from '../tensor';
import { everyGraph, Scopes } from '../walk';

/** In the model's own graph; weights inside branches come as they are. */
export async function withReshapedWeights(model: Model): Promise<Model> {
  const [place] = everyGraph(model);
  const { graph } = place!;
  const scopes = new Scopes();
  const scope = scopes.at(place!);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const weights = new Map<string, Tensor>();
  const folded = new Set<Node>();
  /** What a Reshape gave → the weight. */
  const renamed = new Map<string, string>();
  for (const node of graph.nodes) {
    if (node.op !== 'Reshape' || node.domain !== '') continue;
    const [weight = '', target] = node.inputs;
    const [output = ''] = node.outputs;
    const tensor = graph.initializers.get(weight);
    if (!tensor || !isStoredFloat(tensor) || scopes.usersOf(graph, weight).length !== 1) continue;
    if (outputs.has(output) || outputs.has(weight)) continue;
    const shape = constant(scope, target);
    const dims = shape && resolved(await readInts(shape), tensor.dims, readInt(node, 'allowzero', 0) === 1);
    if (!dims) continue;
    weights.set(weight, { ...tensor, dims });
    folded.add(node);
    renamed.set(output, weight);
  }
  if (folded.size === 0) return model;
  const isLeftOver = (name: string): boolean => {
    const users = scopes.usersOf(graph, name);
    return !outputs.has(name) && users.length > 0 && users.every((user) => folded.has(user)) && !weights.has(name);
  };
  const rest: Graph = {
    ...graph,
    nodes: graph.nodes.filter((node) => !folded.has(node)),
    initializers: new Map(
      [...graph.initializers]
        .filter(([name]) => !isLeftOver(name))
        .map(([name, tensor]) => [name, weights.get(name) ?? tensor]),
    ),
    values: new Map([...graph.values].filter(([name]) => !renamed.has(name) && !weights.has(name))),
  };
  const rewired = mapNodes(rest, (node) =>
    node.inputs.some((name) => renamed.has(name))
      ? { ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) }
      : node,
  );
  return { ...model, graph: rewired };
}

/** The target's numbers as sizes: 0 keeps the old size, one −1 takes what is left. Null where they do not come out. */
function resolved(target: readonly number[], dims: readonly number[], zeroIsSize: boolean): readonly number[] | null {
  const sizes = target.map((size, axis) => (size === 0 && !zeroIsSize ? (dims[axis] ?? -2) : size));
  const known = sizes.filter((size) => size !== -1);
  const free = sizes.length - known.length;
  if (free > 1 || known.some((size) => size < 0)) return null;
  const rest = elementCount(dims) / elementCount(known);
  const full = sizes.map((size) => (size === -1 ? rest : size));
  return full.every(Number.isInteger) && elementCount(full) === elementCount(dims) ? full : null;
}
