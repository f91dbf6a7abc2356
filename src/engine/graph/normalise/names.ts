// Layers and owners of subgraphs get the names they are known by, so that what later moves or adds nodes never renames a layer.
import { mapSubgraphs } from '../edit';
import type { Graph, Model, Node } from '../graph';
import { listLayers } from '../layers';
import { nodeLabels, subgraphs } from '../walk';

/** The model with its layers' names written into their nodes. Nodes with a unique name keep it. */
export function withLayerNames(model: Model): Model {
  const names = new Map<Node, string>();
  for (const { node, nodeName } of listLayers(model)) names.set(node, nodeName);
  const graph = rename(model.graph, names);
  return graph === model.graph ? model : { ...model, graph };
}

function rename(graph: Graph, names: ReadonlyMap<Node, string>): Graph {
  const labels = nodeLabels(graph);
  let changed = false;
  const nodes = graph.nodes.map((node, i) => {
    const isUnique = node.name !== '' && labels[i] === node.name;
    const name = isUnique ? node.name : (names.get(node) ?? (subgraphs(node).length > 0 ? labels[i]! : node.name));
    const inside = mapSubgraphs(node, (inner) => rename(inner, names));
    if (inside === node && name === node.name) return node;
    changed = true;
    return { ...inside, name };
  });
  return changed ? { ...graph, nodes } : graph;
}
