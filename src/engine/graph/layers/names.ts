// The names layers go by: stable whatever a run does to the graph (CLI.md, "Layer names").
import type { Graph, Node } from '../graph';

/** What a name is made of. */
export interface Nameless {
  readonly node: Node;
  readonly graph: Graph;
  /** Place among the graph's nodes. */
  readonly index: number;
  readonly scope: readonly string[];
  readonly op: string;
  readonly weight: string;
  /** Set for the second weight of a node. */
  readonly suffix: string;
}

/** Names are unique over the whole model: the first that asks gets the plain one. */
export function nameLayers(sites: readonly Nameless[]): { name: string; nodeName: string }[] {
  const taken = new Set<string>();
  const uniqueIn = new Map<Graph, ReadonlySet<string>>();
  const nodeNames = new Map<Node, string>();
  return sites.map((site) => {
    let unique = uniqueIn.get(site.graph);
    if (!unique) uniqueIn.set(site.graph, (unique = uniqueNodeNames(site.graph)));
    const prefix = site.scope.map((step) => `${step}/`).join('');
    // A node that a run replaced bears the whole name already.
    const local = (name: string): string => (prefix !== '' && name.startsWith(prefix) ? name : prefix + name);
    let base = nodeNames.get(site.node);
    if (base === undefined) {
      const wanted = [
        ...(unique.has(site.node.name) ? [local(site.node.name)] : []),
        local(site.weight),
        local(`${site.op}_${site.index}`),
      ];
      base = wanted.find((name) => !taken.has(name)) ?? free(taken, wanted.at(-1)!);
      nodeNames.set(site.node, base);
      taken.add(base);
    }
    if (!site.suffix) return { name: base, nodeName: base };
    const name = free(taken, base + site.suffix);
    taken.add(name);
    return { name, nodeName: base };
  });
}

function uniqueNodeNames(graph: Graph): ReadonlySet<string> {
  const once = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of graph.nodes) (once.has(name) ? twice : once).add(name);
  for (const name of twice) once.delete(name);
  once.delete('');
  return once;
}

function free(taken: ReadonlySet<string>, name: string): string {
  let candidate = name;
  for (let i = 1; taken.has(candidate); i++) candidate = `${name}_${i}`;
  return candidate;
}
