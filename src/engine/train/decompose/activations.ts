// The runtime's own activations, and its fused matrix product.
import { readFloat, readInt } from '../../graph/edit';
import { add, matMul, mul, plus, scaled, swapLast, transpose, unary } from '../emit';
import type { Tape } from '../tape';
import type { Decomposition } from './table';

const gelu = (tape: Tape, x: string): string => tape.emit('Gelu', [x], tape.known(x));

/** x·½·(1 + erf(x/√2)) */
export const erfGelu: Decomposition = (tape, { inputs: [x] }) => [gelu(tape, x!)];

/** Gelu of x + bias. */
export const biasGelu: Decomposition = (tape, { inputs: [x, bias] }) => [gelu(tape, add(tape, x!, bias!))];

/** x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))) of x, or of x + bias. */
export const fastGelu: Decomposition = (tape, { inputs: [x, bias] }) => {
  const shifted = bias ? add(tape, x!, bias) : x!;
  return [tape.emit('Gelu', [shifted], tape.known(shifted), { approximate: 'tanh' })];
};

/** x·σ(α·x) */
export const quickGelu: Decomposition = (tape, node) => {
  const [x] = node.inputs as [string];
  return [mul(tape, x, unary(tape, 'Sigmoid', scaled(tape, x, readFloat(node, 'alpha', 1.702))))];
};

/** α·op(A)·op(B); `transBatch` moves the axis before the last to the front instead of leaving the batch there. */
export const fusedMatMul: Decomposition = (tape, node) => {
  const [a, b] = node.inputs.map((x, i) =>
    operand(tape, x, readInt(node, i === 0 ? 'transA' : 'transB', 0) === 1, {
      isBatchMoved: readInt(node, i === 0 ? 'transBatchA' : 'transBatchB', 0) === 1,
    }),
  ) as [string, string];
  return [scaled(tape, matMul(tape, a, b), readFloat(node, 'alpha', 1))];
};

function operand(tape: Tape, x: string, isTransposed: boolean, { isBatchMoved }: { isBatchMoved: boolean }): string {
  const rank = tape.known(x).dims.length;
  if (rank < 2) return x;
  // [d₀, d₁ … , M, K] is read as [M, d₀ … , K]: every batch axis one further.
  const moved = isBatchMoved
    ? transpose(tape, x, [...Array.from({ length: rank - 2 }, (_, i) => i + 1), 0, rank - 1])
    : x;
  return isTransposed ? swapLast(tape, moved) : moved;
}

/** 1 − x */
export const complement = (tape: Tape, x: string): string => plus(tape, scaled(tape, x, -1), 1);
