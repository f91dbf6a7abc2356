// Why a layer cannot train, known from the graph alone: stored as codes, inside a branch, or behind it something without a gradient.
import type { Refusal } from '../../contract/words/refusal';
import type { Graph, Model, Node } from '../graph/graph';
import type { LayerSite } from '../graph/layers';
import { nodeLabels, usedBy } from '../graph/walk';
import { isPackedProduct } from './decompose/packed';
import { decompositions } from './decompose/table';
import { ruleOf } from './rules';

const no = ({ name }: LayerSite, sentence: string, mend: string): Refusal => ({
  code: 'unsupported',
  sentence: `${name}: ${sentence}`,
  mend,
});

/** Null where the layer's weights can be trained. */
export function whyFrozen(model: Model, site: LayerSite): Refusal | null {
  if (site.scales || site.bits < 16)
    return no(
      site,
      `Its weights are in ${site.bits} bits already, and codes have no gradient; it stays frozen.`,
      'Train before the quantizer, or with quantization-aware training.',
    );
  if (site.tensor.dtype !== 'float32')
    return no(
      site,
      `Its weights are ${site.tensor.dtype}, and training computes in float32; it stays frozen.`,
      'Train the float32 model, then convert.',
    );
  if (site.scope.length > 0)
    return no(site, 'It stands inside a branch or a loop; it stays frozen.', 'Train the layers outside.');
  const wall = wallAt(model, site);
  if (wall)
    return no(site, `${wall}, which has no gradient; it stays frozen.`, 'Train layers behind it, or leave it out.');
  return null;
}

/** What keeps every gradient from the layer, in words; null where one comes through to its inputs. */
export function wallAt({ graph }: Model, { node }: Pick<LayerSite, 'node'>): string | null {
  return wallsOf(graph).get(node) ?? null;
}

const remembered = new WeakMap<Graph, ReadonlyMap<Node, string>>();

/** Nodes through which, or behind which on every way to an output, no gradient flows; with what stands there. */
function wallsOf(graph: Graph): ReadonlyMap<Node, string> {
  const known = remembered.get(graph);
  if (known) return known;
  const walls = new Map<Node, string>();
  const labels = nodeLabels(graph);
  // Value → null where gradients come back to it, else what stops them.
  const stops = new Map<string, string | null>();
  const join = (name: string, stop: string | null): void => {
    const before = stops.get(name);
    stops.set(name, before === undefined ? stop : before === null || stop === null ? null : before);
  };
  for (const { name } of graph.outputs) join(name, null);
  for (let at = graph.nodes.length - 1; at >= 0; at--) {
    const node = graph.nodes[at]!;
    const behind = node.outputs.filter((name) => stops.has(name)).map((name) => stops.get(name)!);
    const ahead: string | null = behind.length === 0 || behind.includes(null as never) ? null : behind[0]!;
    const own = hasGradient(graph, node) ? null : `It is a ${operatorOf(node)}`;
    const stop = ahead ?? (own ? `Behind it stands ${labels[at]} (${operatorOf(node)})` : null);
    if (own ?? ahead) walls.set(node, own ?? ahead!);
    for (const name of usedBy(node)) join(name, stop);
  }
  remembered.set(graph, walls);
  return walls;
}

function hasGradient(graph: Graph, node: Node): boolean {
  const { domain, op } = node;
  return (
    ruleOf(domain, op) !== null || Object.hasOwn(decompositions, `${domain}:${op}`) || isPackedProduct(graph, node)
  );
}

const operatorOf = ({ domain, op }: Node): string => (domain === '' ? op : `${domain}.${op}`);
