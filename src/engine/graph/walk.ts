// Finding one's way in a graph: who makes a value, who uses it, and every node of every nested graph.
import type { Graph, Model, Node, Tensor } from './graph';

/** A node that owns a subgraph, and under which attribute (`then_branch`, `else_branch`, `body`). */
export interface Subgraph {
  readonly attribute: string;
  /** The step in a layer's path: `then`, `else`, `body`. */
  readonly step: string;
  readonly graph: Graph;
}

/** A graph of the model with the way that leads to it; the first is the model's own graph. */
export interface GraphPlace {
  readonly graph: Graph;
  /** Enclosing graphs, the model's own first; empty for the model's own graph. */
  readonly outer: readonly Graph[];
  /** `['If_3', 'then', …]`: owner and step of each level, as layer names spell it. */
  readonly scope: readonly string[];
}

export interface NodePlace extends GraphPlace {
  readonly node: Node;
  readonly index: number;
}

/** The subgraphs of a node, in the order of its attributes. */
export function subgraphs(node: Node): Subgraph[] {
  const found: Subgraph[] = [];
  for (const [attribute, { type, value }] of node.attributes) {
    const step = attribute.replace(/_branch$/, '');
    if (type === 'graph') found.push({ attribute, step, graph: value });
    else if (type === 'graphs')
      for (const [i, graph] of value.entries()) found.push({ attribute, step: step + i, graph });
  }
  return found;
}

/** Value name → the node of this graph that makes it. Graph inputs and initializers have none. */
export function producers(graph: Graph): ReadonlyMap<string, Node> {
  const made = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== '') made.set(name, node);
  return made;
}

/** Value name → the nodes of this graph that use it, each once; a use inside a node's subgraph counts as the node's. */
export function consumers(graph: Graph): ReadonlyMap<string, readonly Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of usedBy(node)) {
      const list = users.get(name);
      if (list) list.push(node);
      else users.set(name, [node]);
    }
  }
  return users;
}

/** Names a node takes from its surroundings: its inputs and what its subgraphs capture. */
export function usedBy(node: Node): ReadonlySet<string> {
  const names = new Set(node.inputs.filter((name) => name !== ''));
  for (const { graph } of subgraphs(node)) for (const name of capturedBy(graph)) names.add(name);
  return names;
}

/** Names a subgraph takes from outside: used inside, made nowhere inside. */
export function capturedBy(graph: Graph): ReadonlySet<string> {
  const own = definedIn(graph);
  const captured = new Set<string>();
  for (const node of graph.nodes) for (const name of usedBy(node)) if (!own.has(name)) captured.add(name);
  for (const { name } of graph.outputs) if (!own.has(name)) captured.add(name);
  return captured;
}

/** Every value name that this graph itself defines: inputs, initializers, node outputs. */
export function definedIn(graph: Graph): ReadonlySet<string> {
  const own = new Set<string>([...graph.initializers.keys(), ...graph.sparse.keys()]);
  for (const { name } of graph.inputs) own.add(name);
  for (const { outputs } of graph.nodes) for (const name of outputs) own.add(name);
  own.delete('');
  return own;
}

/** Every graph of the model, an owner before what it owns. Bodies of model-local functions are not graphs. */
export function everyGraph(model: Model): GraphPlace[] {
  const places: GraphPlace[] = [];
  visit({ graph: model.graph, outer: [], scope: [] });
  return places;

  function visit(place: GraphPlace): void {
    places.push(place);
    const labels = nodeLabels(place.graph);
    for (const [index, node] of place.graph.nodes.entries()) {
      for (const { step, graph } of subgraphs(node)) {
        visit({ graph, outer: [...place.outer, place.graph], scope: [...place.scope, labels[index]!, step] });
      }
    }
  }
}

/** Every node of every graph of the model. */
export function everyNode(model: Model): NodePlace[] {
  return everyGraph(model).flatMap((place) => place.graph.nodes.map((node, index) => ({ ...place, node, index })));
}

/** What to call each node of a graph: its name where that is unique, else `Op_index`. */
export function nodeLabels(graph: Graph): string[] {
  const count = new Map<string, number>();
  for (const { name } of graph.nodes) count.set(name, (count.get(name) ?? 0) + 1);
  return graph.nodes.map((node, index) =>
    node.name !== '' && count.get(node.name) === 1 ? node.name : `${node.op}_${index}`,
  );
}

/** The tensor of a `Constant` node; null for its scalar and list forms, which hold no weights. */
export function constantTensor(node: Node): Tensor | null {
  if (node.op !== 'Constant' || node.domain !== '') return null;
  const value = node.attributes.get('value');
  return value?.type === 'tensor' ? value.value : null;
}

/** Looks a name up in a graph, then in the graphs around it. */
export interface Scope {
  /** The innermost definition of a name: the graph that has it and the node that makes it, if one does. */
  find(name: string): { graph: Graph; node: Node | null; tensor: Tensor | null } | null;
}

/** Remembers producers and consumers per graph, so that looking up stays cheap over a whole model. */
export class Scopes {
  private readonly made = new WeakMap<Graph, ReadonlyMap<string, Node>>();
  private readonly users = new WeakMap<Graph, ReadonlyMap<string, readonly Node[]>>();
  private readonly inputs = new WeakMap<Graph, ReadonlySet<string>>();

  at(place: GraphPlace): Scope {
    const chain = [place.graph, ...place.outer.toReversed()];
    return {
      find: (name) => {
        for (const graph of chain) {
          const tensor = graph.initializers.get(name);
          if (tensor) return { graph, node: null, tensor };
          const node = this.producersOf(graph).get(name);
          if (node) return { graph, node, tensor: constantTensor(node) };
          if (this.inputsOf(graph).has(name)) return { graph, node: null, tensor: null };
        }
        return null;
      },
    };
  }

  /** Nodes of this graph that use a value. */
  usersOf(graph: Graph, name: string): readonly Node[] {
    let users = this.users.get(graph);
    if (!users) this.users.set(graph, (users = consumers(graph)));
    return users.get(name) ?? [];
  }

  producersOf(graph: Graph): ReadonlyMap<string, Node> {
    let made = this.made.get(graph);
    if (!made) this.made.set(graph, (made = producers(graph)));
    return made;
  }

  private inputsOf(graph: Graph): ReadonlySet<string> {
    let names = this.inputs.get(graph);
    if (!names) this.inputs.set(graph, (names = new Set(graph.inputs.map(({ name }) => name))));
    return names;
  }
}
