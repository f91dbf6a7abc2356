// Small pure edits: each returns a new graph or node and shares everything it did not change.
import type { Attribute, Graph, Model, Node, Tensor } from './graph';
import { definedIn, subgraphs, usedBy } from './walk';

export type Attributes = Record<string, Attribute>;

export interface NodeParts {
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Attributes;
}

/** A new node; an absent optional input or output is the empty string. */
export function makeNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  parts: NodeParts = {},
): Node {
  return {
    name: parts.name ?? '',
    op,
    domain: parts.domain ?? '',
    inputs: withoutTrailingBlanks(inputs),
    outputs: withoutTrailingBlanks(outputs),
    attributes: new Map(Object.entries(parts.attributes ?? {})),
  };
}

export const intAttribute = (value: number | bigint): Attribute => ({ type: 'int', value: BigInt(value) });
export const intsAttribute = (value: readonly number[]): Attribute => ({ type: 'ints', value: value.map(BigInt) });
export const floatAttribute = (value: number): Attribute => ({ type: 'float', value });
export const floatsAttribute = (value: readonly number[]): Attribute => ({ type: 'floats', value });
export const stringAttribute = (value: string): Attribute => ({
  type: 'string',
  value: new TextEncoder().encode(value),
});
export const tensorAttribute = (value: Tensor): Attribute => ({ type: 'tensor', value });

/** An integer attribute as a number, or `fallback` where it is absent. */
export function readInt(node: Node, name: string, fallback: number): number {
  const found = node.attributes.get(name);
  return found?.type === 'int' ? Number(found.value) : fallback;
}

export function readIntList(node: Node, name: string): number[] | null {
  const found = node.attributes.get(name);
  return found?.type === 'ints' ? found.value.map(Number) : null;
}

export function readFloat(node: Node, name: string, fallback: number): number {
  const found = node.attributes.get(name);
  return found?.type === 'float' ? found.value : fallback;
}

export function readFloatList(node: Node, name: string): readonly number[] | null {
  const found = node.attributes.get(name);
  return found?.type === 'floats' ? found.value : null;
}

export function readString(node: Node, name: string, fallback: string): string {
  const found = node.attributes.get(name);
  return found?.type === 'string' ? new TextDecoder().decode(found.value) : fallback;
}

/** The node with some attributes set and others (`null`) removed. */
export function withAttributes(node: Node, changes: Record<string, Attribute | null>): Node {
  const attributes = new Map(node.attributes);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) attributes.delete(name);
    else attributes.set(name, value);
  }
  return { ...node, attributes };
}

/** The node with other inputs; trailing absent ones are dropped, as ONNX writes them. */
export function withInputs(node: Node, inputs: readonly string[]): Node {
  return { ...node, inputs: withoutTrailingBlanks(inputs) };
}

/** Puts `replacement` where `node` (the same object) stands. */
export function replaceNode(graph: Graph, node: Node, replacement: readonly Node[]): Graph {
  return replaceNodes(graph, new Map([[node, replacement]]));
}

/** Many replacements in one pass over the nodes; an empty list removes the node. */
export function replaceNodes(graph: Graph, replacements: ReadonlyMap<Node, readonly Node[]>): Graph {
  if (replacements.size === 0) return graph;
  return { ...graph, nodes: graph.nodes.flatMap((node) => replacements.get(node) ?? [node]) };
}

/** The graph with tensors added to its initializers, or replaced where the name exists. */
export function withInitializers(graph: Graph, tensors: Iterable<Tensor>): Graph {
  const initializers = new Map(graph.initializers);
  for (const tensor of tensors) initializers.set(tensor.name, tensor);
  return { ...graph, initializers };
}

/** Every node through `change`, subgraphs first; returns the same graph where nothing changed. */
export function mapNodes(graph: Graph, change: (node: Node, graph: Graph) => Node): Graph {
  let changed = false;
  const nodes = graph.nodes.map((node) => {
    const next = change(
      mapSubgraphs(node, (inner) => mapNodes(inner, change)),
      graph,
    );
    if (next !== node) changed = true;
    return next;
  });
  return changed ? { ...graph, nodes } : graph;
}

/** The node with each of its subgraphs changed; the same node where none did. */
export function mapSubgraphs(node: Node, change: (graph: Graph) => Graph): Node {
  if (subgraphs(node).length === 0) return node;
  let changed = false;
  const attributes = new Map(node.attributes);
  for (const [name, attribute] of node.attributes) {
    if (attribute.type === 'graph') {
      const value = change(attribute.value);
      if (value === attribute.value) continue;
      attributes.set(name, { ...attribute, value });
      changed = true;
    } else if (attribute.type === 'graphs') {
      const value = attribute.value.map(change);
      if (value.every((graph, i) => graph === attribute.value[i])) continue;
      attributes.set(name, { ...attribute, value });
      changed = true;
    }
  }
  return changed ? { ...node, attributes } : node;
}

/** Changes one graph of the model, wherever it is nested; the graph is recognised by identity. */
export function replaceGraph(model: Model, old: Graph, next: Graph): Model {
  const swap = (graph: Graph): Graph => {
    if (graph === old) return next;
    let changed = false;
    const nodes = graph.nodes.map((node) => {
      const swapped = mapSubgraphs(node, swap);
      if (swapped !== node) changed = true;
      return swapped;
    });
    return changed ? { ...graph, nodes } : graph;
  };
  const graph = swap(model.graph);
  return graph === model.graph ? model : { ...model, graph };
}

/**
 * Without nodes whose outputs nobody uses and initializers nobody reads, in subgraphs too. Graph inputs and outputs stay.
 * Nothing in ONNX inference has side effects, so what is not used may go.
 */
export function withoutUnused(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const kept: Node[] = [];
  for (const original of graph.nodes.toReversed()) {
    if (!original.outputs.some((name) => needed.has(name))) continue;
    const node = mapSubgraphs(original, withoutUnused);
    for (const name of usedBy(node)) needed.add(name);
    kept.push(node);
  }
  const nodes = kept.reverse();
  const initializers = new Map([...graph.initializers].filter(([name]) => needed.has(name)));
  const sparse = new Map([...graph.sparse].filter(([name]) => needed.has(name)));
  const defined = new Set(nodes.flatMap(({ outputs }) => outputs));
  const values = new Map(
    [...graph.values].filter(([name]) => defined.has(name) || initializers.has(name) || sparse.has(name)),
  );
  const same =
    nodes.length === graph.nodes.length &&
    nodes.every((node, i) => node === graph.nodes[i]) &&
    initializers.size === graph.initializers.size &&
    sparse.size === graph.sparse.size &&
    values.size === graph.values.size;
  return same ? graph : { ...graph, nodes, initializers, sparse, values };
}

/** Every name in use anywhere in a graph and its subgraphs: values and nodes. */
export function namesIn(graph: Graph, names: Set<string> = new Set()): Set<string> {
  for (const name of definedIn(graph)) names.add(name);
  for (const { name } of graph.outputs) names.add(name);
  for (const node of graph.nodes) {
    names.add(node.name);
    for (const name of node.inputs) names.add(name);
    for (const { graph: inner } of subgraphs(node)) namesIn(inner, names);
  }
  return names;
}

/** `wanted`, or `wanted_1`, `wanted_2` … whichever is free; the chosen name is added to `taken`. */
export function freshName(taken: Set<string>, wanted: string): string {
  let name = wanted;
  for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
  taken.add(name);
  return name;
}

function withoutTrailingBlanks(names: readonly string[]): readonly string[] {
  let end = names.length;
  while (end > 0 && names[end - 1] === '') end--;
  return end === names.length ? names : names.slice(0, end);
}
