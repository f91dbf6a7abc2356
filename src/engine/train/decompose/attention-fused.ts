// The runtime's own attention operators. Forms that do not occur in training (packed keys, masks of lengths, caches that are filled) stay.
import { readFloat, readInt, readIntList } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import { add, cast, matMul, reshape, scaled } from '../emit';
import { concat, split } from '../rules/slices';
import type { Tape } from '../tape';
import { complement } from './activations';
import { attend, causalMask, joinHeads, splitHeads } from './attention';
import { rotated } from './rotary';
import type { Decomposition } from './table';

const inputsOf = (node: Node, count: number): (string | undefined)[] =>
  Array.from({ length: count }, (_, i) => node.inputs[i] || undefined);

/** `scale` 0 means the usual 1/√depth. */
const scaleOf = (node: Node, depth: number): number => readFloat(node, 'scale', 0) || 1 / Math.sqrt(depth);

/** x [B, S, C] · W [C, 3·H·D] + b, then self-attention. */
export const fusedAttention: Decomposition = (tape, node) => {
  const [x, weight, bias, mask, past, more, pastLength] = inputsOf(node, 7);
  if (past || pastLength || node.outputs[1] || readInt(node, 'do_rotary', 0) === 1 || !weight) return null;
  const added = mask ? keyMask(tape, node, mask) : [];
  if (!added) return null;
  const heads = readInt(node, 'num_heads', 1);
  const product = matMul(tape, x!, weight);
  const [batch, steps, width] = tape.known(product).dims as [number, number, number];
  const sizes = readIntList(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const parts = split(tape, bias ? add(tape, product, bias) : product, sizes, 2);
  const [q, k, v] = parts.map((part) => splitHeads(tape, part, heads)) as [string, string, string];
  const masks = [...added, ...(more ? [more] : [])];
  if (readInt(node, 'unidirectional', 0) === 1)
    masks.push(causalMask(tape, x!, { steps, total: steps, past: 0, hidden: hiddenScore(node) }));
  const scale = scaleOf(node, tape.known(q).dims[3]!);
  const { mixed } = attend(tape, { q, k, v, scale, softcap: 0, masks });
  return [reshape(tape, joinHeads(tape, mixed), [batch, steps, sizes[2]!])];
};

const hiddenScore = (node: Node): number => readFloat(node, 'mask_filter_value', -10_000);

/** A mask [B, T] of ones and zeros as [B, 1, 1, T] to add; null for masks that are lengths. */
function keyMask(tape: Tape, node: Node, mask: string): string[] | null {
  const { dims } = tape.known(mask);
  if (dims.length !== 2) return null;
  const zeros = complement(tape, cast(tape, mask, 'float32'));
  return [reshape(tape, scaled(tape, zeros, hiddenScore(node)), [dims[0]!, 1, 1, dims[1]!])];
}

/** Queries [B, S, H·D], keys and values [B, T, H·D], or keys and values with their heads apart. */
export const multiHeadAttention: Decomposition = (tape, node) => {
  const [query, key, value, bias, mask, more, pastKey, pastValue] = inputsOf(node, 8);
  if (!key || !value || tape.known(query!).dims.length !== 3 || tape.known(key).dims.length > 4) return null;
  const added = mask ? keyMask(tape, node, mask) : [];
  if (!added) return null;
  const heads = readInt(node, 'num_heads', 1);
  const width = tape.known(query!).dims[2]!;
  const biases = bias ? split(tape, bias, [width, width, tape.known(bias).dims[0]! - 2 * width], 0) : [];
  const [q, newKey, newValue] = [query!, key, value].map((x, i) => {
    if (tape.known(x).dims.length === 4) return x;
    return splitHeads(tape, biases[i] ? add(tape, x, biases[i]) : x, heads);
  }) as [string, string, string];
  const k = pastKey ? concat(tape, [pastKey, newKey], 2) : newKey;
  const v = pastValue ? concat(tape, [pastValue, newValue], 2) : newValue;
  const masks = [...added, ...(more ? [more] : [])];
  const [steps, total] = [tape.known(q).dims[2]!, tape.known(k).dims[2]!];
  if (readInt(node, 'unidirectional', 0) === 1)
    masks.push(causalMask(tape, q, { steps, total, past: total - steps, hidden: hiddenScore(node) }));
  const scale = scaleOf(node, tape.known(q).dims[3]!);
  const made = attend(tape, { q, k, v, scale, softcap: 0, masks });
  return [joinHeads(tape, made.mixed), k, v, made.products];
};

/**
 * Causal, with an empty cache: whole sequences are trained on. Where sequences end earlier (`seqlens_k`), what follows their end is
 * computed and belongs to no label.
 */
export const groupQueryAttention: Decomposition = (tape, node) => {
  const [query, key, value, pastKey, pastValue, , , cos, sin, positions, more, sink] = inputsOf(node, 12);
  const isEmpty = [pastKey, pastValue].every((name) => !name || tape.known(name).dims[2] === 0);
  if (!isEmpty || sink || readInt(node, 'smooth_softmax', 0) === 1) return null;
  const [heads, shared] = [readInt(node, 'num_heads', 1), readInt(node, 'kv_num_heads', 1)];
  const width = tape.known(query!).dims[2]!;
  const depth = key ? width / heads : width / (heads + 2 * shared);
  const parts =
    key && value ? [query!, key, value] : split(tape, query!, [heads * depth, shared * depth, shared * depth], 2);
  const turned = parts.map((part, i) => splitHeads(tape, part, i === 0 ? heads : shared)) as [string, string, string];
  let [q, k] = turned;
  const v = turned[2];
  const steps = tape.known(q).dims[2]!;
  if (readInt(node, 'do_rotary', 0) === 1) {
    if (!cos || !sin) return null;
    const turn = { cos, sin, positions, interleaved: readInt(node, 'rotary_interleaved', 0) === 1 };
    q = rotated(tape, q, turn);
    k = rotated(tape, k, turn);
  }
  const window = Math.max(0, readInt(node, 'local_window_size', -1));
  const hidden = Number.NEGATIVE_INFINITY;
  const masks = [...(more ? [more] : []), causalMask(tape, q, { steps, total: steps, past: 0, window, hidden })];
  const scale = scaleOf(node, depth);
  const { mixed } = attend(tape, { q, k, v, scale, softcap: readFloat(node, 'softcap', 0), masks });
  return [joinHeads(tape, mixed), k, v];
};
