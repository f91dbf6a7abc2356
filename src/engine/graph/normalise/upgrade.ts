// Brings every node from one opset to another, one change of its operator after the other, or says why that cannot be.
import { freshName, mapSubgraphs, withInitializers } from '../edit';
import type { Graph, LocalFunction, Node, Tensor } from '../graph';
import { smallValues } from '../shapes/constants';
import { type Known, known, unknown } from '../shapes/known';
import { usedBy } from '../walk';
import { type Adaptation, constantNode } from './adapter';
import { adapters } from './adapters';
import { versions } from './versions';

/** The range between which nodes can be brought over. */
export const oldest = 7;
export const dialect = 21;

/** Says why a model stays at its opset; caught by `normalise`, never seen outside. */
export class NotConvertible extends Error {}

export interface Upgrade {
  readonly from: number;
  readonly to: number;
  readonly known: ReadonlyMap<string, Known>;
  /** Every name of the model; grows. */
  readonly taken: Set<string>;
}

/** A graph and its subgraphs at the new opset. Throws `NotConvertible`. */
export function upgradeGraph(graph: Graph, upgrade: Upgrade): Graph {
  const added: Tensor[] = [];
  const nodes = upgradeNodes(graph.nodes, upgrade, new Set(graph.outputs.map(({ name }) => name)), (tensor) => {
    added.push(tensor);
    return [];
  });
  return withInitializers({ ...graph, nodes }, added);
}

/** A function's body at the new opset; constants become nodes, because a function has no initializers. */
export function upgradeFunction(body: LocalFunction, upgrade: Upgrade): LocalFunction {
  const nodes = upgradeNodes(body.nodes, upgrade, new Set(body.outputs), (tensor) => [constantNode(tensor)]);
  return { ...body, nodes, opsets: new Map(body.opsets).set('', upgrade.to) };
}

function upgradeNodes(
  nodes: readonly Node[],
  upgrade: Upgrade,
  outputs: ReadonlySet<string>,
  keep: (tensor: Tensor) => readonly Node[],
): Node[] {
  const used = new Set(outputs);
  for (const node of nodes) for (const name of usedBy(node)) used.add(name);
  return nodes.flatMap((original) => {
    const node = mapSubgraphs(original, (inner) => upgradeGraph(inner, upgrade));
    const before: Node[] = [];
    const made = new Map<string, Known>();
    const to: Adaptation = {
      known: (name) => made.get(name) ?? upgrade.known.get(name) ?? unknown,
      fresh: (wanted) => freshName(upgrade.taken, wanted),
      isUsed: (name) => used.has(name),
      add: (make, wanted) => {
        const tensor = make(freshName(upgrade.taken, wanted));
        made.set(tensor.name, known(tensor.dtype, tensor.dims, smallValues(tensor)));
        before.push(...keep(tensor));
        return tensor.name;
      },
    };
    const after = upgradeNode(node, upgrade.from, upgrade.to, to);
    return [...before, ...after];
  });
}

/** Applies the first change after `from`, then the later ones to what came out of it. */
function upgradeNode(node: Node, from: number, target: number, to: Adaptation): readonly Node[] {
  if (node.domain !== '') return [node];
  const history = Object.hasOwn(versions, node.op) ? versions[node.op]! : null;
  if (history === null) throw new NotConvertible(`${node.op} is not an operator of opsets ${oldest} to ${dialect}`);
  const changes = history.split(' ').filter((word) => word !== '');
  const next = changes.find((word) => Number.parseInt(word, 10) > from && Number.parseInt(word, 10) <= target);
  if (next === undefined) return [node];
  const since = Number.parseInt(next, 10);
  if (!next.endsWith('!')) return upgradeNode(node, since, target, to);
  const adapter = adapters[node.op]?.[since];
  if (!adapter) throw new NotConvertible(`${node.op} changed at opset ${since} in a way that is not known here`);
  const result = adapter(node, to);
  if (typeof result === 'string') throw new NotConvertible(result);
  return result.flatMap((made) => upgradeNode(made, since, target, to));
}
