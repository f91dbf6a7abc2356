// Which values will have moments, told from the graph alone: what a forecast can refuse before anything is read.
import { readInt } from '../graph/edit';
import type { Graph, Node } from '../graph/graph';
import type { Shapes } from '../graph/shapes';
import { constantTensor } from '../graph/walk';

const ruled = new Set(
  [
    'Conv MatMul Gemm BatchNormalization Add Sub Mul Div Concat Relu LeakyRelu Sigmoid Clip Transpose Reshape Flatten',
    'Squeeze Unsqueeze Identity Dropout MaxPool AveragePool GlobalAveragePool GlobalMaxPool',
  ].flatMap((line) => line.split(' ')),
);

/** Values that `momentsOf` will know, told from the graph alone; and for each that it will not, the operator that ends it. */
export function foreseen(
  graph: Graph,
  shapes: Shapes,
): { readonly known: ReadonlySet<string>; readonly lost: ReadonlyMap<string, string> } {
  const known = new Set<string>();
  const lost = new Map<string, string>();
  const constants = new Set(graph.initializers.keys());
  for (const { name } of graph.inputs)
    if (!constants.has(name) && shapes.get(name)?.dtype === 'float32') known.add(name);
  for (const node of graph.nodes) {
    const output = node.outputs[0]!;
    if (constantTensor(node)) constants.add(output);
    else if (hasRule(node, known, constants, graph, shapes)) known.add(output);
    else
      for (const name of node.outputs)
        lost.set(name, node.inputs.map((from) => lost.get(from)).find(Boolean) ?? node.op);
  }
  return { known, lost };
}

function hasRule(
  node: Node,
  known: ReadonlySet<string>,
  constants: ReadonlySet<string>,
  graph: Graph,
  shapes: Shapes,
): boolean {
  const isKnownOp = ruled.has(node.op);
  if (node.domain !== '' || !isKnownOp || !shapes.get(node.outputs[0]!)?.shape || !shapes.get(node.inputs[0]!)?.shape)
    return false;
  const isConstant = (i: number): boolean => !node.inputs[i] || constants.has(node.inputs[i]!);
  const value = known.has(node.inputs[0]!);
  switch (node.op) {
    case 'BatchNormalization':
      return isConstant(1) && isConstant(2);
    case 'Concat':
      return node.inputs.every((name) => known.has(name));
    case 'Add':
    case 'Mul':
    case 'Sub':
    case 'Div': {
      const second = known.has(node.inputs[1]!);
      if (value && second) return node.op !== 'Div';
      if (!value && !(second && (node.op === 'Add' || node.op === 'Mul'))) return false;
      const tensor = graph.initializers.get(node.inputs[value ? 1 : 0]!);
      // One number, or one per channel.
      return tensor?.dtype === 'float32' && tensor.dims.filter((dim) => dim !== 1).length <= 1;
    }
    case 'Conv':
      return value && constants.has(node.inputs[1]!) && isConstant(2);
    case 'MatMul':
    case 'Gemm': {
      const rank = graph.initializers.get(node.inputs[1]!)?.dims.length;
      return value && rank === 2 && isConstant(2) && readInt(node, 'transA', 0) === 0;
    }
    case 'Clip':
      return value && isConstant(1) && isConstant(2);
    default:
      return value;
  }
}
