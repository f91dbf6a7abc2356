// The way of a layer's channels to the one layer that reads them: what lies on it is cut alike, or there is no such way.
import { intAttribute, makeNode, readInt, readIntList, withAttributes } from '../../graph/edit';
import type { Graph, Node, Tensor } from '../../graph/graph';
import type { Subject } from '../method';

/** Channels of one layer that stay. */
export interface Choice {
  readonly weight: Tensor;
  readonly axis: number;
  readonly channels: number;
  readonly kept: number;
}

/** A tensor loses what does not stay along one axis; there, channel c takes the places o·inner·channels + c·inner + i. */
export interface Slice {
  readonly tensor: Tensor;
  readonly axis: number;
  readonly choice: Choice;
  readonly outer: number;
  readonly inner: number;
}

/** Each output depends on the same place of the input alone. */
const channelwise = new Set(
  'Relu LeakyRelu Elu Selu Celu ThresholdedRelu Sigmoid HardSigmoid HardSwish Tanh Gelu Softplus Softsign Swish Mish Clip Dropout Identity Abs Neg Exp Sqrt'.split(
    ' ',
  ),
);
/** … on its neighbours in the same channel. */
const pools = new Set(['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool']);
/** … and on one number of each channel. */
const withVectors = new Set(['Add', 'Sub', 'Mul', 'Div', 'PRelu']);

/** Where the channels of a value lie: on an axis, or, behind a Flatten, in stretches along it. */
interface Place {
  readonly axis: number;
  readonly rank: number;
  readonly outer: number;
  readonly inner: number;
}

export interface Layer {
  readonly weight: Tensor;
  readonly outAxis: number;
  readonly inAxis: number;
  readonly bias: Tensor | null;
  /** Channels on axis 1 of what comes in and goes out; else on the last. */
  readonly isConv: boolean;
}

/** A layer whose weights can be sliced: a convolution without groups, or a product with a stored matrix. */
export function layerOf(graph: Graph, node: Node): Layer | null {
  const tensorAt = (input: number): Tensor | null => {
    const tensor = graph.initializers.get(node.inputs[input] ?? '');
    return tensor?.dtype === 'float32' ? tensor : null;
  };
  const weight = tensorAt(1);
  if (node.domain !== '' || !weight) return null;
  const bias = tensorAt(2);
  if (node.inputs[2] && !bias) return null;
  if (node.op === 'Conv' && readInt(node, 'group', 1) === 1)
    return { weight, outAxis: 0, inAxis: 1, bias, isConv: true };
  if (weight.dims.length !== 2) return null;
  if (node.op === 'MatMul') return { weight, outAxis: 1, inAxis: 0, bias: null, isConv: false };
  if (node.op !== 'Gemm' || readInt(node, 'transA', 0) !== 0) return null;
  const turned = readInt(node, 'transB', 0);
  return { weight, outAxis: turned ? 0 : 1, inAxis: turned ? 1 : 0, bias, isConv: false };
}

/** The way of some channels from the layer that makes them to the one that reads them, and what must be sliced along it. */
export class Way {
  readonly slices: Slice[] = [];
  readonly nodes = new Map<Node, Node>();

  constructor(
    private readonly subject: Subject,
    private readonly choice: Choice,
    private readonly users: ReadonlyMap<string, readonly Node[]>,
    private readonly leaving: ReadonlySet<string>,
  ) {}

  /** False where the channels do not end in one layer. */
  follow(from: Node, { isConv, weight, outAxis, bias }: Layer): boolean {
    const rank = this.rankOf(from.outputs[0]!);
    if (rank === null) return false;
    let place: Place = { axis: isConv ? 1 : rank - 1, rank, outer: 1, inner: 1 };
    if (!this.slice(weight, outAxis, 1, 1)) return false;
    if (bias && !this.sliceAligned(bias, { ...place, axis: bias.dims.length - 1, rank: bias.dims.length }))
      return false;
    for (let value = from.outputs[0]!; ; ) {
      const [node, ...others] = this.users.get(value) ?? [];
      if (!node || others.length > 0 || this.leaving.has(value)) return false;
      if (node.inputs.filter((name) => name === value).length !== 1) return false;
      const end = layerOf(this.subject.model.graph, node);
      if (end && node.inputs[0] === value)
        return (
          place.axis === (end.isConv ? 1 : place.rank - 1) &&
          this.slice(end.weight, end.inAxis, place.outer, place.inner)
        );
      const next = this.step(node, value, place);
      if (!next) return false;
      place = next;
      value = node.outputs[0]!;
    }
  }

  /** Where the channels are behind a node; null where it mixes them. */
  private step(node: Node, value: string, place: Place): Place | null {
    const { initializers } = this.subject.model.graph;
    if (node.domain !== '' || node.outputs.slice(1).some((name) => name !== '')) return null;
    const isFirst = node.inputs[0] === value;
    if (channelwise.has(node.op)) return isFirst ? place : null;
    if (pools.has(node.op)) return isFirst && place.axis === 1 ? place : null;
    if (withVectors.has(node.op)) {
      const other = initializers.get(node.inputs[isFirst ? 1 : 0] ?? '');
      return other && this.sliceAligned(other, place) ? place : null;
    }
    if (!isFirst) return null;
    switch (node.op) {
      case 'BatchNormalization': {
        const own = node.inputs.slice(1).map((name) => initializers.get(name));
        return place.axis === 1 && own.every((tensor) => tensor && this.slice(tensor, 0, place.outer, place.inner))
          ? place
          : null;
      }
      case 'Conv':
        return this.depthwise(node, place);
      case 'Transpose': {
        const perm = readIntList(node, 'perm');
        return perm && place.outer * place.inner === 1 ? { ...place, axis: perm.indexOf(place.axis) } : null;
      }
      case 'Flatten':
        return readInt(node, 'axis', 1) === 1 ? this.flattened(value, place) : null;
      case 'Reshape': {
        const flat = this.rankOf(node.outputs[0]!) === 2 ? this.flattened(value, place) : null;
        if (!flat) return null;
        // Its sizes are stored; a Flatten reads them off its input.
        const attributes = { axis: intAttribute(1) };
        this.nodes.set(node, makeNode('Flatten', [value], node.outputs, { name: node.name, attributes }));
        return flat;
      }
      default:
        return null;
    }
  }

  /** One filter for each channel: they go with their channels. */
  private depthwise(node: Node, place: Place): Place | null {
    const { initializers } = this.subject.model.graph;
    const { channels, kept } = this.choice;
    const [weight, bias] = [node.inputs[1], node.inputs[2]].map((name) => initializers.get(name ?? ''));
    const isDepthwise = weight?.dims[0] === channels && readInt(node, 'group', 1) === channels;
    if (!isDepthwise || place.axis !== 1 || !this.slice(weight, 0, 1, 1)) return null;
    if (node.inputs[2] && !(bias && this.slice(bias, 0, 1, 1))) return null;
    this.nodes.set(node, withAttributes(node, { group: intAttribute(kept) }));
    return place;
  }

  /** [N, …] → [N, all]: each channel is a stretch of the sizes behind it, as often as the sizes before it. */
  private flattened(value: string, place: Place): Place | null {
    const dims = this.subject.shapes.get(value)?.shape;
    if (!dims || place.axis < 1 || place.outer * place.inner !== 1) return null;
    const sizes = (from: number, to?: number): number =>
      dims.slice(from, to).reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : Number.NaN), 1);
    const [outer, inner] = [sizes(1, place.axis), sizes(place.axis + 1)];
    return Number.isNaN(outer * inner) ? null : { axis: 1, rank: 2, outer, inner };
  }

  /** A constant beside a value: sliced where it has a number for each channel; one number for all needs nothing. */
  private sliceAligned(tensor: Tensor, place: Place): boolean {
    const axis = place.axis - place.rank + tensor.dims.length;
    if (axis < 0 || tensor.dims[axis] === 1) return true;
    return this.slice(tensor, axis, place.outer, place.inner);
  }

  private slice(tensor: Tensor, axis: number, outer: number, inner: number): boolean {
    const { choice, users } = this;
    if (tensor.dtype !== 'float32' || tensor.dims[axis] !== outer * inner * choice.channels) return false;
    if ((users.get(tensor.name) ?? []).length > 1) return false;
    this.slices.push({ tensor, axis, choice, outer, inner });
    return true;
  }

  private rankOf(value: string): number | null {
    return this.subject.shapes.get(value)?.shape?.length ?? null;
  }
}
