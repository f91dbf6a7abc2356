// Gradients of what passes values on, chooses among them, or bounds them.
import { cast, compare, div, masked, neg, plus, scalarLike, scaled, where } from '../emit';
import type { Rule } from '../tape';

/** y = x: ∂x = g. */
export const identity: Rule = (_, __, [g]) => [g!];

/** y = x in another float type: ∂x = g in x's type. */
export const castBack: Rule = (tape, { inputs }, [g]) => [
  cast(tape, g!, tape.known(inputs[0]!).dtype),
  ...inputs.slice(1).map(() => null),
];

/** y = a where c holds, else b: g goes to whichever was taken. */
export const choose: Rule = (tape, { inputs: [condition, a, b] }, [g]) => {
  const zero = scalarLike(tape, g!, 0);
  return [
    null,
    tape.wants(a) ? tape.unbroadcast(where(tape, condition!, g!, zero), tape.known(a!)) : null,
    tape.wants(b) ? tape.unbroadcast(where(tape, condition!, zero, g!), tape.known(b!)) : null,
  ];
};

/** y = min(max(x, low), high): ∂x = g where y = x; the bounds get g where they held. */
export const clip: Rule = (tape, { inputs, outputs: [y] }, [g]) => {
  const [x, low, high] = inputs;
  return inputs.map((name, i) => {
    if (!tape.wants(name)) return null;
    if (i === 0) return masked(tape, compare(tape, 'Equal', x!, y!), g!);
    const held = i === 1 ? compare(tape, 'Less', x!, low!) : compare(tape, 'Greater', x!, high!);
    return tape.unbroadcast(masked(tape, held, g!), tape.known(name!));
  });
};

/** y = x·mask/(1 − ratio) in training, else x: ∂x likewise. */
export const dropout: Rule = (tape, node, [g]) => {
  const [, ratio, training] = node.inputs;
  const others = node.inputs.slice(1).map(() => null);
  if (!training || tape.constant(training)?.[0] === 0) return [g!, ...others];
  const { dtype, dims } = tape.known(g!);
  const kept = masked(tape, tape.output(node, 1, { dtype: 'bool', dims }), g!);
  const rate = ratio ? tape.constant(ratio)?.[0] : 0.5;
  if (rate !== undefined) return [rate === 0 ? kept : scaled(tape, kept, 1 / (1 - rate)), ...others];
  return [div(tape, kept, plus(tape, neg(tape, cast(tape, ratio!, dtype)), 1)), ...others];
};
