// Collects what a method changes about a model, and makes the changed model in one pass. Graphs and nodes are known by identity.

import { freshName, mapSubgraphs, namesIn, withInitializers, withInputs, withoutUnused } from '../../graph/edit';
import type { DataType, Graph, Model, Node, Tensor, TensorData } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { everyGraph, type GraphPlace, Scopes } from '../../graph/walk';

/** A node in its graph, and the name it bears afterwards. */
export type Spot = Pick<LayerSite, 'graph' | 'node' | 'nodeName'>;

/** What stands where a node stood: the steps before it, itself (changed or replaced), the steps after it. */
interface Change {
  readonly before: Node[];
  self: readonly Node[];
}

// IR version that came with an opset of the standard domain; the runtime refuses sub-byte types in older files.
const irVersions: readonly (readonly [opset: number, ir: number])[] = [
  [21, 10],
  [23, 11],
  [24, 12],
  [25, 13],
];

export class Rewrite {
  private readonly taken: Set<string>;
  private readonly changes = new Map<Graph, Map<Node, Change>>();
  private readonly added = new Map<Graph, Tensor[]>();
  private readonly scopes = new Scopes();
  private readonly places: ReadonlyMap<Graph, GraphPlace>;
  private opset: number;
  private usesMicrosoft = false;

  constructor(private readonly model: Model) {
    this.taken = namesIn(model.graph);
    this.places = new Map(everyGraph(model).map((place) => [place.graph, place]));
    this.opset = model.opsets.get('') ?? 0;
  }

  /** A name nothing in the model bears yet. */
  name(wanted: string): string {
    return freshName(this.taken, wanted);
  }

  /** Puts a tensor beside the node that will use it, or into the model's own graph where several graphs share it. */
  store(graph: Graph, wanted: string, dtype: DataType, dims: readonly number[], data: TensorData): Tensor {
    const tensor: Tensor = { name: this.name(wanted), dtype, dims, data };
    this.place(graph, tensor);
    return tensor;
  }

  place(graph: Graph, tensor: Tensor): void {
    const list = this.added.get(graph);
    if (list) list.push(tensor);
    else this.added.set(graph, [tensor]);
  }

  /** The model's own graph: visible from every subgraph. */
  get outermost(): Graph {
    return this.model.graph;
  }

  /** Nodes that make something the node needs. */
  before(site: Spot, ...nodes: Node[]): void {
    this.note(nodes);
    this.changeOf(site).before.push(...nodes);
  }

  /** Other nodes in the place of the site's node; one of them bears `site.nodeName`. */
  replace(site: Spot, nodes: readonly Node[]): void {
    this.note(nodes);
    this.changeOf(site).self = nodes;
  }

  /**
   * Gives the site's node another value for its weight, through the same steps (Transpose, Reshape …) as before. Casts are
   * left out: the new value already has the type the node computes in.
   */
  feed(site: LayerSite, value: string): void {
    let at = value;
    for (const step of site.via) {
      if (step.op === 'Cast' || step.op === 'CastLike' || step.op === 'Identity') continue;
      const inputs = step.op === 'Concat' ? this.slicesOf(site, step, at) : [at, ...step.inputs.slice(1)];
      at = this.again(site, step, inputs);
    }
    const change = this.changeOf(site);
    change.self = change.self.map((node) => {
      if (node.name !== site.nodeName) return node;
      return withInputs(
        node,
        node.inputs.map((name, i) => (i === site.weightInput ? at : name)),
      );
    });
  }

  /** A Concat puts slices of one tensor in another order: the same slices, of the new value. */
  private slicesOf(site: LayerSite, concat: Node, value: string): string[] {
    const scope = this.scopes.at(this.places.get(site.graph)!);
    return concat.inputs.map((name) => {
      const slice = scope.find(name)?.node;
      if (!slice)
        throw new Error(`${concat.op} ${concat.name} was taken for a weight's order and has no slice ${name}`);
      return this.again(site, slice, [value, ...slice.inputs.slice(1)]);
    });
  }

  /** The same step over other inputs, in front of the site's node; the name of what it makes. */
  private again(site: LayerSite, step: Node, inputs: readonly string[]): string {
    const output = this.name(`${site.weight}_${step.op.toLowerCase()}`);
    this.before(site, { ...step, name: '', inputs, outputs: [output] });
    return output;
  }

  needsOpset(version: number): void {
    this.opset = Math.max(this.opset, version);
  }

  /** The changed model, without what nothing uses any more. */
  finish(): Model {
    const change = (graph: Graph): Graph => {
      const changes = this.changes.get(graph);
      const nodes = graph.nodes.flatMap((node) => {
        const made = changes?.get(node);
        return (made ? [...made.before, ...made.self] : [node]).map((one) => mapSubgraphs(one, change));
      });
      const unchanged = nodes.length === graph.nodes.length && nodes.every((node, i) => node === graph.nodes[i]);
      const added = this.added.get(graph);
      const next = unchanged ? graph : { ...graph, nodes };
      return added ? withInitializers(next, added) : next;
    };
    const opsets = new Map(this.model.opsets).set('', this.opset);
    if (this.usesMicrosoft && !opsets.has('com.microsoft')) opsets.set('com.microsoft', 1);
    const needed = irVersions.findLast(([opset]) => opset <= this.opset)?.[1] ?? 0;
    return {
      ...this.model,
      irVersion: Math.max(this.model.irVersion, needed),
      opsets,
      graph: withoutUnused(change(this.model.graph)),
    };
  }

  private changeOf(site: Spot): Change {
    let ofGraph = this.changes.get(site.graph);
    if (!ofGraph) this.changes.set(site.graph, (ofGraph = new Map()));
    let change = ofGraph.get(site.node);
    if (!change) {
      change = { before: [], self: [{ ...site.node, name: site.nodeName }] };
      ofGraph.set(site.node, change);
    }
    return change;
  }

  private note(nodes: readonly Node[]): void {
    if (nodes.some(({ domain }) => domain === 'com.microsoft')) this.usesMicrosoft = true;
  }
}

/** Every layer's node bears the layer's name, so that nothing a method inserts can change what a layer is called. */
export function withPinnedNames(model: Model, sites: readonly LayerSite[]): Model {
  const names = new Map<Node, string>();
  for (const { node, nodeName } of sites) if (node.name !== nodeName) names.set(node, nodeName);
  if (names.size === 0) return model;
  const pin = (graph: Graph): Graph => {
    let changed = false;
    const nodes = graph.nodes.map((node) => {
      const inner = mapSubgraphs(node, pin);
      const name = names.get(node);
      if (inner === node && name === undefined) return node;
      changed = true;
      return name === undefined ? inner : { ...inner, name };
    });
    return changed ? { ...graph, nodes } : graph;
  };
  return { ...model, graph: pin(model.graph) };
}
