// LSTM, GRU and RNN unrolled: one product for the inputs of all steps, then step by step.
import { refuse } from '../../../contract/words/refusal';
import { readFloat, readFloatList, readInt, readString } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import { add, filled, matMul, mul, reshape, swapLast, transpose } from '../emit';
import { concat, slice, split } from '../rules/slices';
import type { Tape } from '../tape';
import { complement } from './activations';
import { type Activation, activationsOf } from './activations-recurrent';
import type { Decomposition } from './table';

/** One direction of a recurrent node, its tensors without the axis of directions. */
interface Lane {
  readonly tape: Tape;
  readonly node: Node;
  readonly hidden: number;
  /** x·Wᵀ + b of every step, each [B, gates·H], in the order they are taken. */
  readonly inputs: readonly string[];
  /** Rᵀ [H, gates·H] */
  readonly recurrent: string;
  /** The recurrent half of the bias [gates·H], where it was not added to the inputs. */
  readonly bias: string | null;
  readonly peepholes: readonly string[] | null;
  readonly activations: readonly Activation[];
  readonly first: State;
}

/** [B, H] each; the cell is the LSTM's alone. */
interface State {
  readonly h: string;
  readonly c: string | null;
}

type Step = (lane: Lane, input: string, state: State) => State;

/** y = tanh(x·Wᵀ + b + h·Rᵀ) */
const stepRnn: Step = ({ tape, recurrent, activations: [f] }, input, { h }) => ({
  h: f!(tape, add(tape, input, matMul(tape, h, recurrent))),
  c: null,
});

/** Gates in the order z (update), r (reset), h (new): h' = (1 − z)·h̃ + z·h. */
const stepGru: Step = (lane, input, { h }) => {
  const { tape, node, hidden, recurrent, bias, activations } = lane;
  const [f, g] = activations as [Activation, Activation];
  const isBefore = readInt(node, 'linear_before_reset', 0) === 1;
  const [forGates, forNew] = split(tape, recurrent, [2 * hidden, hidden], 1) as [string, string];
  const [gateBias, newBias] = bias ? (split(tape, bias, [2 * hidden, hidden], 0) as [string, string]) : [null, null];
  const [gateInput, newInput] = split(tape, input, [2 * hidden, hidden], 1) as [string, string];
  const products = add(tape, gateInput, matMul(tape, h, forGates));
  const gates = f(tape, gateBias ? add(tape, products, gateBias) : products);
  const [z, r] = split(tape, gates, [hidden, hidden], 1) as [string, string];
  const withBias = (product: string): string => (newBias ? add(tape, product, newBias) : product);
  const fresh = isBefore
    ? mul(tape, r, withBias(matMul(tape, h, forNew)))
    : withBias(matMul(tape, mul(tape, r, h), forNew));
  const proposal = g(tape, add(tape, newInput, fresh));
  return { h: add(tape, mul(tape, complement(tape, z), proposal), mul(tape, z, h)), c: null };
};

/** Gates in the order i, o, f, c: c' = f·c + i·c̃, h' = o·tanh(c'). */
const stepLstm: Step = ({ tape, node, hidden, recurrent, peepholes, activations }, input, { h, c }) => {
  const [f, g, last] = activations as [Activation, Activation, Activation];
  const gates = add(tape, input, matMul(tape, h, recurrent));
  const parts = split(tape, gates, [hidden, hidden, hidden, hidden], 1) as [string, string, string, string];
  const [pi, po, pf] = peepholes ?? [null, null, null];
  const peeked = (gate: string, weight: string | null | undefined, cell: string): string =>
    weight ? add(tape, gate, mul(tape, cell, weight)) : gate;
  const i = f(tape, peeked(parts[0], pi, c!));
  const forget = readInt(node, 'input_forget', 0) === 1 ? complement(tape, i) : f(tape, peeked(parts[2], pf, c!));
  const cell = add(tape, mul(tape, forget, c!), mul(tape, i, g(tape, parts[3])));
  const o = f(tape, peeked(parts[1], po, cell));
  return { h: mul(tape, o, last(tape, cell)), c: cell };
};

const kinds = {
  RNN: { gates: 1, step: stepRnn, defaults: ['Tanh'] },
  GRU: { gates: 3, step: stepGru, defaults: ['Sigmoid', 'Tanh'] },
  LSTM: { gates: 4, step: stepLstm, defaults: ['Sigmoid', 'Tanh', 'Tanh'] },
} as const;

/** x [T, B, I], W [D, gates·H, I], R [D, gates·H, H], B [D, 2·gates·H], lengths [B], initial h and c [D, B, H], P [D, 3·H]. */
export const recurrent: Decomposition = (tape, node) => {
  const kind = kinds[node.op as keyof typeof kinds];
  const isBatchFirst = readInt(node, 'layout', 0) === 1;
  const x = isBatchFirst ? transpose(tape, node.inputs[0]!, [1, 0, 2]) : node.inputs[0]!;
  const [steps, batch] = tape.known(x).dims as [number, number];
  refuseLengths(tape, node, steps);
  if (readFloat(node, 'clip', 0) > 0) return null;
  const [directions] = tape.known(node.inputs[1]!).dims as [number];
  const isReverse = readString(node, 'direction', 'forward') === 'reverse';
  const lanes = Array.from({ length: directions }, (_, d) => {
    const lane = laneOf(tape, node, { kind, x, d, isBatchFirst });
    const taken = isReverse || d === 1 ? lane.inputs.toReversed() : lane.inputs;
    const states: State[] = [];
    let state = lane.first;
    for (const input of taken) states.push((state = kind.step(lane, input, state)));
    return { states: isReverse || d === 1 ? states.toReversed() : states, last: state };
  });
  const { hidden } = sizesOf(tape, node);
  // Y [T, D, B, H], or [B, T, D, H] with the batch first.
  const all = lanes.map(({ states }) =>
    concat(
      tape,
      states.map(({ h }) => reshape(tape, h, [1, 1, batch, hidden])),
      0,
    ),
  );
  const y = concat(tape, all, 1);
  const ends = (pick: (state: State) => string): string => {
    const joined = concat(
      tape,
      lanes.map(({ last }) => reshape(tape, pick(last), [1, batch, hidden])),
      0,
    );
    return isBatchFirst ? transpose(tape, joined, [1, 0, 2]) : joined;
  };
  return [
    isBatchFirst ? transpose(tape, y, [2, 0, 1, 3]) : y,
    ends(({ h }) => h),
    ...(node.op === 'LSTM' ? [ends(({ c }) => c!)] : []),
  ];
};

/** H, from R [D, gates·H, H]. */
const sizesOf = (tape: Tape, node: Node): { hidden: number } => ({ hidden: tape.known(node.inputs[2]!).dims[2]! });

function refuseLengths(tape: Tape, node: Node, steps: number): void {
  const lengths = node.inputs[4];
  if (!lengths || tape.constant(lengths)?.every((length) => length === steps)) return;
  refuse(
    'unsupported',
    `The ${node.op} "${node.name}" is given the length of each sequence; it is trained on whole sequences only.`,
    'Leave its sequence_lens out, or make all sequences as long.',
  );
}

interface Direction {
  readonly kind: (typeof kinds)[keyof typeof kinds];
  readonly x: string;
  readonly d: number;
  readonly isBatchFirst: boolean;
}

function laneOf(tape: Tape, node: Node, { kind, x, d, isBatchFirst }: Direction): Lane {
  const [, weight, recurrentWeight, bias, , h, c, peephole] = node.inputs as [
    string,
    string,
    string,
    ...(string | undefined)[],
  ];
  const { hidden } = sizesOf(tape, node);
  const [steps, batch, size] = tape.known(x).dims as [number, number, number];
  const width = kind.gates * hidden;
  const own = (name: string, dims: readonly number[]): string =>
    reshape(tape, slice(tape, name, [{ axis: 0, start: d, end: d + 1 }]), dims);
  const state = (name: string | undefined): string => {
    if (!name) return filled(tape, 0, tape.known(x).dtype, [batch, hidden]);
    return own(isBatchFirst ? transpose(tape, name, [1, 0, 2]) : name, [batch, hidden]);
  };
  const halves = bias ? split(tape, own(bias, [2 * width]), [width, width], 0) : null;
  // Only the GRU's new gate may put its recurrent bias elsewhere.
  const isApart = node.op === 'GRU';
  const added = halves && (isApart ? halves[0]! : add(tape, halves[0]!, halves[1]!));
  const flat = matMul(tape, reshape(tape, x, [steps * batch, size]), swapLast(tape, own(weight, [width, size])));
  const products = reshape(tape, added ? add(tape, flat, added) : flat, [steps, batch, width]);
  const each = split(
    tape,
    products,
    Array.from({ length: steps }, () => 1),
    0,
  );
  const parts = peephole ? split(tape, own(peephole, [3 * hidden]), [hidden, hidden, hidden], 0) : null;
  return {
    ...{ tape, node, hidden },
    inputs: each.map((part) => reshape(tape, part, [batch, width])),
    recurrent: swapLast(tape, own(recurrentWeight, [width, hidden])),
    bias: isApart && halves ? halves[1]! : null,
    peepholes: parts,
    activations: activationsOf(node, d, kind.defaults, {
      alpha: readFloatList(node, 'activation_alpha'),
      beta: readFloatList(node, 'activation_beta'),
    }),
    first: { h: state(h), c: node.op === 'LSTM' ? state(c) : null },
  };
}
