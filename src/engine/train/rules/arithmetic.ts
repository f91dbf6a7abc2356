// Gradients of arithmetic with broadcasting. g is the gradient of the output y, ∂x what the rule answers for the input x.
import { readInt } from '../../graph/edit';
import {
  add as added,
  cast,
  compare,
  div as divided,
  masked,
  neg as negated,
  plus,
  mul as product,
  scalarLike,
  scaled,
  unary,
  where,
} from '../emit';
import type { Rule, Tape } from '../tape';

/** The gradient of one input, made where it is wanted and in the input's shape. */
function of(tape: Tape, name: string | undefined, make: () => string): string | null {
  return name !== undefined && tape.wants(name) ? tape.unbroadcast(make(), tape.known(name)) : null;
}

/** y = a + b: ∂a = g, ∂b = g. */
export const add: Rule = (tape, { inputs }, [g]) => inputs.map((name) => of(tape, name, () => g!));

/** y = a − b: ∂a = g, ∂b = −g. */
export const sub: Rule = (tape, { inputs: [a, b] }, [g]) => [
  of(tape, a, () => g!),
  tape.wants(b) ? negated(tape, tape.unbroadcast(g!, tape.known(b!))) : null,
];

/** y = a·b: ∂a = g·b, ∂b = g·a. */
export const mul: Rule = (tape, { inputs: [a, b] }, [g]) => [
  of(tape, a, () => product(tape, g!, b!)),
  of(tape, b, () => product(tape, g!, a!)),
];

/** y = a/b: ∂a = g/b, ∂b = −(g/b)·y. */
export const div: Rule = (tape, { inputs: [a, b], outputs: [y] }, [g]) => {
  const over = divided(tape, g!, b!);
  return [of(tape, a, () => over), of(tape, b, () => negated(tape, product(tape, over, y!)))];
};

/** y = −x: ∂x = −g. */
export const neg: Rule = (tape, _, [g]) => [negated(tape, g!)];

/** y = x^e: ∂x = g·e·x^(e−1); ∂e = g·y·ln x, 0 where x is 0. */
export const pow: Rule = (tape, { inputs: [x, e], outputs: [y] }, [g]) => {
  const exponents = tape.constant(e);
  const exponent = exponents?.every((value) => value === exponents[0]) ? exponents[0]! : null;
  return [
    exponent === 0 ? null : of(tape, x, () => product(tape, g!, slopeOfPower(tape, x!, e!, exponent))),
    of(tape, e, () => {
      const isZero = compare(tape, 'Equal', x!, scalarLike(tape, x!, 0));
      const slope = where(tape, isZero, scalarLike(tape, x!, 0), product(tape, y!, unary(tape, 'Log', x!)));
      return cast(tape, product(tape, g!, slope), tape.known(e!).dtype);
    }),
  ];
};

/** e·x^(e−1). `exponent` where all of e is one known number. */
function slopeOfPower(tape: Tape, x: string, e: string, exponent: number | null): string {
  if (exponent === 2) return scaled(tape, x, 2);
  const factor = cast(tape, e, tape.known(x).dtype);
  const { dtype, dims } = tape.known(product(tape, x, factor));
  const slope = product(tape, tape.emit('Pow', [x, plus(tape, factor, -1)], { dtype, dims }), factor);
  // 0^(−1)·0 has no value, the slope of x⁰ has: 0.
  return exponent === null ? masked(tape, notZero(tape, factor), slope) : slope;
}

function notZero(tape: Tape, x: string): string {
  const isZero = compare(tape, 'Equal', x, scalarLike(tape, x, 0));
  return tape.emit('Not', [isZero], tape.known(isZero));
}

/** y = a mod b as C's fmod has it, y = a − b·trunc(a/b): ∂a = g, ∂b = −g·trunc(a/b). */
export const mod: Rule = (tape, node, [g]) => {
  const [a, b] = node.inputs;
  if (readInt(node, 'fmod', 0) === 0) throw new Error('floats are divided with fmod = 1');
  return [
    of(tape, a, () => g!),
    of(tape, b, () => {
      const over = divided(tape, a!, b!);
      // trunc(q) = sign(q)·⌊|q|⌋
      const whole = product(tape, unary(tape, 'Sign', over), unary(tape, 'Floor', unary(tape, 'Abs', over)));
      return negated(tape, product(tape, g!, whole));
    }),
  ];
};

/** y = x₁ + … + xₙ: ∂xᵢ = g. */
export const sum: Rule = add;

/** y = (x₁ + … + xₙ)/n: ∂xᵢ = g/n. */
export const mean: Rule = (tape, { inputs }, [g]) => {
  const share = scaled(tape, g!, 1 / inputs.length);
  return inputs.map((name) => of(tape, name, () => share));
};

/** y = max(x₁, …, xₙ), or min: g goes to the largest; equal ones share it. */
export const extreme: Rule = (tape, { inputs, outputs: [y] }, [g]) => {
  const { dtype } = tape.known(g!);
  const hits = inputs.map((name) => compare(tape, 'Equal', name, y!));
  const count = hits.map((hit) => cast(tape, hit, dtype)).reduce((total, hit) => added(tape, total, hit));
  const share = inputs.length === 1 ? g! : divided(tape, g!, count);
  return inputs.map((name, i) => of(tape, name, () => masked(tape, hits[i]!, share)));
};
