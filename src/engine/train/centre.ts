// Attention's backward pass without the longest way: the sum over each row of scores is taken where rows are short.
import { makeNode, readInt, readIntList } from '../graph/edit';
import type { Node } from '../graph/graph';
import { filled, mul, neg, sum } from './emit';
import { concat } from './rules/slices';
import type { WrittenTape } from './tape';

/**
 * With y = softmax(scores), O = y·V and G = ∂O, the rules write g = G·Vᵀ and ∂scores = y·(g − Σ g·y): three passes over scores × scores.
 * Σ g·y over a row equals Σ G·O over the same row of O (Dao et al., arXiv:2205.14135, appendix B.2), and as one more column of G
 * against a row of ones the product subtracts it by itself: y·([G, −Σ G·O]·[V, 1]ᵀ), one pass.
 */
export function centred(tape: WrittenTape, forward: readonly Node[]): readonly Node[] {
  const softmaxes = forward.filter(({ op, domain }) => op === 'Softmax' && domain === '');
  if (softmaxes.length === 0) return tape.nodes;
  const backward = [...tape.nodes];
  const find = finder(backward, forward);
  const replaced = new Map<Node, readonly Node[]>();
  for (const softmax of softmaxes) {
    const found = attentionOf(tape, softmax, find);
    if (!found) continue;
    const { product, G, V, O, difference, g, y } = found;
    const { dtype, dims } = tape.known(V);
    const before = tape.nodes.length;
    const last = dims.length - 1;
    const wide = concat(tape, [G, neg(tape, sum(tape, mul(tape, G, O), [last]))], last);
    const ones = filled(tape, 1, dtype, [...dims.slice(0, last), 1]);
    const against = concat(tape, [V, ones], last);
    const turned = tape.emit('Transpose', [against], swapped(tape.known(against)), { perm: swap(dims.length) });
    const extra = tape.nodes.slice(before);
    replaced.set(product, [...extra, makeNode('MatMul', [wide, turned], product.outputs, { name: product.name })]);
    replaced.set(difference, [makeNode('Mul', [g, y], difference.outputs, { name: difference.name })]);
  }
  return backward.flatMap((node) => replaced.get(node) ?? [node]);
}

const swap = (rank: number): number[] => [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2];
const swapped = <K extends { readonly dims: readonly number[] }>(known: K): K => ({
  ...known,
  dims: swap(known.dims.length).map((axis) => known.dims[axis]!),
});

interface Finder {
  /** The backward node that makes a value. */
  maker(name: string): Node | undefined;
  /** Nodes, forward or backward, that use a value. */
  users(name: string): readonly Node[];
}

function finder(backward: readonly Node[], forward: readonly Node[]): Finder {
  const made = new Map<string, Node>();
  const used = new Map<string, Node[]>();
  for (const node of backward) for (const name of node.outputs) made.set(name, node);
  for (const node of [...forward, ...backward]) {
    for (const name of new Set(node.inputs)) used.set(name, [...(used.get(name) ?? []), node]);
  }
  return { maker: (name) => made.get(name), users: (name) => used.get(name) ?? [] };
}

/** Where the rules wrote a softmax between two products; null where anything else looks at what lies between. */
function attentionOf(tape: WrittenTape, softmax: Node, { maker, users }: Finder) {
  const [y] = softmax.outputs as [string];
  const rank = tape.known(y).dims.length;
  const axis = readInt(softmax, 'axis', -1);
  if (axis !== -1 && axis !== rank - 1) return null;
  // p = g·y; ∂x = p − y·Σp
  const first = users(y).find((node) => node.op === 'Mul' && node.inputs[1] === y && maker(node.inputs[0]!));
  if (!first) return null;
  const [p] = first.outputs as [string];
  const difference = users(p).find(({ op, inputs }) => op === 'Sub' && inputs[0] === p);
  const isWhole = users(p).length === 2 && users(p).some(({ op }) => op === 'ReduceSum');
  const g = first.inputs[0]!;
  if (!difference || !isWhole || users(g).length !== 1) return null;
  let product = maker(g);
  if (product?.op === 'Reshape') {
    if (users(product.inputs[0]!).length !== 1) return null;
    product = maker(product.inputs[0]!);
  }
  const transposed = product?.op === 'MatMul' ? maker(product.inputs[1]!) : undefined;
  if (!product || transposed?.op !== 'Transpose') return null;
  const [V] = transposed.inputs as [string];
  const [G] = product.inputs as [string];
  if (`${readIntList(transposed, 'perm')}` !== `${swap(tape.known(V).dims.length)}`) return null;
  const O = users(V).find(({ op, inputs, outputs }) => {
    const isMixture =
      op === 'MatMul' && inputs[1] === V && tape.known(outputs[0]!).dims.join() === tape.known(G).dims.join();
    return isMixture && comesFrom(inputs[0]!, y, users);
  })?.outputs[0];
  const isPlain = `${tape.known(G).dims.slice(0, -2)}` === `${tape.known(V).dims.slice(0, -2)}`;
  return O && isPlain ? { product, G, V, O, difference, g, y } : null;
}

/** y itself, or y under another shape. */
const comesFrom = (name: string, y: string, users: Finder['users']): boolean =>
  name === y || users(y).some(({ op, outputs }) => op === 'Reshape' && outputs[0] === name);
