// Topological order: every value made before it is read. ONNX demands it; many exporters forget it and runtimes forgive them.

import { mapSubgraphs } from './edit';
import type { Graph, Model, Node } from './graph';
import { producers, usedBy } from './walk';

export type Order =
  | { readonly kind: 'order'; readonly nodes: readonly Node[] }
  /** Nodes that wait for each other, each for the next and the last for the first. */
  | { readonly kind: 'circle'; readonly nodes: readonly Node[] };

/** The graph's nodes in topological order, as near to their own order as can be. Subgraphs count through what they capture. */
export function orderOf(graph: Graph): Order {
  const makers = producers(graph);
  const done = new Set<Node>();
  const ordered: Node[] = [];
  // Depth first with a stack of our own: a chain of 100,000 nodes written backwards must not end the call stack.
  const path: { node: Node; waiting: Node[] }[] = [];
  const onPath = new Set<Node>();
  const enter = (node: Node) => {
    const needs = [...usedBy(node)].map((name) => makers.get(name)).filter((maker) => maker !== undefined);
    path.push({ node, waiting: needs.filter((maker) => !done.has(maker)).reverse() });
    onPath.add(node);
  };
  for (const start of graph.nodes) {
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = top.waiting.pop();
      if (!next) {
        path.pop();
        onPath.delete(top.node);
        done.add(top.node);
        ordered.push(top.node);
      } else if (onPath.has(next)) {
        const nodes = path.map(({ node }) => node);
        return { kind: 'circle', nodes: nodes.slice(nodes.indexOf(next)) };
      } else if (!done.has(next)) enter(next);
    }
  }
  return { kind: 'order', nodes: ordered };
}

/** The same graph with its nodes, and those of its subgraphs, in order; itself where they are. A circle stays for `verify` to name. */
export function inOrder(graph: Graph): Graph {
  let changed = false;
  const nested = graph.nodes.map((node) => {
    const next = mapSubgraphs(node, inOrder);
    changed ||= next !== node;
    return next;
  });
  const inside = changed ? { ...graph, nodes: nested } : graph;
  const order = orderOf(inside);
  if (order.kind === 'circle' || order.nodes.every((node, index) => node === inside.nodes[index])) return inside;
  return { ...inside, nodes: order.nodes };
}

/** The model with all its graphs and local functions in order; itself where they are. */
export function modelInOrder(model: Model): Model {
  const graph = inOrder(model.graph);
  let changed = graph !== model.graph;
  const functions = model.functions.map((fn) => {
    const { nodes } = inOrder(bodyGraph(fn.nodes));
    if (nodes === fn.nodes) return fn;
    changed = true;
    return { ...fn, nodes };
  });
  return changed ? { ...model, graph, functions } : model;
}

/** A local function's nodes as a graph without values of its own. */
export function bodyGraph(nodes: readonly Node[]): Graph {
  return { name: '', nodes, initializers: new Map(), sparse: new Map(), inputs: [], outputs: [], values: new Map() };
}
