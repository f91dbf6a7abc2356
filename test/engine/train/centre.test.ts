// Attention's backward pass: the scores are passed over once, and only where nothing else looks at what lies between.
import { describe, expect, it } from 'vitest';
import { elementCount, type Model } from '../../../src/engine/graph/graph';
import { differentiate } from '../../../src/engine/train/backward';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { model, node, value } from '../models';
import { transformerBlock } from './networks';

/** Nodes of the backward graph whose result is as large as the scores. */
async function largeNodes(whole: Model, scores: number): Promise<string[]> {
  const { model: fixed, known } = await withFixedInputs(whole, new Map([['x', [2, 12, 8]]]));
  const wrt = fixed.graph.initializers.has('q.weight') ? ['q.weight', 'v.weight'] : ['x'];
  const made = await differentiate(fixed, { loss: 'loss', wrt, known });
  const forward = new Set(fixed.graph.nodes.flatMap(({ outputs }) => outputs));
  const { model: read } = made;
  const dims = await withFixedInputs(read, new Map());
  return read.graph.nodes
    .filter(({ outputs: [y] }) => !forward.has(y!) && elementCount(dims.known.get(y!)?.dims ?? []) === scores)
    .map(({ op }) => op);
}

const summed = (whole: Model): Model => ({
  ...whole,
  graph: {
    ...whole.graph,
    nodes: [...whole.graph.nodes, node('ReduceSum', [whole.graph.outputs[0]!.name], ['loss'], { keepdims: 0 })],
    outputs: [value('loss', 'float32', [])],
  },
});

describe('attention’s backward pass', () => {
  it('passes over the scores once between its products', async () => {
    const block = transformerBlock({ width: 8, heads: 2, steps: 12 });
    // The product that makes ∂softmax, yᵀ for ∂V (which the runtime multiplies as it lies), y · ∂softmax, and the scale behind.
    expect(await largeNodes(summed(block), 2 * 2 * 12 * 12)).toEqual(['MatMul', 'Transpose', 'Mul', 'Mul']);
  });

  it('stays as the rules write it where the weights are used twice', async () => {
    const shown = model({
      inputs: [value('x', 'float32', [2, 12, 8])],
      outputs: [value('loss', 'float32', [])],
      nodes: [
        node('Transpose', ['x'], ['t'], { perm: [0, 2, 1] }),
        node('MatMul', ['x', 't'], ['scores']),
        node('Softmax', ['scores'], ['y'], { axis: -1 }),
        node('MatMul', ['y', 'x'], ['o']),
        node('ReduceSum', ['o'], ['a'], { keepdims: 0 }),
        node('Mul', ['y', 'y'], ['square']),
        node('ReduceSum', ['square'], ['b'], { keepdims: 0 }),
        node('Add', ['a', 'b'], ['loss']),
      ],
    });
    expect(await largeNodes(shown, 2 * 12 * 12)).toContain('Sub');
  });
});
