// Gradients of functions of one value, element by element: y = f(x), ∂x = g·f′(x), with y where it saves computing f again.
import { div, mul, neg, plus, scaled, unary } from '../emit';
import type { Rule, Tape } from '../tape';

/** A rule from the slope f′ written in x and y. */
const slope =
  (make: (tape: Tape, x: string, y: string) => string): Rule =>
  (tape, { inputs: [x], outputs: [y] }, [g]) => [mul(tape, g!, make(tape, x!, y!))];

/** A rule from the inverse slope: ∂x = g / (1/f′). */
const over =
  (make: (tape: Tape, x: string, y: string) => string): Rule =>
  (tape, { inputs: [x], outputs: [y] }, [g]) => [div(tape, g!, make(tape, x!, y!))];

const square = (tape: Tape, x: string): string => mul(tape, x, x);

/** 1 − x² */
const oneMinusSquare = (tape: Tape, x: string): string => plus(tape, neg(tape, square(tape, x)), 1);

/** f constant between its jumps (Floor, Round, Sign …), or made without the input's values: nothing flows. */
export const nothing: Rule = (_, { inputs }) => inputs.map(() => null);

/** f′ = sign x */
export const abs = slope((tape, x) => unary(tape, 'Sign', x));
/** 1/f′ = 2y */
export const sqrt = over((tape, _, y) => scaled(tape, y, 2));
/** f′ = y */
export const exp = slope((_, __, y) => y);
/** 1/f′ = x */
export const log = over((_, x) => x);
/** f′ = −y² */
export const reciprocal = slope((tape, _, y) => neg(tape, square(tape, y)));
/** f′ = cos x */
export const sin = slope((tape, x) => unary(tape, 'Cos', x));
/** f′ = −sin x */
export const cos = slope((tape, x) => neg(tape, unary(tape, 'Sin', x)));
/** f′ = 1 + y² */
export const tan = slope((tape, _, y) => plus(tape, square(tape, y), 1));
/** f′ = cosh x */
export const sinh = slope((tape, x) => unary(tape, 'Cosh', x));
/** f′ = sinh x */
export const cosh = slope((tape, x) => unary(tape, 'Sinh', x));
/** f′ = 1 − y² */
export const tanh = slope((tape, _, y) => oneMinusSquare(tape, y));
/** 1/f′ = √(1 − x²) */
export const asin = over((tape, x) => unary(tape, 'Sqrt', oneMinusSquare(tape, x)));
/** 1/f′ = −√(1 − x²) */
export const acos = over((tape, x) => neg(tape, unary(tape, 'Sqrt', oneMinusSquare(tape, x))));
/** 1/f′ = 1 + x² */
export const atan = over((tape, x) => plus(tape, square(tape, x), 1));
/** 1/f′ = √(x² + 1) */
export const asinh = over((tape, x) => unary(tape, 'Sqrt', plus(tape, square(tape, x), 1)));
/** 1/f′ = √(x² − 1) */
export const acosh = over((tape, x) => unary(tape, 'Sqrt', plus(tape, square(tape, x), -1)));
/** 1/f′ = 1 − x² */
export const atanh = over(oneMinusSquare);
/** f′ = 2/√π · exp(−x²) */
export const erf = slope((tape, x) =>
  scaled(tape, unary(tape, 'Exp', neg(tape, square(tape, x))), 2 / Math.sqrt(Math.PI)),
);
