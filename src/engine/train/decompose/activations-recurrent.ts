// The activations that LSTM, GRU and RNN name in their attributes.
import { refuse } from '../../../contract/words/refusal';
import { floatAttribute } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import { plus, scaled, unary } from '../emit';
import type { Tape } from '../tape';

export type Activation = (tape: Tape, x: string) => string;

const withAttributes =
  (op: string, attributes: Record<string, number>): Activation =>
  (tape, x) =>
    tape.emit(
      op,
      [x],
      tape.known(x),
      Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, floatAttribute(value)])),
    );

/** By name; α and β with ONNX's defaults where they are not given. */
const activations: Readonly<Record<string, (alpha?: number, beta?: number) => Activation>> = {
  affine:
    (alpha = 1, beta = 0) =>
    (tape, x) =>
      plus(tape, scaled(tape, x, alpha), beta),
  elu: (alpha = 1) => withAttributes('Elu', { alpha }),
  hardsigmoid: (alpha = 0.2, beta = 0.5) => withAttributes('HardSigmoid', { alpha, beta }),
  leakyrelu: (alpha = 0.01) => withAttributes('LeakyRelu', { alpha }),
  relu: () => (tape, x) => unary(tape, 'Relu', x),
  scaledtanh:
    (alpha = 1, beta = 1) =>
    (tape, x) =>
      scaled(tape, unary(tape, 'Tanh', scaled(tape, x, beta)), alpha),
  sigmoid: () => (tape, x) => unary(tape, 'Sigmoid', x),
  softplus: () => (tape, x) => unary(tape, 'Softplus', x),
  softsign: () => (tape, x) => unary(tape, 'Softsign', x),
  tanh: () => (tape, x) => unary(tape, 'Tanh', x),
  thresholdedrelu: (alpha = 1) => withAttributes('ThresholdedRelu', { alpha }),
};

/** Activations that use an α (and a β) take the next of the node's list. */
const uses: Readonly<Record<string, number>> = {
  ...{ affine: 2, hardsigmoid: 2, scaledtanh: 2 },
  ...{ elu: 1, leakyrelu: 1, thresholdedrelu: 1 },
};

interface Constants {
  readonly alpha: readonly number[] | null;
  readonly beta: readonly number[] | null;
}

/** Those of one direction. */
export function activationsOf(node: Node, d: number, defaults: readonly string[], constants: Constants): Activation[] {
  const listed = node.attributes.get('activations');
  const text = new TextDecoder();
  const names = listed?.type === 'strings' ? listed.value.map((name) => text.decode(name)) : [];
  let alphas = 0;
  let betas = 0;
  const all = names.map((name) => {
    const key = name.toLowerCase();
    const make = Object.hasOwn(activations, key) ? activations[key] : undefined;
    if (!make) refuse('unsupported', `The ${node.op} "${node.name}" uses ${name}, which has no gradient rule here.`);
    const count = uses[key] ?? 0;
    const alpha = count > 0 ? constants.alpha?.[alphas++] : undefined;
    const beta = count > 1 ? constants.beta?.[betas++] : undefined;
    return make(alpha, beta);
  });
  if (all.length > 0) return all.slice(d * defaults.length, (d + 1) * defaults.length);
  return defaults.map((name) => activations[name.toLowerCase()]!());
}
