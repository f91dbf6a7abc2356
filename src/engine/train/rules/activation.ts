// Gradients of activations. g is the gradient of the output y; where a function has a kink the slope of its left side counts, as in PyTorch.
import { readFloat, readString } from '../../graph/edit';
import { add, compare, div, masked, mul, neg, plus, scalarLike, scaled, unary, where } from '../emit';
import type { Rule, Tape } from '../tape';

const above = (tape: Tape, x: string, bound: number): string => compare(tape, 'Greater', x, scalarLike(tape, x, bound));
const below = (tape: Tape, x: string, bound: number): string => compare(tape, 'Less', x, scalarLike(tape, x, bound));
const oneMinus = (tape: Tape, x: string): string => plus(tape, neg(tape, x), 1);

/** y = 1/(1 + e⁻ˣ): ∂x = g·y·(1 − y). */
export const sigmoid: Rule = (tape, { outputs: [y] }, [g]) => [mul(tape, g!, mul(tape, y!, oneMinus(tape, y!)))];

/** y = max(0, min(1, αx + β)): ∂x = α·g between the bounds. */
export const hardSigmoid: Rule = (tape, node, [g]) => {
  const y = node.outputs[0]!;
  const inside = tape.emit('And', [above(tape, y, 0), below(tape, y, 1)], { ...tape.known(y), dtype: 'bool' });
  return [masked(tape, inside, scaled(tape, g!, readFloat(node, 'alpha', Math.fround(0.2))))];
};

/** y = max(0, x): ∂x = g where y > 0. */
export const relu: Rule = (tape, { outputs: [y] }, [g]) => [masked(tape, above(tape, y!, 0), g!)];

/** y = x for x > 0, else αx: ∂x = g, αg. */
export const leakyRelu: Rule = (tape, node, [g]) => {
  const left = scaled(tape, g!, readFloat(node, 'alpha', Math.fround(0.01)));
  return [where(tape, above(tape, node.inputs[0]!, 0), g!, left)];
};

/** y = x for x > 0, else s·x: ∂x = g, s·g; ∂s = Σ g·x over x ≤ 0. */
export const pRelu: Rule = (tape, { inputs: [x, s] }, [g]) => {
  const right = above(tape, x!, 0);
  const zero = scalarLike(tape, g!, 0);
  return [
    tape.wants(x) ? where(tape, right, g!, mul(tape, g!, s!)) : null,
    tape.wants(s) ? tape.unbroadcast(where(tape, right, zero, mul(tape, g!, x!)), tape.known(s!)) : null,
  ];
};

/** y = x for x > 0, else α(eˣ − 1): ∂x = g, g·(y + α). */
export const elu: Rule = (tape, node, [g]) => {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  return [where(tape, above(tape, x, 0), g!, mul(tape, g!, plus(tape, y, readFloat(node, 'alpha', 1))))];
};

/** y = γ·x for x > 0, else γα(eˣ − 1): ∂x = γ·g, g·(y + γα). */
export const selu: Rule = (tape, node, [g]) => {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const alpha = readFloat(node, 'alpha', Math.fround(1.6732631921768188));
  const gamma = readFloat(node, 'gamma', Math.fround(1.0507010221481323));
  return [where(tape, above(tape, x, 0), scaled(tape, g!, gamma), mul(tape, g!, plus(tape, y, gamma * alpha)))];
};

/** y = x for x > 0, else α(e^(x/α) − 1): ∂x = g, g·(y/α + 1). */
export const celu: Rule = (tape, node, [g]) => {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const left = plus(tape, scaled(tape, y, 1 / readFloat(node, 'alpha', 1)), 1);
  return [where(tape, above(tape, x, 0), g!, mul(tape, g!, left))];
};

/** y = ln(1 + eˣ): ∂x = g·σ(x). */
export const softplus: Rule = (tape, { inputs: [x] }, [g]) => [mul(tape, g!, unary(tape, 'Sigmoid', x!))];

/** y = x/(1 + |x|): ∂x = g/(1 + |x|)². */
export const softsign: Rule = (tape, { inputs: [x] }, [g]) => {
  const size = plus(tape, unary(tape, 'Abs', x!), 1);
  return [div(tape, g!, mul(tape, size, size))];
};

/** y = x for x > α, else 0: ∂x = g where x > α. */
export const thresholdedRelu: Rule = (tape, node, [g]) => [
  masked(tape, above(tape, node.inputs[0]!, readFloat(node, 'alpha', 1)), g!),
];

/** y = x − β for x > λ, x + β for x < −λ, else 0: ∂x = g outside ±λ. */
export const shrink: Rule = (tape, node, [g]) => {
  const size = unary(tape, 'Abs', node.inputs[0]!);
  return [masked(tape, above(tape, size, readFloat(node, 'lambd', 0.5)), g!)];
};

/** y = x·Φ(x): ∂x = g·(Φ + x·φ); with tanh as its approximation, the slope of that. */
export const gelu: Rule = (tape, node, [g]) => {
  const x = node.inputs[0]!;
  const isTanh = readString(node, 'approximate', 'none') === 'tanh';
  return [mul(tape, g!, isTanh ? slopeOfTanhGelu(tape, x) : slopeOfGelu(tape, x))];
};

/** Φ(x) + x·φ(x), Φ = (1 + erf(x/√2))/2, φ = exp(−x²/2)/√(2π). */
function slopeOfGelu(tape: Tape, x: string): string {
  const cumulative = scaled(tape, plus(tape, unary(tape, 'Erf', scaled(tape, x, Math.SQRT1_2)), 1), 0.5);
  const bell = unary(tape, 'Exp', scaled(tape, mul(tape, x, x), -0.5));
  return add(tape, cumulative, mul(tape, scaled(tape, x, 1 / Math.sqrt(2 * Math.PI)), bell));
}

/** y = x/2·(1 + t), t = tanh(k(x + cx³)): y′ = (1 + t)/2 + x/2·(1 − t²)·k(1 + 3cx²). */
function slopeOfTanhGelu(tape: Tape, x: string): string {
  const [k, c] = [Math.sqrt(2 / Math.PI), 0.044715];
  const square = mul(tape, x, x);
  const inner = mul(tape, x, plus(tape, scaled(tape, square, k * c), k));
  const t = unary(tape, 'Tanh', inner);
  const steep = mul(tape, scaled(tape, x, 0.5), plus(tape, scaled(tape, square, 3 * k * c), k));
  return add(tape, scaled(tape, plus(tape, t, 1), 0.5), mul(tape, steep, oneMinus(tape, mul(tape, t, t))));
}

/** y = x·t, t = tanh(softplus x): ∂x = g·(t + x·(1 − t²)·σ(x)). */
export const mish: Rule = (tape, { inputs: [x] }, [g]) => {
  const t = unary(tape, 'Tanh', unary(tape, 'Softplus', x!));
  const steep = mul(tape, oneMinus(tape, mul(tape, t, t)), unary(tape, 'Sigmoid', x!));
  return [mul(tape, g!, add(tape, t, mul(tape, x!, steep)))];
};

/** y = x·s, s = σ(αx): ∂x = g·(s + αy·(1 − s)). */
export const swish: Rule = (tape, node, [g]) => {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const alpha = readFloat(node, 'alpha', 1);
  const s = unary(tape, 'Sigmoid', scaled(tape, x, alpha));
  return [mul(tape, g!, add(tape, s, mul(tape, scaled(tape, y, alpha), oneMinus(tape, s))))];
};

/** y = x·max(0, min(1, x/6 + ½)): ∂x = 0 below −3, g above 3, g·(x/3 + ½) between. */
export const hardSwish: Rule = (tape, { inputs: [x] }, [g]) => {
  const between = mul(tape, g!, plus(tape, scaled(tape, x!, 1 / 3), 0.5));
  return [where(tape, above(tape, x!, 3), g!, masked(tape, above(tape, x!, -3), between))];
};
