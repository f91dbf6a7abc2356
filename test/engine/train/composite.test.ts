// Random small graphs in which values are used several times and in several shapes, against finite differences in float64.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import type { Node } from '../../../src/engine/graph/graph';
import { int64Tensor } from '../../../src/engine/graph/tensor';
import { openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { node } from '../models';
import { type Checked, distance, feedsOf, type Input, withLoss } from './gradient-check';

/** A step of a graph: from earlier values (all [2, 2]) to a new one of the same shape. Everything stays small and smooth. */
const steps: readonly ((a: string, b: string, y: string) => Node[])[] = [
  (a, b, y) => [node('Add', [a, b], [y])],
  (a, b, y) => [node('Sub', [a, b], [y])],
  (a, b, y) => [node('Mul', [a, b], [`${y}m`]), node('Tanh', [`${y}m`], [y])],
  (a, b, y) => [node('MatMul', [a, b], [`${y}m`]), node('Tanh', [`${y}m`], [y])],
  (a, b, y) => [node('Gemm', [a, b, a], [`${y}m`], { transA: 1, beta: 0.5 }), node('Sin', [`${y}m`], [y])],
  (a, b, y) => [node('Softmax', [a], [`${y}s`]), node('Mul', [`${y}s`, b], [y])],
  (a, b, y) => [node('ReduceMean', [a, 'rows'], [`${y}r`]), node('Sub', [b, `${y}r`], [y])],
  (a, b, y) => [
    node('ReduceLogSumExp', [a], [`${y}r`], { keepdims: 0 }),
    node('Mul', [b, `${y}r`], [`${y}m`]),
    node('Cos', [`${y}m`], [y]),
  ],
  (a, b, y) => [node('Concat', [a, b], [`${y}c`], { axis: 1 }), node('Slice', [`${y}c`, 'one', 'three', 'one'], [y])],
  (a, b, y) => [node('Split', [a], [`${y}l`, `${y}r`], { axis: 0, num_outputs: 2 }), node('Mul', [b, `${y}r`], [y])],
  (a, b, y) => [
    node('Gather', [a, 'swap'], [`${y}g`]),
    node('Transpose', [b], [`${y}t`]),
    node('Mul', [`${y}g`, `${y}t`], [y]),
  ],
  (a, b, y) => [
    node('Exp', [a], [`${y}e`]),
    node('Add', [`${y}e`, `${y}e`], [`${y}d`]),
    node('Div', [b, `${y}d`], [y]),
  ],
  (a, b, y) => [
    node('Sigmoid', [a], [`${y}s`]),
    node('Pow', [`${y}s`, `${y}s`], [`${y}p`]),
    node('Add', [`${y}p`, b], [y]),
  ],
  (a, _, y) => [node('CumSum', [a, 'axis'], [`${y}c`]), node('Tanh', [`${y}c`], [y])],
];

const constants = [
  int64Tensor('rows', [1], [0]),
  int64Tensor('one', [1], [1]),
  int64Tensor('three', [1], [3]),
  int64Tensor('swap', [2], [1, 0]),
  int64Tensor('axis', [], [1]),
];

const graphs = fc.array(fc.record({ kind: fc.nat(steps.length - 1), a: fc.nat(99), b: fc.nat(99) }), {
  minLength: 3,
  maxLength: 9,
});
const numbers = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 6, maxLength: 6 });

describe('gradients of random graphs', () => {
  it('agree with finite differences', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, numbers, async (plan, drawn) => {
        const values = drawn.map((number) => number / 8 + 0.03);
        // A full matrix and a row that is broadcast.
        const inputs = {
          w: { dims: [2, 2], values: values.slice(0, 4) },
          v: { dims: [1, 2], values: values.slice(4) },
        };
        const names = ['w', 'wide'];
        const nodes = [node('Add', ['v', 'w'], ['wide'])];
        for (const [i, { kind, a, b }] of plan.entries()) {
          nodes.push(...steps[kind]!(names[a % names.length]!, names[b % names.length]!, `h${i}`));
          names.push(`h${i}`);
        }
        const outputs = names.slice(-2);
        await expectAgreement({
          nodes,
          constants,
          inputs,
          outputs,
          outputDims: [
            [2, 2],
            [2, 2],
          ],
        });
      }),
      { numRuns: 40, seed: 11 },
    );
  });
});

const step = 1e-5;

/** One session for the loss and its gradients both. */
async function expectAgreement(checked: Checked): Promise<void> {
  const { model: fixed, known } = await withFixedInputs(await withLoss(checked, 'float64'), new Map());
  const made = await differentiate(fixed, { loss: 'loss', wrt: Object.keys(checked.inputs), known });
  const session = await openSession(await encode(made.model), { threads: 1 });
  try {
    const ask = (inputs: Readonly<Record<string, Input>>, outputs: readonly string[]) =>
      session.run(feedsOf(inputs, 'float64'), outputs);
    const found = await ask(checked.inputs, [...made.gradients.values()]);
    for (const [name, input] of Object.entries(checked.inputs)) {
      const output = made.gradients.get(name);
      const slopes: number[] = [];
      for (const [i, at] of input.values.entries()) {
        const lossAt = async (to: number): Promise<number> => {
          const moved = { ...checked.inputs, [name]: { ...input, values: input.values.with(i, to) } };
          return (await ask(moved, ['loss'])).loss!.data[0] as number;
        };
        slopes.push(((await lossAt(at + step)) - (await lossAt(at - step))) / (2 * step));
      }
      // No gradient says that the loss does not depend on it.
      const own = output ? (found[output]!.data as Float64Array) : slopes.map(() => 0);
      expect(distance(own, slopes), name).toBeLessThan(1e-6);
    }
  } finally {
    await session.close();
  }
}
