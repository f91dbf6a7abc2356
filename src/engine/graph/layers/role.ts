// Tells learned tables from computed ones: rotary tables, masks and frequencies are looked up like embeddings but hold no weights.
import type { Graph, Node, Tensor } from '../graph';
import type { Scopes } from '../walk';

const moves = new Set(
  'Identity Cast Reshape Unsqueeze Squeeze Transpose Slice Expand Concat Tile Split Neg Gather Flatten'.split(' '),
);
// Inputs of fused attention that take tables: cos, sin, mask and bias; never the data itself.
const attention = new Set(
  'RotaryEmbedding GemmaRotaryEmbedding GroupQueryAttention MultiHeadAttention Attention SparseAttention'.split(' '),
);
const furthest = 64;

/**
 * True where a constant is looked up (Gather) or multiplied by positions (MatMul) only to rotate or mask attention:
 * what it yields ends in `x·cos + rotated(x)·sin`, in Cos and Sin themselves, in Where, or is added to scores before Softmax.
 */
export function isTable(graph: Graph, node: Node, tensor: Tensor, scopes: Scopes): boolean {
  if (node.domain !== '' || (node.op !== 'Gather' && node.op !== 'MatMul')) return false;
  const ends = endsOf(graph, node, scopes);
  if (ends === null || ends.length === 0) return false;
  if (node.op === 'MatMul') {
    const operators = new Set(ends.map(({ user }) => user.op));
    return operators.size === 2 && operators.has('Cos') && operators.has('Sin');
  }
  const isSquare = tensor.dims.length > 1 && tensor.dims.at(-1) === tensor.dims.at(-2);
  return ends.every(({ user, value }) => endsInAttention(graph, user, value, isSquare, scopes));
}

function endsInAttention(graph: Graph, user: Node, value: string, isSquare: boolean, scopes: Scopes): boolean {
  const after = (name: string): readonly Node[] => scopes.usersOf(graph, name);
  const output = user.outputs[0] ?? '';
  if (attention.has(user.op)) return user.inputs[0] !== value;
  switch (user.op) {
    case 'Cos':
    case 'Sin':
    case 'Where':
      return true;
    case 'Mul':
      return after(output).length > 0 && after(output).every((sum) => isRotation(graph, sum, output, scopes));
    case 'Add':
      return isSquare && after(output).length > 0 && after(output).every(({ op }) => op === 'Softmax');
    default:
      return false;
  }
}

/** `x·cos ± y·sin`: a sum of two products. */
function isRotation(graph: Graph, sum: Node, product: string, scopes: Scopes): boolean {
  if (sum.op !== 'Add' && sum.op !== 'Sub') return false;
  const other = sum.inputs.find((name) => name !== product);
  return other !== undefined && scopes.producersOf(graph).get(other)?.op === 'Mul';
}

/** Users of the node's value beyond what only moves it; null where it leaves the graph or spreads too far. */
function endsOf(graph: Graph, node: Node, scopes: Scopes): { user: Node; value: string }[] | null {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const seen = new Set<string>();
  const ends: { user: Node; value: string }[] = [];
  const queue = [node.outputs[0] ?? ''];
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (outputs.has(value) || seen.size > furthest) return null;
    for (const user of scopes.usersOf(graph, value)) {
      if (user.domain === '' && moves.has(user.op)) queue.push(...user.outputs);
      else ends.push({ user, value });
    }
  }
  return ends;
}
