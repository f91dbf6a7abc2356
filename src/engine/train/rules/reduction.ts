// Gradients of reductions: g is spread back over the axes that were folded away.
import { readInt } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import {
  axesFrom,
  cast,
  compare,
  constantInput,
  div,
  expand,
  masked,
  mul,
  reduce,
  reshape,
  scaled,
  sub,
  unary,
  where,
} from '../emit';
import type { Rule, Tape } from '../tape';

interface Reduced {
  readonly x: string;
  /** Axes that were folded, non-negative. */
  readonly axes: readonly number[];
  /** x's shape with the folded axes of size 1. */
  readonly kept: readonly number[];
  /** Elements that became one. */
  readonly count: number;
}

/** What a Reduce* node folded. */
function reduced(tape: Tape, node: Node): Reduced {
  const x = node.inputs[0]!;
  const { dims } = tape.known(x);
  const given = node.inputs[1] ? constantInput(tape, node, 1, 'axes') : [];
  const isAll = given.length === 0;
  const isNone = isAll && readInt(node, 'noop_with_empty_axes', 0) !== 0;
  const axes = isNone ? [] : isAll ? dims.map((_, i) => i) : axesFrom(given, dims.length);
  const kept = dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
  return { x, axes, kept, count: elementCount(axes.map((axis) => dims[axis]!)) };
}

/** A rule from what is broadcast against x: `g` and `y` have the folded axes back as size 1. */
const spread =
  (make: (tape: Tape, parts: Reduced & { readonly g: string; readonly y: string }) => string): Rule =>
  (tape, node, [g]) => {
    const parts = reduced(tape, node);
    const { dims } = tape.known(parts.x);
    const gradient = make(tape, {
      ...parts,
      g: reshape(tape, g!, parts.kept),
      y: reshape(tape, node.outputs[0]!, parts.kept),
    });
    return [expand(tape, gradient, dims), ...node.inputs.slice(1).map(() => null)];
  };

/** y = Σx: ∂x = g. */
export const reduceSum = spread((_, { g }) => g);
/** y = Σx/n: ∂x = g/n. */
export const reduceMean = spread((tape, { g, count }) => scaled(tape, g, 1 / count));
/** y = Σx²: ∂x = 2gx. */
export const reduceSumSquare = spread((tape, { x, g }) => mul(tape, scaled(tape, g, 2), x));
/** y = Σ|x|: ∂x = g·sign x. */
export const reduceL1 = spread((tape, { x, g }) => mul(tape, g, unary(tape, 'Sign', x)));
/** y = √Σx²: ∂x = g·x/y, 0 where y is 0. */
export const reduceL2 = spread((tape, { x, g, y }) => {
  const isZero = compare(tape, 'Equal', y, tape.scalar(0, tape.known(y).dtype));
  const safe = where(tape, isZero, tape.scalar(1, tape.known(y).dtype), y);
  return mul(tape, div(tape, g, safe), x);
});
/** y = ln Σx: ∂x = g/eʸ. */
export const reduceLogSum = spread((tape, { g, y }) => div(tape, g, unary(tape, 'Exp', y)));
/** y = ln Σeˣ: ∂x = g·e^(x − y). */
export const reduceLogSumExp = spread((tape, { x, g, y }) => mul(tape, g, unary(tape, 'Exp', sub(tape, x, y))));

/** y = max x, or min: g goes to the largest; equal ones share it. */
export const reduceExtreme = spread((tape, { x, g, y, axes }) => {
  const hit = compare(tape, 'Equal', x, y);
  const count = reduce(tape, 'ReduceSum', cast(tape, hit, tape.known(g).dtype), axes, true);
  return masked(tape, hit, div(tape, g, count));
});

/**
 * y = Πx: ∂x = g·(the product of the others). With p the product of all that are not 0: p/x where no element is 0; where one is,
 * p at that one and 0 elsewhere; where several are, 0.
 */
export const reduceProd = spread((tape, { x, g, axes }) => {
  const { dtype } = tape.known(x);
  const [zero, one] = [tape.scalar(0, dtype), tape.scalar(1, dtype)];
  const isZero = compare(tape, 'Equal', x, zero);
  const filled = where(tape, isZero, one, x);
  const others = div(tape, reduce(tape, 'ReduceProd', filled, axes, true), filled);
  const own = cast(tape, isZero, dtype);
  const zeros = sub(tape, reduce(tape, 'ReduceSum', own, axes, true), own);
  return masked(tape, compare(tape, 'Equal', zeros, zero), mul(tape, g, others));
});
