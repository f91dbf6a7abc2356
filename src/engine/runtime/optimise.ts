// What the runtime makes of a model: its optimised graph, read back with our own reader, and the integer operators in it counted.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from '../formats/onnx';
import type { Model } from '../graph/graph';
import { everyNode } from '../graph/walk';
import { openSession } from './session';

/** Operators that compute on integers or on packed weights. */
export const computesOnCodes =
  /^(QLinear\w+|QGemm|QAttention|QMoE|MatMulInteger\w*|ConvInteger|DynamicQuantize(MatMul|LSTM)|MatMulNBits|MatMulBnb4|GatherBlockQuantized)$/;

/** By name as the graph spells it, `com.microsoft:` in front of the runtime's own. */
export type OperatorCounts = Record<string, number>;

/** The integer and packed operators of a graph as it stands. */
export function countIntegerOperators(model: Model): OperatorCounts {
  const counts = new Map<string, number>();
  for (const { node } of everyNode(model)) {
    if (!computesOnCodes.test(node.op)) continue;
    const name = node.domain === '' ? node.op : `${node.domain}:${node.op}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Operators that multiply in float. */
const computesInFloat = /^(Conv|FusedConv|NhwcConv|NhwcFusedConv|Gemm|FusedGemm|MatMul|FusedMatMul)$/;

/** What the runtime made of a model. */
export interface Optimised {
  readonly fused: OperatorCounts;
  /** Names of the nodes that multiply in float, as the runtime spells them. */
  readonly floats: readonly string[];
}

/** Loads the model, lets the runtime write its optimised graph into `folder` (a second full copy), reads it, deletes it. */
export async function readOptimised(path: string, folder: string): Promise<Optimised> {
  const file = join(folder, 'optimised.onnx');
  try {
    const session = await openSession(path, { optimisedFile: file, doing: 'loading the compressed model' });
    await session.close();
    const { model } = await open(file);
    const floats = everyNode(model).flatMap(({ node }) => (computesInFloat.test(node.op) ? [node.name] : []));
    return { fused: countIntegerOperators(model), floats };
  } finally {
    await rm(file, { force: true });
  }
}

export async function readFused(path: string, folder: string): Promise<OperatorCounts> {
  return (await readOptimised(path, folder)).fused;
}

/** True where a node of the optimised graph is the layer's: as it was, or under what the runtime adds when it joins nodes. */
export function isNodeOf(layer: string, node: string): boolean {
  return (
    node === layer || (node.startsWith(layer) && /^(\/MatMulAddFusion\/?|_token_\d+)$/.test(node.slice(layer.length)))
  );
}
