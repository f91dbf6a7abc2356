// Where layers meet over channels that may be rescaled: every layer that makes them, every layer that reads them, and only
// biases and positively homogeneous steps between.
import { readInt, readIntList } from '../../graph/edit';
import { elementCount, type Graph, type Node, type Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { numbersOf } from '../../graph/tensor';
import { consumers, producers } from '../../graph/walk';
import type { Shapes, Subject } from '../method';
import { rightMatrix } from './matrix';

export interface Reader {
  readonly site: LayerSite;
  /** Input k is of channel ⌊k / inner⌋ mod channels: more than 1 where pictures were flattened. */
  readonly inner: number;
}

export interface Joint {
  readonly channels: number;
  /** Layers whose output channels these are; several where their outputs are added. */
  readonly makers: readonly LayerSite[];
  /** Layers whose input channels these are; several where the value branches. */
  readonly readers: readonly Reader[];
  /** Constants added on the way, one number per channel. */
  readonly biases: readonly Tensor[];
  /** Values that carry the channels, as they were found. */
  readonly values: readonly string[];
}

export interface Joints {
  readonly list: readonly Joint[];
  /** Layer → why nothing joins its output to the next, as a sentence. */
  readonly stops: ReadonlyMap<string, string>;
}

/** f(s·x) = s·f(x) for every s > 0, element by element. */
const homogeneous = new Set(['Relu', 'LeakyRelu', 'PRelu', 'Identity', 'Dropout']);
/** The same over windows of one channel. */
const pools = new Set(['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'LpPool', 'GlobalLpPool']);
const reshapes = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** Index i along `axis` of a value is of channel ⌊i / inner⌋ mod channels. */
interface Track {
  readonly axis: number;
  readonly inner: number;
}

const known = new WeakMap<Subject, Joints>();

export function jointsOf(subject: Subject): Joints {
  let found = known.get(subject);
  if (!found) known.set(subject, (found = findJoints(subject)));
  return found;
}

/** Why the layer's weights cannot be rescaled, or null. */
export function rigid({ sites, model }: Subject, site: LayerSite): string | null {
  if (site.graph !== model.graph) return 'It stands in a subgraph.';
  if (site.tensor.dtype !== 'float32') return `Its weights are ${site.tensor.dtype}; float32 is needed.`;
  if (sites.some((other) => other !== site && other.tensor === site.tensor)) return 'Another layer uses its weights.';
  if (!model.graph.initializers.has(site.weight)) return 'Its weights are not stored as an initializer.';
  if (site.domain === '' && site.op === 'Conv' && site.weightInput === 1 && site.channelAxis === 0) return null;
  const isProduct = site.domain === '' && (site.op === 'MatMul' || site.op === 'Gemm') && rightMatrix(site) !== null;
  if (isProduct && readInt(site.node, 'transA', 0) === 0) return null;
  return `${site.op} in this form has no rows and columns that could be rescaled.`;
}

function findJoints(subject: Subject): Joints {
  const list: Joint[] = [];
  const stops = new Map<string, string>();
  const map: Surroundings = {
    subject,
    graph: subject.model.graph,
    shapes: subject.shapes,
    users: consumers(subject.model.graph),
    made: producers(subject.model.graph),
    leaving: new Set(subject.model.graph.outputs.map(({ name }) => name)),
    byNode: new Map(subject.sites.map((site) => [site.node, site])),
  };
  const seen = new Set<LayerSite>();
  for (const site of subject.sites) {
    if (seen.has(site)) continue;
    const flood = new Flood(map, site);
    const reason = rigid(subject, site) ?? flood.run();
    for (const maker of [site, ...flood.makers]) {
      seen.add(maker);
      if (reason) stops.set(maker.name, reason);
    }
    if (!reason) list.push(flood.joint());
  }
  return { list, stops };
}

interface Surroundings {
  readonly subject: Subject;
  readonly graph: Graph;
  readonly shapes: Shapes;
  readonly users: ReadonlyMap<string, readonly Node[]>;
  readonly made: ReadonlyMap<string, Node>;
  readonly leaving: ReadonlySet<string>;
  readonly byNode: ReadonlyMap<Node, LayerSite>;
}

/** Spreads from a layer's output over every value whose channels must be rescaled with it. */
class Flood {
  readonly makers = new Set<LayerSite>();
  private readonly readers = new Map<LayerSite, Reader>();
  private readonly biases = new Set<Tensor>();
  private readonly tracks = new Map<string, Track>();
  private readonly queue: string[] = [];
  private readonly channels: number;

  constructor(
    private readonly map: Surroundings,
    private readonly start: LayerSite,
  ) {
    this.channels = start.channelAxis === null ? 0 : start.tensor.dims[start.channelAxis]!;
  }

  joint(): Joint {
    return {
      channels: this.channels,
      makers: [...this.makers],
      readers: [...this.readers.values()],
      biases: [...this.biases],
      values: [...this.tracks.keys()],
    };
  }

  /** Why the channels cannot be rescaled, or null. */
  run(): string | null {
    const output = this.start.node.outputs[0]!;
    const track = this.trackOfOutput(this.start);
    if (!track) return 'The shape of its output is not known.';
    this.reach(output, track);
    for (let value = this.queue.pop(); value !== undefined; value = this.queue.pop()) {
      if (this.map.leaving.has(value)) return 'Its output leaves the model.';
      const reason = this.above(value) ?? this.below(value);
      if (reason) return reason;
    }
    return this.readers.size > 0 ? null : 'Nothing uses its output.';
  }

  /** False where the value was reached before with its channels elsewhere. */
  private reach(value: string, track: Track): boolean {
    const before = this.tracks.get(value);
    if (before) return before.axis === track.axis && before.inner === track.inner;
    this.tracks.set(value, track);
    this.queue.push(value);
    return true;
  }

  private trackOfOutput(site: LayerSite): Track | null {
    const rank = this.map.shapes.get(site.node.outputs[0]!)?.shape?.length;
    return rank === undefined ? null : { axis: site.op === 'Conv' ? 1 : rank - 1, inner: 1 };
  }

  /** What makes the value: a layer, or a step whose inputs must be rescaled too. */
  private above(value: string): string | null {
    const { made, byNode, subject, graph, users } = this.map;
    const track = this.tracks.get(value)!;
    const node = made.get(value);
    if (!node) return 'An input of the model is added to its output.';
    const site = byNode.get(node);
    if (site) {
      if (this.makers.has(site)) return null;
      const own = this.trackOfOutput(site);
      const reason = rigid(subject, site);
      if (reason) return `Its output is added to that of ${site.name}. ${reason}`;
      const fits = site.tensor.dims[site.channelAxis!] === this.channels;
      if (!fits || own?.axis !== track.axis || own.inner !== track.inner)
        return `Its channels are not those of ${site.name}.`;
      const bias = site.op === 'MatMul' ? '' : (site.node.inputs[2] ?? '');
      if (bias !== '') {
        const tensor = channelConstant(graph, bias, this.channels, 0, users);
        if (!tensor) return `The bias of ${site.name} is not a constant of its own with one number per channel.`;
        this.biases.add(tensor);
      }
      this.makers.add(site);
      return null;
    }
    if (
      node.domain === '' &&
      (homogeneous.has(node.op) || (pools.has(node.op) && track.axis === 1 && track.inner === 1))
    )
      return this.reach(node.inputs[0]!, track) ? null : apart(node);
    // A sum was taken care of, and a step that moves channels was come through, from above.
    const isKnown = node.op === 'Add' || node.inputs.some((name) => this.tracks.has(name));
    if (!isKnown) return `${node.op} makes what is added to its output.`;
    return node.op === 'Add' ? this.sum(node) : null;
  }

  private below(value: string): string | null {
    const track = this.tracks.get(value)!;
    const { users, byNode } = this.map;
    for (const node of users.get(value) ?? []) {
      const site = byNode.get(node);
      const reason = site ? this.read(site, value, track) : this.through(node, value, track);
      if (reason) return reason;
    }
    return null;
  }

  private read(site: LayerSite, value: string, { axis, inner }: Track): string | null {
    const { subject, shapes } = this.map;
    const reason = rigid(subject, site);
    if (reason) return `${site.name}, which uses it, cannot be rescaled. ${reason}`;
    const isAlone = site.node.inputs.every((name, i) => (name === value) === (i === 0));
    if (!isAlone) return `${site.name} uses it as more than its input.`;
    const rank = shapes.get(value)?.shape?.length ?? 0;
    const { dims } = site.tensor;
    const inputs = site.op === 'Conv' ? dims[1]! * readInt(site.node, 'group', 1) : dims[1 - site.channelAxis!]!;
    const fits =
      site.op === 'Conv'
        ? axis === 1 && inner === 1 && inputs === this.channels
        : axis === rank - 1 && inputs % (this.channels * inner) === 0;
    if (!fits) return `Its channels cannot be followed into ${site.name}.`;
    this.readers.set(site, { site, inner });
    return null;
  }

  private through(node: Node, value: string, track: Track): string | null {
    const { shapes } = this.map;
    const before = shapes.get(value)?.shape;
    const after = shapes.get(node.outputs[0]!)?.shape;
    if (node.domain !== '' || !before || !after) return stands(node);
    if (node.op === 'Add') return this.sum(node);
    const next = moved(this.map.graph, node, value, track, before, after, this.channels);
    if (!next) return stands(node);
    return this.reach(node.outputs[0]!, next) ? null : apart(node);
  }

  /** Both sides of a sum, and the sum: a constant side is a bias. */
  private sum(node: Node): string | null {
    const { graph, shapes, users } = this.map;
    const [value, track] = [node.outputs[0]!, ...node.inputs]
      .map((name) => [name, this.tracks.get(name)] as const)
      .find(([, one]) => one)! as [string, Track];
    const rank = shapes.get(value)?.shape?.length ?? 0;
    for (const name of [...node.inputs, node.outputs[0]!]) {
      const stored = graph.initializers.has(name);
      const shape = shapes.get(name)?.shape;
      if (!stored && shape?.length === rank) {
        // Broadcast values have their channels elsewhere, or have none.
        const dim = shape[track.axis];
        if (dim !== shapes.get(value)?.shape?.[track.axis] || !this.reach(name, track)) return apart(node);
        continue;
      }
      const behind = rank - 1 - track.axis;
      const bias = track.inner === 1 ? channelConstant(graph, name, this.channels, behind, users) : null;
      if (!bias || bias.dims.length > rank) return stands(node);
      this.biases.add(bias);
    }
    return null;
  }
}

const stands = ({ op }: Node): string => `${op} stands between.`;
const apart = ({ op }: Node): string => `${op} mixes its channels.`;

/** A float32 initializer with one use, that holds one number per channel and `behind` axes of size 1 after it. */
function channelConstant(
  graph: Graph,
  name: string,
  channels: number,
  behind: number,
  users: ReadonlyMap<string, readonly Node[]>,
): Tensor | null {
  const tensor = graph.initializers.get(name);
  if (tensor?.dtype !== 'float32' || (users.get(name)?.length ?? 0) !== 1) return null;
  const at = tensor.dims.length - 1 - behind;
  const fits = tensor.dims.every((dim, i) => dim === (i === at ? channels : 1));
  return at >= 0 && fits ? tensor : null;
}

/** Where the channels are behind a step; null where they cannot be rescaled through it. */
function moved(
  graph: Graph,
  node: Node,
  value: string,
  track: Track,
  before: readonly unknown[],
  after: readonly unknown[],
  channels: number,
): Track | null {
  if (homogeneous.has(node.op)) return node.inputs[0] === value ? track : null;
  if (pools.has(node.op)) return track.axis === 1 && track.inner === 1 && !node.outputs[1] ? track : null;
  if (node.op === 'Transpose') {
    const perm = readIntList(node, 'perm') ?? before.map((_, i) => before.length - 1 - i);
    return { ...track, axis: perm.indexOf(track.axis) };
  }
  if (node.op === 'ReduceMean') return reduced(graph, node, track, before.length);
  if (reshapes.has(node.op)) return reshapedTrack(before, after, track, channels);
  return null;
}

/** The mean over axes that are not the channels'. */
function reduced(graph: Graph, node: Node, track: Track, rank: number): Track | null {
  const listed = storedInts(graph, node.inputs[1] ?? '') ?? readIntList(node, 'axes');
  if (!listed || listed.length === 0) return null;
  const axes = listed.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.includes(track.axis)) return null;
  if (readInt(node, 'keepdims', 1) === 1) return track;
  return { ...track, axis: track.axis - axes.filter((axis) => axis < track.axis).length };
}

function storedInts(graph: Graph, name: string): number[] | null {
  const stored = graph.initializers.get(name);
  if (stored?.data.kind !== 'bytes') return null;
  return Array.from(numbersOf(stored.dtype, elementCount(stored.dims), stored.data.bytes, name), Number);
}

/**
 * The element at flat index f is of channel ⌊f / period⌋ mod channels, before and after. Behind the reshape the channels lie
 * along the axis whose stride divides the period and which holds every channel the same number of times.
 */
export function reshapedTrack(
  before: readonly unknown[],
  after: readonly unknown[],
  track: Track,
  channels: number,
): Track | null {
  const strideOf = (shape: readonly unknown[], axis: number): number =>
    shape.slice(axis + 1).reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : Number.NaN), 1);
  const period = strideOf(before, track.axis) * track.inner;
  for (let axis = after.length - 1; axis >= 0; axis--) {
    const stride = strideOf(after, axis);
    const dim = after[axis];
    if (typeof dim !== 'number') return null;
    const inner = period / stride;
    if (Number.isInteger(inner) && dim % (inner * channels) === 0) return { axis, inner };
  }
  return null;
}
