// Which BatchNormalization can be folded into which layer, and why one cannot.
import { readInt, readIntList, readString } from '../../graph/edit';
import { elementCount, type Graph, type Node, type Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { constantTensor, consumers, producers } from '../../graph/walk';
import type { Subject } from '../method';
import { rightMatrix } from './matrix';

/** A norm with constant statistics: γ, β, μ, σ². */
export interface Norm {
  readonly node: Node;
  readonly statistics: readonly [Tensor, Tensor, Tensor, Tensor];
}

export interface Fold {
  readonly site: LayerSite;
  /** Output channels. */
  readonly channels: number;
  readonly before: Norm | null;
  readonly bias: Tensor | null;
  /** The Add that brings a MatMul's bias. */
  readonly added: { readonly node: Node } | null;
  readonly behind: Norm | null;
}

/** A norm that stays, beside a chosen layer. */
export interface KeptNorm {
  readonly layer: string;
  readonly sentence: string;
}

export function foldsOf(subject: Subject, chosen: ReadonlySet<string>, sides: 'both' | 'behind' = 'both'): Fold[] {
  const look = new Neighbours(subject);
  const sites = subject.sites.filter((site) => chosen.has(site.name) && look.takes(site));
  const taken = new Set<Node>();
  const behinds = new Map(
    sites.map((site) => {
      const behind = look.behind(site);
      if (behind) taken.add(behind.norm.node);
      return [site, behind];
    }),
  );
  return sites.flatMap((site): Fold[] => {
    const behind = behinds.get(site) ?? null;
    const before = sides === 'both' ? look.before(site) : null;
    const norm = before && !taken.has(before.node) ? before : null;
    if (!norm && !behind) return [];
    const own = behind ?? look.bias(site);
    // A bias that is not one number for each channel is left where it is, and with it the norm.
    if (!own) return [];
    const { bias, added } = own;
    return [
      { site, channels: site.tensor.dims[site.channelAxis!]!, before: norm, bias, added, behind: behind?.norm ?? null },
    ];
  });
}

/** Norms that are computed in float between layers on integers, after every fold. */
export function keptNorms(subject: Subject, chosen: ReadonlySet<string>): KeptNorm[] {
  const look = new Neighbours(subject);
  const sentence = (norm: Node, why: string): string =>
    `BatchNormalization${norm.name ? ` ${norm.name}` : ''} stays in float beside it: ${why}.`;
  return subject.sites.flatMap((site): KeptNorm[] => {
    if (!chosen.has(site.name)) return [];
    const norm = look.normAbove(site.node.inputs[0] ?? '');
    if (norm) return [{ layer: site.name, sentence: sentence(norm.node, look.whyKept(norm, site)) }];
    const user = look.normBelow(site.node.outputs[0]!);
    return user ? [{ layer: site.name, sentence: sentence(user, 'what it normalises is used elsewhere too') }] : [];
  });
}

class Neighbours {
  private readonly graph: Graph;
  private readonly users: ReadonlyMap<string, readonly Node[]>;
  private readonly made: ReadonlyMap<string, Node>;

  constructor(private readonly subject: Subject) {
    this.graph = subject.model.graph;
    this.users = consumers(this.graph);
    this.made = producers(this.graph);
  }

  /** Layers whose rows and columns are known as they are stored. */
  takes(site: LayerSite): boolean {
    if (site.domain !== '' || site.graph !== this.graph || site.tensor.dtype !== 'float32') return false;
    if (site.op === 'Conv') return site.via.length === 0 && site.weightInput === 1;
    const isProduct = site.op === 'Gemm' || site.op === 'MatMul';
    return isProduct && site.via.length === 0 && rightMatrix(site) !== null && readInt(site.node, 'transA', 0) === 0;
  }

  behind(site: LayerSite): { norm: Norm; bias: Tensor | null; added: { node: Node } | null } | null {
    const own = this.bias(site);
    if (!own || !this.isAlongChannels(site, site.node.outputs[0]!)) return null;
    const output = (own.added?.node ?? site.node).outputs[0]!;
    const user = this.only(output);
    const norm = user && this.norm(user, site.tensor.dims[site.channelAxis!]!);
    return norm && norm.node.inputs[0] === output ? { ...own, norm } : null;
  }

  /** The norm that makes the layer's input, for it alone. */
  before(site: LayerSite): Norm | null {
    const input = site.node.inputs[0]!;
    const made = this.made.get(input);
    if (!made || this.only(input) !== site.node || pads(site) || !this.isAlongChannels(site, input)) return null;
    return this.norm(made, inputsOf(site));
  }

  /** Its constant bias, one number a channel; null where there is another. */
  bias(site: LayerSite): { bias: Tensor | null; added: { node: Node } | null } | null {
    const channels = site.tensor.dims[site.channelAxis!]!;
    const isRow = (tensor: Tensor | null): tensor is Tensor =>
      tensor?.dtype === 'float32' && elementCount(tensor.dims) === channels && (tensor.dims.at(-1) ?? 1) === channels;
    if (site.op === 'MatMul') {
      const output = site.node.outputs[0]!;
      const add = this.only(output);
      if (add?.op !== 'Add' || add.domain !== '') return { bias: null, added: null };
      const tensor = this.constant(add.inputs.find((name) => name !== output));
      return isRow(tensor) && tensor.dims.length <= 2 ? { bias: tensor, added: { node: add } } : null;
    }
    if (!site.node.inputs[2]) return { bias: null, added: null };
    const tensor = this.constant(site.node.inputs[2]);
    return isRow(tensor) ? { bias: tensor, added: null } : null;
  }

  normAbove(value: string): { node: Node; through: Node | null } | null {
    const made = this.made.get(value);
    if (made && isNorm(made)) return { node: made, through: null };
    const above = made?.op === 'Relu' || made?.op === 'Clip' ? this.made.get(made.inputs[0]!) : undefined;
    return made && above && isNorm(above) ? { node: above, through: made } : null;
  }

  normBelow(value: string): Node | null {
    return this.users.get(value)?.find(isNorm) ?? null;
  }

  whyKept({ through }: { through: Node | null }, site: LayerSite): string {
    if (through) return `${through.op} stands between`;
    if (pads(site)) return 'the zeros that the convolution pads with come after it';
    if (this.before(site)) return 'folded in, its loud and its quiet inputs would share a scale';
    return 'its values are used elsewhere too, or its numbers are not constants';
  }

  /** BatchNormalization works along axis 1: that of a product's channels only at rank 2. */
  private isAlongChannels(site: LayerSite, value: string): boolean {
    return site.op === 'Conv' || this.subject.shapes.get(value)?.shape?.length === 2;
  }

  private norm(node: Node, channels: number): Norm | null {
    if (!isNorm(node) || readInt(node, 'training_mode', 0) !== 0) return null;
    if (node.outputs.filter((name) => name !== '').length > 1) return null;
    const statistics = node.inputs.slice(1, 5).map((name) => this.constant(name));
    if (statistics.length < 4 || statistics.some((one) => one?.dtype !== 'float32' || one.dims[0] !== channels))
      return null;
    return { node, statistics: statistics as unknown as Norm['statistics'] };
  }

  private only(value: string): Node | null {
    const users = this.users.get(value) ?? [];
    return users.length === 1 && this.graph.outputs.every(({ name }) => name !== value) ? users[0]! : null;
  }

  private constant(name: string | undefined): Tensor | null {
    const made = this.made.get(name ?? '');
    return this.graph.initializers.get(name ?? '') ?? (made ? constantTensor(made) : null);
  }
}

const isNorm = (node: Node): boolean => node.op === 'BatchNormalization' && node.domain === '';

function inputsOf({ op, node, tensor, channelAxis }: LayerSite): number {
  return op === 'Conv' ? tensor.dims[1]! * readInt(node, 'group', 1) : tensor.dims[1 - channelAxis!]!;
}

function pads({ op, node }: LayerSite): boolean {
  if (op !== 'Conv') return false;
  if (/^SAME/.test(readString(node, 'auto_pad', 'NOTSET'))) return true;
  return (readIntList(node, 'pads') ?? []).some((pad) => pad !== 0);
}
