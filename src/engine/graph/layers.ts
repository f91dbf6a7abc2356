// The layers of a model: every node with weights a method can act on, under a name that a run does not change.
import {
  type Dim,
  dataTypes,
  elementCount,
  type Graph,
  type Model,
  type Node,
  storedBytes,
  type Tensor,
} from './graph';
import { integerScale } from './layers/integer-scale';
import { nameLayers } from './layers/names';
import { type WeightSlot, weightOperator } from './layers/operators';
import { constant, isStoredFloat, isStoredInteger, type StoredWeight, storedWeight } from './layers/resolve';
import { isTable } from './layers/role';
import { batchSymbols, macsOf } from './macs';
import type { Shapes } from './shapes';
import { everyGraph, type GraphPlace, type Scope, Scopes } from './walk';

/** One weight of one node. A node with several weights (LSTM) has a site for each. */
export interface LayerSite {
  /** As CLI.md says: the node's unique name, else its weight's, else `Op_index`; `parent/then/…` inside subgraphs. */
  readonly name: string;
  /** The name a node that replaces this one must bear, so that the layer keeps its name. */
  readonly nodeName: string;
  readonly op: string;
  readonly domain: string;
  readonly node: Node;
  /** The graph that holds the node. */
  readonly graph: Graph;
  /** Way to the subgraph, empty at the top: `['If_0', 'then']`. */
  readonly scope: readonly string[];
  /** Name of the stored tensor: an initializer, or the output of a Constant node. */
  readonly weight: string;
  /** The node's input that carries it. */
  readonly weightInput: number;
  readonly tensor: Tensor;
  /** Nodes between the tensor and the node, the tensor's end first: Transpose, Cast, DequantizeLinear … */
  readonly via: readonly Node[];
  /** The weight's shape as its numbers: of packed blobs the unpacked one. */
  readonly shape: readonly number[];
  /** Weights counted here; 0 where another layer counts them (`tiedTo`). */
  readonly parameters: number;
  /** Stored bytes with scales and zero points; 0 where another layer counts them. */
  readonly bytes: number;
  readonly bits: number;
  readonly macs: number | null;
  readonly tiedTo?: string;
  /** Axis of the output channels in the stored tensor; null where there is none (packed, reshaped). */
  readonly channelAxis: number | null;
  readonly scales?: Tensor;
  readonly zeroPoints?: Tensor;
  /** Stored axis the scales run along (null: one scale), elements that share a scale (0: all), and the blob's layout. */
  readonly quantAxis?: number | null;
  readonly quantBlock?: number;
  readonly layout?: 'plain' | 'blocks';
}

type Found = Omit<LayerSite, 'name' | 'nodeName' | 'parameters' | 'bytes' | 'tiedTo' | 'macs'> & {
  readonly index: number;
  readonly slot: WeightSlot;
};

/** Every layer in the order of the graph. With `shapes`, multiply-accumulates are counted too. */
export function listLayers(model: Model, shapes?: Shapes): LayerSite[] {
  const scopes = new Scopes();
  const found = everyGraph(model).flatMap((place) => weightsIn(place, scopes));
  const names = nameLayers(found.map((site) => ({ ...site, suffix: site.slot.suffix ?? '' })));
  const batch = batchSymbols(model);
  const counted = new Map<Tensor, string>();
  return found.map((site, i) => {
    const { index: _, slot, ...rest } = site;
    const first = counted.get(site.tensor);
    if (first === undefined) counted.set(site.tensor, names[i]!.name);
    const extra = [site.scales, site.zeroPoints].reduce((sum, tensor) => sum + (tensor ? storedBytes(tensor) : 0), 0);
    return {
      ...rest,
      ...names[i]!,
      parameters: first === undefined ? elementCount(site.shape) : 0,
      bytes: first === undefined ? storedBytes(site.tensor) + extra : 0,
      macs: shapes ? macsOf(site.node, shapes, usedShape(site, slot), batch) : null,
      ...(first === undefined ? {} : { tiedTo: first }),
    };
  });
}

/** Bytes of everything stored that no layer counts: biases, norms, rotary tables, masks, shape constants. */
export function constantBytes(model: Model): number {
  const stored = new Set<Tensor>();
  for (const { graph } of everyGraph(model)) {
    for (const tensor of graph.initializers.values()) stored.add(tensor);
    for (const { values, indices } of graph.sparse.values()) stored.add(values).add(indices);
    for (const node of graph.nodes) {
      if (node.op !== 'Constant' || node.domain !== '') continue;
      for (const attribute of node.attributes.values()) if (attribute.type === 'tensor') stored.add(attribute.value);
    }
  }
  for (const { tensor, scales, zeroPoints } of listLayers(model)) {
    stored.delete(tensor);
    if (scales) stored.delete(scales);
    if (zeroPoints) stored.delete(zeroPoints);
  }
  return [...stored].reduce((sum, tensor) => sum + storedBytes(tensor), 0);
}

function weightsIn(place: GraphPlace, scopes: Scopes): Found[] {
  const scope = scopes.at(place);
  return place.graph.nodes.flatMap((node, index) => {
    const operator = weightOperator(node);
    if (!operator) return [];
    const sites: Found[] = [];
    for (const slot of operator.slots) {
      const stored = node.inputs[slot.input] ? storedWeight(scope, node.inputs[slot.input]!) : null;
      if (
        !stored ||
        !isWeight(stored, slot, integerScale(place.graph, node, scope, scopes) !== null) ||
        isTable(place.graph, node, stored.tensor, scopes)
      )
        continue;
      sites.push({ ...siteOf(place, node, slot, stored, scope, scopes), index, slot });
      if (operator.take === 'first') break;
    }
    return sites;
  });
}

/** Numbers a method can act on: floats, or integers whose operator or DequantizeLinear makes numbers of them. */
function isWeight({ tensor, dequantized }: StoredWeight, slot: WeightSlot, isScaledBehind: boolean): boolean {
  if (elementCount(tensor.dims) < 2) return false;
  if (slot.scales !== undefined || slot.zeroPoints !== undefined)
    return isStoredFloat(tensor) || isStoredInteger(tensor);
  return isStoredFloat(tensor) || ((dequantized !== null || isScaledBehind) && isStoredInteger(tensor));
}

function siteOf(
  { graph, scope: path }: GraphPlace,
  node: Node,
  slot: WeightSlot,
  stored: StoredWeight,
  scope: Scope,
  scopes: Scopes,
): Omit<Found, 'index' | 'slot'> {
  const { tensor, dequantized, axes } = stored;
  const behind = integerScale(graph, node, scope, scopes);
  const carried = (input: number | undefined): Tensor | null =>
    input === undefined ? null : constant(scope, node.inputs[input]);
  const scales = dequantized?.scales ?? carried(slot.scales) ?? behind?.scales ?? null;
  const zeroPoints = dequantized?.zeroPoints ?? carried(slot.zeroPoints) ?? behind?.zeroPoints ?? null;
  const bits = slot.bits && !dequantized ? slot.bits(node) : dataTypes[tensor.dtype].bits;
  const packed = bits < dataTypes[tensor.dtype].bits;
  const axis = typeof slot.axis === 'function' ? slot.axis(node) : slot.axis;
  const channelAxis = axis === undefined || (packed && slot.layout === 'blocks') ? null : (axes?.at(axis) ?? null);
  const perTensor = !scales || elementCount(scales.dims) === 1;
  return {
    op: node.op,
    domain: node.domain,
    node,
    graph,
    scope: path,
    weight: stored.name,
    weightInput: slot.input,
    tensor,
    via: stored.via,
    shape: unpackedShape(slot, node, tensor, bits),
    bits,
    channelAxis,
    ...(scales ? { scales } : {}),
    ...(zeroPoints ? { zeroPoints } : {}),
    ...(scales
      ? {
          quantAxis: dequantized ? dequantized.axis : perTensor ? null : (slot.quantAxis?.(node) ?? channelAxis),
          quantBlock: dequantized ? dequantized.block : (slot.block?.(node) ?? 1),
          layout: slot.layout ?? ('plain' as const),
        }
      : {}),
  };
}

function unpackedShape(slot: WeightSlot, node: Node, tensor: Tensor, bits: number): readonly number[] {
  if (slot.shape) return slot.shape(node, tensor.dims);
  const perElement = dataTypes[tensor.dtype].bits / bits;
  return perElement > 1
    ? tensor.dims.map((dim, i, all) => (i === all.length - 1 ? dim * perElement : dim))
    : tensor.dims;
}

/** The weight's dimensions in the order the node sees them; null where a Reshape hides them. */
const recurrent = new Set(['LSTM', 'GRU', 'RNN']);

function usedShape({ node, shape, via, tensor }: Found, slot: WeightSlot): readonly Dim[] | null {
  // Of a recurrent layer only the number of weights counts.
  if (slot.shape || via.length === 0 || recurrent.has(node.op)) return shape;
  let dims: readonly Dim[] | null = tensor.dims;
  for (const step of via) {
    if (step.op === 'Transpose') {
      const perm = step.attributes.get('perm');
      const order: number[] =
        perm?.type === 'ints' ? perm.value.map(Number) : dims.map((_, i, all) => all.length - 1 - i);
      dims = order.map((i) => dims![i] ?? null);
    } else if (/^(Reshape|Flatten|Squeeze|Unsqueeze)$/.test(step.op)) return null;
  }
  return dims;
}
