// The walk itself: values used twice, what is pruned, what is refused.
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import type { Known } from '../../../src/engine/train/tape';
import { model, node, value } from '../models';

const float = (dims: readonly number[]): Known => ({ dtype: 'float32', dims });

/** loss = x·w·w + x, over scalars. */
const square = (): Model =>
  model({
    inputs: [value('x', 'float32', [])],
    outputs: [value('loss', 'float32', [])],
    nodes: [node('Mul', ['x', 'w'], ['a']), node('Mul', ['a', 'w'], ['b']), node('Add', ['b', 'x'], ['loss'])],
    initializers: [floatTensor('w', [], [3])],
  });

describe('differentiate', () => {
  it('sums what every use of a value contributes', async () => {
    const known = new Map(['x', 'w', 'a', 'b', 'loss'].map((name) => [name, float([])]));
    const made = await differentiate(square(), { loss: 'loss', wrt: ['w', 'x'], known });
    const session = await openSession(await encode(made.model));
    const scalar = (number: number) => ({ dtype: 'float32' as const, dims: [], data: Float32Array.of(number) });
    const answer = await session.run({ x: scalar(5), w: scalar(3) });
    await session.close();
    expect(answer.loss!.data[0]).toBe(50);
    // ∂(x·w² + x)/∂w = 2·x·w, ∂/∂x = w² + 1
    expect(answer[made.gradients.get('w')!]!.data[0]).toBe(30);
    expect(answer[made.gradients.get('x')!]!.data[0]).toBe(10);
  });
});
