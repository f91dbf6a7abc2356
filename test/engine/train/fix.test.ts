// A model held to one batch: sizes by inference, and off one run where that leaves them open.
import { describe, expect, it } from 'vitest';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { model, node, tinyConv, value } from '../models';

describe('withFixedInputs', () => {
  it('gives every value a static shape', async () => {
    const { model: fixed, known } = await withFixedInputs(tinyConv(), new Map([['x', [4, 3, 16, 16]]]));
    expect(known.get('c1')).toEqual({ dtype: 'float32', dims: [4, 8, 16, 16] });
    expect(known.get('y')).toEqual({ dtype: 'float32', dims: [4, 10] });
    expect(fixed.graph.inputs[0]!.type).toMatchObject({ shape: [4, 3, 16, 16] });
    expect(fixed.graph.outputs[0]!.type).toMatchObject({ shape: [4, 10] });
  });

  it('does not believe what the file declares of another batch', async () => {
    const plain = tinyConv();
    const declared = {
      ...plain,
      graph: { ...plain.graph, values: new Map([['c1', value('c1', 'float32', [1, 8, 16, 16])]]) },
    };
    const { known } = await withFixedInputs(declared, new Map([['x', [4, 3, 16, 16]]]));
    expect(known.get('c1')!.dims).toEqual([4, 8, 16, 16]);
  });

  it('reads off one run what depends on the data', async () => {
    const open = model({
      inputs: [value('x', 'float32', ['n'])],
      outputs: [value('y', 'float32', null)],
      nodes: [
        node('NonZero', ['x'], ['places']),
        node('Transpose', ['places'], ['rows']),
        node('GatherND', ['x', 'rows'], ['found']),
        node('Mul', ['found', 'two'], ['y']),
      ],
      initializers: [floatTensor('two', [], [2])],
    });
    const sample = { x: { dtype: 'float32' as const, dims: [4], data: Float32Array.of(1, 0, 2, 3) } };
    const { known } = await withFixedInputs(open, new Map([['x', [4]]]), sample);
    expect(known.get('y')).toEqual({ dtype: 'float32', dims: [3] });
    expect(known.get('places')).toEqual({ dtype: 'int64', dims: [1, 3] });
  });
});
