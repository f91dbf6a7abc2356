// Which tensors leave the model file, and where in the data file they lie.
import { basename, dirname } from 'node:path';
import { type Attribute, type Graph, type Model, type Node, storedBytes, type Tensor } from '../../graph/graph';
import type { Place, Placement } from './encode-model';

/** onnxruntime reads shapes and other small constants before it maps data files; onnx's own tools keep these inside as well. */
const smallestOutside = 1024;
/** Tensors above this begin at a multiple of `alignment`: the granularity of a Windows file mapping (Linux: 4,096). */
const alignedAbove = 2 ** 20;
const alignment = 65_536;

export interface Layout {
  readonly place: Placement;
  /** What the data file holds, by ascending offset. */
  readonly tensors: readonly { readonly tensor: Tensor; readonly offset: number }[];
  readonly bytes: number;
}

/**
 * ```
 * | small | small | …  pad | large ≥ 1 MiB … pad | large … |
 * 0                        65,536·k              65,536·m
 * ```
 * Tied weights (the same bytes under two names) are stored once.
 */
export function layOut(model: Model, location: string): Layout {
  const outside = [...tensorsOf(model)].filter(
    (tensor) => tensor.data.kind !== 'strings' && storedBytes(tensor) >= smallestOutside,
  );
  const isLarge = (tensor: Tensor) => storedBytes(tensor) > alignedAbove;
  const ordered = [...outside.filter((tensor) => !isLarge(tensor)), ...outside.filter(isLarge)];
  const places = new Map<Tensor, Place>();
  const stored = new Map<unknown, Place>();
  const tensors: { tensor: Tensor; offset: number }[] = [];
  let end = 0;
  for (const tensor of ordered) {
    const identity = identityOf(tensor);
    let place = stored.get(identity);
    if (!place) {
      const offset = isLarge(tensor) ? Math.ceil(end / alignment) * alignment : end;
      const length = storedBytes(tensor);
      place = { location, offset, length };
      stored.set(identity, place);
      tensors.push({ tensor, offset });
      end = offset + length;
    }
    places.set(tensor, place);
  }
  return { place: (tensor) => places.get(tensor) ?? null, tensors, bytes: end };
}

/** Weights stay in the files of `folder` (links resolved) they are in already, and are named there; the others lie inside. */
export function placeIn(folder: string): Placement {
  return (tensor) => {
    const { data } = tensor;
    if (data.kind !== 'file' || dirname(data.file) !== folder || data.length < smallestOutside) return null;
    return { location: basename(data.file), offset: data.offset, length: data.length };
  };
}

/** Two tensors with the same identity have the same bytes. */
function identityOf(tensor: Tensor): unknown {
  const { data } = tensor;
  if (data.kind === 'file') return `${data.offset}+${data.length} ${data.file}`;
  return data.kind === 'bytes' ? data.bytes : data;
}

/** Every tensor of the model in the order it is written, those in attributes and subgraphs included. */
export function* tensorsOf(model: Model): Iterable<Tensor> {
  yield* graphTensors(model.graph);
  for (const fn of model.functions) {
    for (const node of fn.nodes) yield* nodeTensors(node);
    for (const attribute of fn.defaults.values()) yield* attributeTensors(attribute);
  }
}

function* graphTensors(graph: Graph): Iterable<Tensor> {
  for (const node of graph.nodes) yield* nodeTensors(node);
  yield* graph.initializers.values();
  for (const sparse of graph.sparse.values()) yield* [sparse.values, sparse.indices];
}

function* nodeTensors(node: Node): Iterable<Tensor> {
  for (const attribute of node.attributes.values()) yield* attributeTensors(attribute);
}

function* attributeTensors(attribute: Attribute): Iterable<Tensor> {
  if (attribute.type === 'tensor') yield attribute.value;
  else if (attribute.type === 'tensors') yield* attribute.value;
  else if (attribute.type === 'graph') yield* graphTensors(attribute.value);
  else if (attribute.type === 'graphs') for (const graph of attribute.value) yield* graphTensors(graph);
  else if (attribute.type === 'sparse') yield* [attribute.value.values, attribute.value.indices];
}
