// Gradients of arithmetic with broadcasting.
import { div as divided, neg as negated, mul as product } from '../emit';
import type { Rule } from '../tape';

/** y = a + b: ∂a = g, ∂b = g. */
export const add: Rule = (tape, { inputs }, [g]) =>
  inputs.map((name) => (tape.wants(name) ? tape.unbroadcast(g!, tape.known(name)) : null));

/** y = a − b: ∂a = g, ∂b = −g. */
export const sub: Rule = (tape, { inputs: [a, b] }, [g]) => [
  tape.wants(a) ? tape.unbroadcast(g!, tape.known(a!)) : null,
  tape.wants(b) ? negated(tape, tape.unbroadcast(g!, tape.known(b!))) : null,
];

/** y = a·b: ∂a = g·b, ∂b = g·a. */
export const mul: Rule = (tape, { inputs: [a, b] }, [g]) => [
  tape.wants(a) ? tape.unbroadcast(product(tape, g!, b!), tape.known(a!)) : null,
  tape.wants(b) ? tape.unbroadcast(product(tape, g!, a!), tape.known(b!)) : null,
];

/** y = a/b: ∂a = g/b, ∂b = −(g/b)·y. */
export const div: Rule = (tape, { inputs: [a, b], outputs: [y] }, [g]) => {
  const over = divided(tape, g!, b!);
  return [
    tape.wants(a) ? tape.unbroadcast(over, tape.known(a!)) : null,
    tape.wants(b) ? tape.unbroadcast(negated(tape, product(tape, over, y!)), tape.known(b!)) : null,
  ];
};

/** y = −x: ∂x = −g. */
export const neg: Rule = (tape, _, [g]) => [negated(tape, g!)];
