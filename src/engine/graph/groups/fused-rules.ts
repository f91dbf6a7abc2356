// Channels through fused attention: whole heads go, keys and values with the queries that share them.
import { readInt } from '../edit';
import { type Call, Lost, type Rule } from './call';
import type { Axis } from './channels';

/** [B, S, N·D] → one channel for each of N heads. */
function headsOf(call: Call, axis: Axis, heads: number): Int32Array {
  if (typeof axis === 'string' || axis.length % heads !== 0) throw new Lost();
  const width = axis.length / heads;
  return Int32Array.from({ length: heads }, (_, head) =>
    call.channels.asOne(axis.slice(head * width, (head + 1) * width)),
  );
}

interface Inputs {
  readonly caches: readonly number[];
  /** Added to the scores [B, N, S, T]: followed where they are the same for all heads. */
  readonly masks: readonly number[];
  /** Laid out by head in ways that are not followed. */
  readonly never: readonly number[];
}

/** Query, key, value [B, S, N·D] apart; caches [B, N, P, D]; each key head serves as many query heads. */
function attention(queryHeads: string, keyHeads: string, inputs: Inputs): Rule {
  return (call) => {
    if (!call.has(1) || !call.has(2) || inputs.never.some((input) => call.has(input))) throw new Lost();
    const [query, key, value] = [call.axes(0), call.axes(1), call.axes(2)];
    if (query.length !== 3 || key.length !== 3 || value.length !== 3) throw new Lost();
    for (const input of inputs.masks) if (call.has(input) && call.shape(input).at(-3) !== 1) throw new Lost();
    const count = readInt(call.node, queryHeads, 0);
    const shared = readInt(call.node, keyHeads, count);
    if (count === 0 || shared === 0) throw new Lost();
    const [queries, keys, values] = [
      headsOf(call, query[2]!, count),
      headsOf(call, key[2]!, shared),
      headsOf(call, value[2]!, shared),
    ];
    for (const [head, channel] of queries.entries())
      call.channels.join(keys[Math.floor((head * shared) / count)]!, channel);
    call.channels.same(keys, values);
    for (const input of inputs.caches) if (call.has(input)) call.channels.same(keys, call.axes(input)[1]!);
    const width = (query[2] as Int32Array).length / count;
    const out = Int32Array.from({ length: count * width }, (_, i) => queries[Math.floor(i / width)]!);
    const cache: Axis[] = ['', keys, call.reason, call.reason];
    return call.node.outputs.map((_, i) => (i === 0 ? [query[0]!, query[1]!, out] : cache));
  };
}

/** Attributes that count heads, as they are found again when heads have gone: attribute → input and whether it is of keys. */
export const headCounts: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  GroupQueryAttention: { num_heads: 0, kv_num_heads: 1 },
  MultiHeadAttention: { num_heads: 0 },
  Attention: { q_num_heads: 0, kv_num_heads: 1 },
};

const standard = attention('q_num_heads', 'kv_num_heads', { caches: [4, 5], masks: [3], never: [] });

export const fusedRules: Readonly<Record<string, Rule>> = {
  GroupQueryAttention: attention('num_heads', 'kv_num_heads', { caches: [3, 4], masks: [10], never: [11, 12, 13] }),
  MultiHeadAttention: attention('num_heads', 'num_heads', { caches: [6, 7], masks: [5], never: [3, 8, 9] }),
  /** Of the standard domain; the fused one of com.microsoft has queries, keys and values in one tensor. */
  Attention: (call) => {
    if (call.node.domain !== '') throw new Lost();
    return standard(call);
  },
};
