// The residual stream of a network, found by following it: values that layers add to and norms read, which may be turned as a whole.
import type { Graph, Node, Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { constantTensor, consumers, producers } from '../../graph/walk';
import type { Shapes, Subject } from '../method';
import { rightMatrix } from './matrix';
import { stands, stepThrough } from './residual-steps';

/** An input of a node that holds a constant. */
export interface Place {
  readonly node: Node;
  readonly input: number;
}

/** y = gain ∘ x + shift between the stream and a layer that reads it: to be folded into that layer. */
export interface Affine {
  readonly gain: Place | null;
  readonly shift: Place | null;
  /** A BatchNormalization, which is both. */
  readonly batch: Node | null;
}

/** Where the channels of a value lie, and what stands between it and the stream. */
export interface Track {
  readonly axis: number;
  readonly affine: Affine | null;
}

export interface Stream {
  readonly size: number;
  /** A mean over channels is taken: only rotations that keep (1, …, 1) leave it as it is. */
  readonly keepsOnes: boolean;
  /** Layers whose output channels, or whose rows of a table, lie in the stream. `axis`: of the stored tensor. */
  readonly makers: ReadonlyMap<LayerSite, number>;
  /** Layers that read it. `axis`: of the stored tensor. */
  readonly readers: ReadonlyMap<LayerSite, { readonly axis: number; readonly affine: Affine | null }>;
  /** Constants that are added to it or stand in it: biases, positions, class tokens. */
  readonly constants: readonly (Place & { readonly axis: number })[];
  readonly values: ReadonlySet<string>;
}

export interface Streams {
  readonly list: readonly Stream[];
  /** Layer → why what it makes cannot be turned, as a sentence. */
  readonly stops: ReadonlyMap<string, string>;
}

const known = new WeakMap<Subject, Streams>();

export function streamsOf(subject: Subject): Streams {
  let found = known.get(subject);
  if (!found) known.set(subject, (found = findStreams(subject)));
  return found;
}

export const sitesOf = ({ makers, readers }: Stream): LayerSite[] => [
  ...new Set([...makers.keys(), ...readers.keys()]),
];

/** What is known of the graph around a stream. */
export interface Surroundings {
  readonly subject: Subject;
  readonly graph: Graph;
  readonly shapes: Shapes;
  readonly made: ReadonlyMap<string, Node>;
  readonly users: ReadonlyMap<string, readonly Node[]>;
  readonly leaving: ReadonlySet<string>;
  readonly sites: ReadonlyMap<Node, readonly LayerSite[]>;
}

function findStreams(subject: Subject): Streams {
  const { graph } = subject.model;
  const map: Surroundings = {
    subject,
    graph,
    shapes: subject.shapes,
    made: producers(graph),
    users: consumers(graph),
    leaving: new Set(graph.outputs.map(({ name }) => name)),
    sites: Map.groupBy(subject.sites, ({ node }) => node),
  };
  const list: Stream[] = [];
  const stops = new Map<string, string>();
  for (const site of subject.sites) {
    const start = outputOf(site);
    if (!start || list.some(({ values }) => values.has(start.value))) continue;
    const walk = new StreamWalk(map, start.size);
    const reason = walk.run(start.value, start.axis);
    if (reason) stops.set(site.name, reason);
    else list.push(walk.found());
  }
  return { list, stops };

  function outputOf(site: LayerSite): { value: string; axis: number; size: number } | null {
    const value = site.node.outputs[site.op === 'EmbedLayerNormalization' ? 2 : 0] ?? '';
    const rank = subject.shapes.get(value)?.shape?.length;
    const made = site.graph === graph && rank !== undefined ? madeAxis(site) : null;
    return made === null ? null : { value, axis: site.op === 'Conv' ? 1 : rank! - 1, size: site.tensor.dims[made]! };
  }
}

/** The stored axis of the channels a layer makes; null where its operator makes none that could be turned. */
function madeAxis(site: LayerSite): number | null {
  const { op, domain, tensor, weightInput } = site;
  if (op === 'EmbedLayerNormalization') return tensor.dims.length === 2 ? 1 : null;
  if (domain !== '') return null;
  if (op === 'Gather') return weightInput === 0 && site.channelAxis === 0 && tensor.dims.length === 2 ? 1 : null;
  if (op === 'Conv') return weightInput === 1 ? site.channelAxis : null;
  return (op === 'MatMul' || op === 'Gemm') && rightMatrix(site) ? site.channelAxis : null;
}

const floats = new Set(['float32', 'float16', 'bfloat16']);
const keepsNumbers = new Set(['Transpose', 'Identity']);

/** Why the layer's weights cannot be turned, or null. */
function rigid(map: Surroundings, site: LayerSite): string | null {
  if (site.graph !== map.graph) return `${site.name} stands in a subgraph.`;
  if (site.scales || !floats.has(site.tensor.dtype)) return `${site.name} has weights in ${site.bits} bits already.`;
  if (!map.graph.initializers.has(site.weight)) return `The weights of ${site.name} are not stored as an initializer.`;
  if (!site.via.every(({ op }) => keepsNumbers.has(op))) return `The weights of ${site.name} are changed on their way.`;
  return null;
}

/** Follows one stream up and down from a value; fails with a sentence. */
export class StreamWalk {
  readonly tracks = new Map<string, Track>();
  /** Values that are the stream squared, and the axis of its channels: only their sum over channels means something. */
  readonly squares = new Map<string, number>();
  private readonly makers = new Map<LayerSite, number>();
  private readonly readers = new Map<LayerSite, { axis: number; affine: Affine | null }>();
  private readonly constants: (Place & { axis: number })[] = [];
  private readonly taken = new Set<Node>();
  private readonly queue: string[] = [];
  keepsOnes = false;

  constructor(
    readonly map: Surroundings,
    readonly size: number,
  ) {}

  run(start: string, axis: number): string | null {
    let reason = this.reach(start, axis, null);
    for (let value = this.queue.pop(); !reason && value !== undefined; value = this.queue.pop())
      reason = this.above(value) ?? this.below(value);
    if (reason) return reason;
    for (const [value, squared] of this.squares) {
      for (const node of this.map.users.get(value) ?? [])
        if (!/^Reduce(Mean|Sum)$/.test(node.op) || !this.isOverChannels(node, value, squared)) return stands(node);
    }
    return this.readers.size > 0 ? null : 'No layer reads it.';
  }

  found(): Stream {
    const { size, keepsOnes, makers, readers, constants } = this;
    return { size, keepsOnes, makers, readers, constants, values: new Set(this.tracks.keys()) };
  }

  shapeOf(value: string): readonly unknown[] | null {
    return this.map.shapes.get(value)?.shape ?? null;
  }

  stored(name: string): Tensor | null {
    const { graph, made } = this.map;
    const node = made.get(name);
    return graph.initializers.get(name) ?? (node ? constantTensor(node) : null);
  }

  /** Takes a value into the stream; a sentence where it does not belong there, or was reached otherwise before. */
  reach(value: string, axis: number, affine: Affine | null): string | null {
    const before = this.tracks.get(value);
    if (before)
      return before.axis === axis && before.affine === affine ? null : `${value} is used both turned and not.`;
    if (this.shapeOf(value)?.[axis] !== this.size) return `The channels of ${value} cannot be followed.`;
    if (this.map.leaving.has(value)) return `${value} leaves the model.`;
    this.tracks.set(value, { axis, affine });
    this.queue.push(value);
    return null;
  }

  /** A constant with the stream's channels along `axis`. */
  turn(place: Place, axis: number): null {
    this.constants.push({ ...place, axis });
    return null;
  }

  /** The layers of a node, as they make a value of the stream. */
  make(site: LayerSite, track: Track, value: string): string | null {
    const axis = madeAxis(site);
    const own = site.op === 'Conv' ? 1 : (this.shapeOf(value)?.length ?? 0) - 1;
    if (axis === null || track.axis !== own || site.tensor.dims[axis] !== this.size)
      return `${site.op} ${site.name} makes it in a form that cannot be turned.`;
    if (site.op === 'Conv' && site.node.attributes.get('group')?.value !== undefined) {
      if (Number(site.node.attributes.get('group')!.value) !== 1) return `${site.name} works on groups of channels.`;
    }
    const reason = rigid(this.map, site);
    if (reason) return reason;
    this.makers.set(site, axis);
    const bias = site.op === 'Gemm' || site.op === 'Conv' ? (site.node.inputs[2] ?? '') : '';
    if (bias === '') return null;
    const tensor = this.stored(bias);
    if (tensor?.dims.at(-1) !== this.size || !floats.has(tensor.dtype))
      return `The bias of ${site.name} is not a constant with one number per channel.`;
    return this.turn({ node: site.node, input: 2 }, tensor.dims.length - 1);
  }

  private above(value: string): string | null {
    const track = this.tracks.get(value)!;
    if (track.affine) return null;
    const node = this.map.made.get(value);
    if (!node) return `${value}, an input of the model, is part of it.`;
    const sites = this.map.sites.get(node) ?? [];
    if (sites.length > 0 && node.op !== 'EmbedLayerNormalization') return this.make(sites[0]!, track, value);
    return this.through(node);
  }

  private below(value: string): string | null {
    for (const node of this.map.users.get(value) ?? []) {
      const site = this.map.sites.get(node)?.[0];
      const reason = site ? this.read(site, value) : this.through(node);
      if (reason) return reason;
    }
    return null;
  }

  private through(node: Node): string | null {
    if (this.taken.has(node)) return null;
    this.taken.add(node);
    return stepThrough(this, node);
  }

  private read(site: LayerSite, value: string): string | null {
    const { node, op, domain } = site;
    const { axis, affine } = this.tracks.get(value)!;
    const matrix = rightMatrix(site);
    const isProduct =
      domain === '' ? op === 'MatMul' || op === 'Gemm' : domain === 'com.microsoft' && op === 'Attention';
    const isAlone = node.inputs.every((name, i) => (name === value) === (i === 0));
    if (!isProduct || !matrix || !isAlone || Number(node.attributes.get('transA')?.value ?? 0) !== 0)
      return `${op} ${site.name} reads it in a form that cannot be turned.`;
    if (axis !== (this.shapeOf(value)?.length ?? 0) - 1 || matrix.columns !== this.size)
      return `Its channels cannot be followed into ${site.name}.`;
    const bias = op === 'MatMul' ? '' : (node.inputs[2] ?? '');
    const addend = this.stored(bias);
    if ((affine?.shift || affine?.batch) && bias !== '' && addend?.dims.reduce((a, b) => a * b, 1) !== matrix.rows)
      return `The bias of ${site.name} is not a constant with one number per channel.`;
    this.readers.set(site, { axis: 1 - site.channelAxis!, affine });
    return rigid(this.map, site);
  }

  isOverChannels(node: Node, value: string, axis: number): boolean {
    const rank = this.shapeOf(value)?.length ?? 0;
    const listed = this.intsOf(node, 1, 'axes');
    return listed?.length === 1 && (listed[0]! + rank) % rank === axis;
  }

  /** A list of integers that is an attribute in old opsets and a constant input in new ones. */
  intsOf(node: Node, input: number, attribute: string): number[] | null {
    const inner = node.attributes.get(attribute);
    if (inner?.type === 'ints') return inner.value.map(Number);
    const tensor = this.stored(node.inputs[input] ?? '');
    if (tensor?.data.kind !== 'bytes' || tensor.dtype !== 'int64') return null;
    const { buffer, byteOffset, byteLength } = tensor.data.bytes.slice();
    return Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
  }
}
