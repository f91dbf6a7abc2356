// Attention written out: heads side by side, scores, softmax, mixture. The standard operator; the runtime's own are in attention-fused.ts.
import { readFloat, readInt } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import {
  add,
  cast,
  compare,
  div,
  matMul,
  reduce,
  reshape,
  scalarLike,
  scaled,
  swapLast,
  transpose,
  unary,
  where,
} from '../emit';
import { concat } from '../rules/slices';
import type { Tape } from '../tape';
import type { Decomposition } from './table';

export interface Heads {
  /** [B, H, S, D] */
  readonly q: string;
  /** [B, K, T, D]: each of K heads serves H/K heads of q. */
  readonly k: string;
  /** [B, K, T, E] */
  readonly v: string;
  readonly scale: number;
  /** Scores become c·tanh(score/c); 0: they stay. */
  readonly softcap: number;
  /** Added to the scores [B, H, S, T]. */
  readonly masks: readonly string[];
  /** A step may see no key at all: its mixture is zero then. */
  readonly mayBeBlind?: boolean;
}

/** The mixture [B, H, S, E], with the scores before and after each step. */
export function attend(tape: Tape, { q, k, v, scale, softcap, masks, mayBeBlind = false }: Heads) {
  const [batch, heads, steps, depth] = tape.known(q).dims as [number, number, number, number];
  const [, shared, total, width] = tape.known(v).dims as [number, number, number, number];
  // Heads that share a key lie one after the other: as rows of one product nothing is repeated.
  const rows = (heads / shared) * steps;
  const asked = reshape(tape, scaled(tape, q, scale), [batch, shared, rows, depth]);
  const products = reshape(tape, matMul(tape, asked, swapLast(tape, k)), [batch, heads, steps, total]);
  const capped = softcap > 0 ? cap(tape, products, softcap) : products;
  const masked = masks.reduce((scores, mask) => add(tape, scores, mask), capped);
  const weights = mayBeBlind ? sighted(tape, masked) : softmax(tape, masked);
  const mixed = matMul(tape, reshape(tape, weights, [batch, shared, rows, total]), v);
  return { products, capped, masked, weights, mixed: reshape(tape, mixed, [batch, heads, steps, width]) };
}

const softmax = (tape: Tape, scores: string): string =>
  tape.emit('Softmax', [scores], tape.known(scores), { axis: -1 });

/** Softmax that gives zeros where every score is −∞. */
function sighted(tape: Tape, scores: string): string {
  const best = reduce(tape, 'ReduceMax', scores, [3], true);
  const isBlind = compare(tape, 'Equal', best, scalarLike(tape, best, Number.NEGATIVE_INFINITY));
  const nothing = scalarLike(tape, scores, 0);
  return where(tape, isBlind, nothing, softmax(tape, where(tape, isBlind, nothing, scores)));
}

const cap = (tape: Tape, scores: string, limit: number): string =>
  scaled(tape, unary(tape, 'Tanh', div(tape, scores, scalarLike(tape, scores, limit))), limit);

/** [B, S, H·D] → [B, H, S, D] */
export function splitHeads(tape: Tape, x: string, heads: number): string {
  const [batch, steps, width] = tape.known(x).dims as [number, number, number];
  return transpose(tape, reshape(tape, x, [batch, steps, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, H, S, D] → [B, S, H·D] */
export function joinHeads(tape: Tape, x: string): string {
  const [batch, heads, steps, width] = tape.known(x).dims as [number, number, number, number];
  return reshape(tape, transpose(tape, x, [0, 2, 1, 3]), [batch, steps, heads * width]);
}

export interface Sight {
  readonly steps: number;
  readonly total: number;
  /** How many keys came before the first query. */
  readonly past: number;
  /** Keys further back than so many are not seen; 0: all are. */
  readonly window?: number;
  /** What is added to hidden scores. */
  readonly hidden: number;
}

/** [S, T]: 0 where step s sees key t, `hidden` elsewhere. */
export function causalMask(tape: Tape, like: string, { steps, total, past, window = 0, hidden }: Sight): string {
  const values = new Float32Array(steps * total);
  for (let step = 0; step < steps; step++) {
    for (let key = 0; key < total; key++) {
      const back = step + past - key;
      if (back < 0 || (window > 0 && back >= window)) values[step * total + key] = hidden;
    }
  }
  return tape.floats([steps, total], values, tape.known(like).dtype);
}

/** The standard operator, of three or four axes. */
export const attention: Decomposition = (tape, node) => {
  const [q, k, v, mask, pastKey, pastValue, lengths] = node.inputs as [
    string,
    string,
    string,
    ...(string | undefined)[],
  ];
  // Hidden scores are −∞ here and the lowest number in the runtime: who looks at them must not see another.
  const showsHidden = Boolean(node.outputs[3]) && readInt(node, 'qk_matmul_output_mode', 0) === 2;
  if (lengths || (showsHidden && readInt(node, 'is_causal', 0) === 1)) return null;
  const isFlat = tape.known(q).dims.length === 3;
  const heads = (x: string, attribute: string): string =>
    isFlat ? splitHeads(tape, x, readInt(node, attribute, 1)) : x;
  const [asked, newKey, newValue] = [heads(q, 'q_num_heads'), heads(k, 'kv_num_heads'), heads(v, 'kv_num_heads')];
  const key = pastKey ? concat(tape, [pastKey, newKey], 2) : newKey;
  const value = pastValue ? concat(tape, [pastValue, newValue], 2) : newValue;
  const steps = tape.known(asked).dims[2]!;
  const total = tape.known(key).dims[2]!;
  const masks = [];
  if (mask) {
    const added = additive(tape, mask, asked);
    if (tape.known(added).dims.at(-1) !== total) return null;
    masks.push(added);
  }
  if (readInt(node, 'is_causal', 0) === 1) {
    const past = pastKey ? tape.known(pastKey).dims[2]! : 0;
    masks.push(causalMask(tape, asked, { steps, total, past, hidden: Number.NEGATIVE_INFINITY }));
  }
  const scale = readFloat(node, 'scale', 1 / Math.sqrt(tape.known(asked).dims[3]!));
  const made = attend(tape, {
    q: asked,
    k: key,
    v: value,
    scale,
    softcap: readFloat(node, 'softcap', 0),
    masks,
    mayBeBlind: Boolean(mask),
  });
  return [isFlat ? joinHeads(tape, made.mixed) : made.mixed, key, value, scoresOf(node, made)];
};

function scoresOf(node: Node, made: ReturnType<typeof attend>): string {
  const modes = [made.products, made.capped, made.masked, made.weights];
  return modes[readInt(node, 'qk_matmul_output_mode', 0)]!;
}

/** A mask as something to add: truth values become 0 and −∞. */
function additive(tape: Tape, mask: string, like: string): string {
  const { dtype } = tape.known(mask);
  const wanted = tape.known(like).dtype;
  if (dtype !== 'bool') return cast(tape, mask, wanted);
  return where(tape, mask, tape.scalar(0, wanted), tape.scalar(Number.NEGATIVE_INFINITY, wanted));
}
