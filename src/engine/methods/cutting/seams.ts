// Values whose channels a step may rescale: every reader is a product, and what made the value can take the scales up.
import { elementCount, type Graph, type Node, type Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { consumers, producers } from '../../graph/walk';
import type { Subject } from '../method';
import { rightMatrix } from './matrix';

export interface Seam {
  /** The value, [… , channels]. */
  readonly value: string;
  readonly channels: number;
  /** Products that read it; their weights of channel k are multiplied by s_k. */
  readonly readers: readonly LayerSite[];
  /** Vectors of one number a channel that are divided by s: the gain of a norm and its bias, the bias of the maker. */
  readonly vectors: readonly Tensor[];
  /** A product whose output channels are divided by s. */
  readonly maker: LayerSite | null;
}

/** Norms whose first output is a constant (input 1) times something else, with a bias (the other input) perhaps. */
const norms: Record<string, readonly number[]> = {
  LayerNormalization: [1, 2],
  SimplifiedLayerNormalization: [1],
  RMSNormalization: [1],
  SkipSimplifiedLayerNormalization: [2],
  SkipLayerNormalization: [2, 3],
};

const known = new WeakMap<Subject, readonly Seam[]>();

/** In the order of the graph. */
export function seamsOf(subject: Subject): readonly Seam[] {
  let found = known.get(subject);
  if (!found) known.set(subject, (found = findSeams(subject)));
  return found;
}

/** The product's own weights, which nothing else uses, or null. */
export function ownMatrix(subject: Subject, site: LayerSite): ReturnType<typeof rightMatrix> {
  if (site.graph !== subject.model.graph || site.tensor.dtype !== 'float32' || site.scales) return null;
  if (site.domain !== '' || (site.op !== 'MatMul' && site.op !== 'Gemm') || site.node.attributes.has('transA'))
    return null;
  if (!subject.model.graph.initializers.has(site.weight)) return null;
  if (subject.sites.some((other) => other !== site && other.tensor === site.tensor)) return null;
  return rightMatrix(site);
}

function findSeams(subject: Subject): Seam[] {
  const { graph } = subject.model;
  const users = consumers(graph);
  const made = producers(graph);
  const leaving = new Set(graph.outputs.map(({ name }) => name));
  const byNode = new Map(subject.sites.map((site) => [site.node, site]));
  const seams: Seam[] = [];
  const seen = new Set<string>();
  for (const site of subject.sites) {
    const value = site.node.inputs[0] ?? '';
    if (site.weightInput !== 1 || seen.has(value)) continue;
    seen.add(value);
    const readers = (users.get(value) ?? []).map((node) => byNode.get(node));
    const node = made.get(value);
    if (!node || leaving.has(value) || !readers.every((one) => one && one.node.inputs[0] === value)) continue;
    const products = readers as LayerSite[];
    const widths = new Set(products.map((one) => ownMatrix(subject, one)?.columns ?? 0));
    const channels = [...widths][0]!;
    if (widths.size !== 1 || channels === 0) continue;
    const only = (name: string): boolean => users.get(name)?.length === 1 && !leaving.has(name);
    const taken = takesScales(subject, { graph, node, channels, made, byNode, only });
    if (taken && !taken.vectors.some((one) => !only(one.name)))
      seams.push({ value, channels, readers: products, ...taken });
  }
  return seams;
}

interface Place {
  readonly graph: Graph;
  readonly node: Node;
  readonly channels: number;
  readonly made: ReadonlyMap<string, Node>;
  readonly byNode: ReadonlyMap<Node, LayerSite>;
  only(name: string): boolean;
}

function takesScales(subject: Subject, place: Place): Pick<Seam, 'vectors' | 'maker'> | null {
  const { graph, node, channels, made, byNode, only } = place;
  const vector = (name: string | undefined): Tensor | null => {
    const tensor = graph.initializers.get(name ?? '');
    const fits =
      tensor?.dtype === 'float32' && elementCount(tensor.dims) === channels && tensor.dims.at(-1) === channels;
    return fits ? tensor : null;
  };
  const scaled = norms[node.op];
  if (scaled) {
    const names = scaled.map((input) => node.inputs[input] ?? '').filter((name) => name !== '');
    const vectors = names.map(vector);
    return vectors.length > 0 && vectors.every((one) => one !== null)
      ? { vectors: vectors as Tensor[], maker: null }
      : null;
  }
  if (node.op !== 'Mul') return null;
  for (const name of node.inputs) {
    const gain = vector(name);
    if (gain) return { vectors: [gain], maker: null };
  }
  for (const name of node.inputs.toReversed()) {
    const maker = byNode.get(made.get(name)!);
    const matrix = maker && only(name) ? ownMatrix(subject, maker) : null;
    if (!maker || matrix?.rows !== channels) continue;
    const addend = maker.node.inputs[2] ?? '';
    const bias = addend === '' ? null : vector(addend);
    if (addend === '' || bias) return { vectors: bias ? [bias] : [], maker };
  }
  return null;
}
