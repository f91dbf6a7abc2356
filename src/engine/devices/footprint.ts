// The memory a model takes while it runs, in its parts: the one footprint of the whole product.
import type { Footprint } from '../../contract/words/device';
import {
  type Dim,
  dataTypes,
  elementCount,
  type Graph,
  type Model,
  type Node,
  storedBytes,
  type Tensor,
} from '../graph/graph';
import { inferShapes, type Shapes } from '../graph/shapes';
import { constantTensor, everyGraph, subgraphs, usedBy } from '../graph/walk';

/** Node 24 with onnxruntime-node 1.30.0 after a first run of a 26 kB model, resident: measured on x64 Linux. */
const runtimeBaseBytes = 81 * 2 ** 20;

/**
 * What the runtime adds to weights: packed copies and allocator slack. A 944 MB model of MatMulNBits takes 1,352 MB
 * resident, 1.43 times its file.
 */
const packedShare = 0.43;

export interface FootprintAnswer {
  readonly footprint: Footprint;
  /** Values of the graph whose size is unknown and counts as nothing. */
  readonly unknownValues: number;
}

/** At batch 1. A dimension that is free elsewhere (a length) leaves its values unknown. */
export async function footprintOf(model: Model): Promise<FootprintAnswer> {
  const weights = weightBytes(model);
  const atBatchOne = withBatchOne(model);
  const shapes = await inferShapes(atBatchOne);
  const { peak, unknown } = peakOfValues(atBatchOne.graph, shapes);
  const runtime = Math.round(runtimeBaseBytes + weights * packedShare);
  const parts = { weights, activations: peak, kvCache: 0, runtime };
  return { footprint: { ...parts, total: weights + peak + runtime }, unknownValues: unknown };
}

/** Half-precision weights are computed in float32 on a CPU, so their float32 copy is what stays. */
function residentBytes(tensor: Tensor): number {
  const isHalf = tensor.dtype === 'float16' || tensor.dtype === 'bfloat16';
  return storedBytes(tensor) * (isHalf ? 2 : 1);
}

function weightBytes(model: Model): number {
  let bytes = 0;
  for (const { graph } of everyGraph(model)) {
    for (const tensor of graph.initializers.values()) bytes += residentBytes(tensor);
    // Sparse weights are made dense when they are loaded.
    for (const { values, dims } of graph.sparse.values()) {
      bytes += Math.ceil((elementCount(dims) * dataTypes[values.dtype].bits) / 8);
    }
    for (const node of graph.nodes) {
      const tensor = constantTensor(node);
      if (tensor) bytes += residentBytes(tensor);
    }
  }
  return bytes;
}

/** The first axis of an input is the batch where it is free. */
function withBatchOne(model: Model): Model {
  const inputs = model.graph.inputs.map((value) => {
    if (value.type?.kind !== 'tensor' || !value.type.shape || typeof value.type.shape[0] === 'number') return value;
    return {
      ...value,
      type: { ...value.type, shape: [1 as Dim, ...value.type.shape.slice(1)].slice(0, value.type.shape.length) },
    };
  });
  return { ...model, graph: { ...model.graph, inputs } };
}

/** The most bytes alive at once when nodes run in order and a value is freed after its last use. */
function peakOfValues(graph: Graph, shapes: Shapes): { peak: number; unknown: number } {
  const lastUse = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of usedBy(node)) lastUse.set(name, node);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  const sizes = new Map<string, number>();
  let unknown = 0;
  const sizeOf = (name: string): number => {
    const bytes = valueBytes(shapes, name);
    if (bytes === null) unknown++;
    sizes.set(name, bytes ?? 0);
    return bytes ?? 0;
  };

  let alive = 0;
  for (const input of graph.inputs) if (!graph.initializers.has(input.name)) alive += sizeOf(input.name);
  let peak = alive;
  for (const node of graph.nodes) {
    if (constantTensor(node)) continue;
    for (const name of node.outputs) if (name !== '') alive += sizeOf(name);
    // A body runs while its surroundings are alive.
    let inner = 0;
    for (const { graph: body } of subgraphs(node)) {
      const inside = peakOfValues(body, shapes);
      inner = Math.max(inner, inside.peak);
      unknown += inside.unknown;
    }
    peak = Math.max(peak, alive + inner);
    for (const name of new Set([...usedBy(node), ...node.outputs])) {
      const isDone = lastUse.get(name) === node || !lastUse.has(name);
      if (isDone && !outputs.has(name) && sizes.has(name)) {
        alive -= sizes.get(name)!;
        sizes.delete(name);
      }
    }
  }
  return { peak, unknown };
}

function valueBytes(shapes: Shapes, name: string): number | null {
  const known = shapes.get(name);
  if (!known?.shape || !known.dtype || known.shape.some((dim) => typeof dim !== 'number')) return null;
  return Math.ceil((elementCount(known.shape as number[]) * dataTypes[known.dtype].bits) / 8);
}
