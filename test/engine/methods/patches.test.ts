// Patches of a convolution's input against the runtime: rows times weights are its output, whatever strides, dilations and pads.
import { expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { patchesOf } from '../../../src/engine/methods/cutting/patches';
import { openSession } from '../../../src/engine/runtime/session';
import { model, node, type PlainAttribute, value } from '../models';

const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + seed));

interface Case {
  readonly dims: number[];
  readonly kernel: number[];
  readonly attributes: Record<string, PlainAttribute>;
}
const cases: Case[] = [
  { dims: [1, 3, 7, 9], kernel: [4, 3, 3, 3], attributes: {} },
  { dims: [2, 3, 8, 6], kernel: [4, 3, 3, 2], attributes: { strides: [2, 1], pads: [1, 0, 2, 1] } },
  { dims: [1, 2, 9, 9], kernel: [3, 2, 3, 3], attributes: { dilations: [2, 3], pads: [2, 3, 2, 3] } },
  { dims: [1, 2, 8, 7], kernel: [3, 2, 4, 3], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } },
  { dims: [1, 2, 8, 7], kernel: [3, 2, 4, 3], attributes: { auto_pad: 'SAME_LOWER', strides: [3, 1] } },
  { dims: [1, 2, 8, 7], kernel: [3, 2, 4, 3], attributes: { auto_pad: 'VALID' } },
  { dims: [2, 3, 11], kernel: [4, 3, 5], attributes: { strides: [2], pads: [2, 1] } },
];

it.each(cases)('$dims by $kernel $attributes', async ({ dims, kernel, attributes }) => {
  const count = (of: number[]) => of.reduce((a, b) => a * b, 1);
  const weights = floatTensor('w', kernel, numbers(count(kernel), 1));
  const conv = node('Conv', ['x', 'w'], ['y'], attributes);
  const session = await openSession(
    await encode(
      model({ inputs: [value('x', 'float32', dims)], outputs: [value('y')], nodes: [conv], initializers: [weights] }),
    ),
    { doing: 'testing' },
  );
  const x = numbers(count(dims), 2);
  const { y } = await session.run({ x: { dtype: 'float32', dims, data: x } });
  await session.close();
  const out = y!.data as Float32Array;
  const [channels, columns] = [kernel[0]!, count(kernel.slice(1))];
  const positions = count(y!.dims.slice(2) as number[]);
  const w = numbers(count(kernel), 1);
  const rows = patchesOf({ node: conv, tensor: weights }, dims, x, Infinity);
  expect(rows.length).toBe(y!.dims[0]! * positions * columns);
  for (let at = 0; at < rows.length / columns; at++) {
    for (let m = 0; m < channels; m++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += rows[at * columns + k]! * w[m * columns + k]!;
      expect(sum).toBeCloseTo(out[(Math.floor(at / positions) * channels + m) * positions + (at % positions)]!, 4);
    }
  }
  const few = patchesOf({ node: conv, tensor: weights }, dims, x, 5);
  expect(few.length).toBe(5 * columns);
});
