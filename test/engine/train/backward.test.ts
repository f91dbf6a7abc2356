// The walk itself: values used several times, what is pruned, what is refused.
import { describe, expect, it } from 'vitest';
import { Refused } from '../../../src/contract/words/refusal';
import { encode } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { verify } from '../../../src/engine/graph/verify';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { graph, type ModelParts, model, node, value } from '../models';

const scalars = (parts: Omit<ModelParts, 'outputs'>): Model =>
  model({ outputs: [value('loss', 'float32', [])], ...parts });

/** loss = x·w·w + x, over scalars. */
const square = (): Model =>
  scalars({
    inputs: [value('x', 'float32', [])],
    nodes: [node('Mul', ['x', 'w'], ['a']), node('Mul', ['a', 'w'], ['b']), node('Add', ['b', 'x'], ['loss'])],
    initializers: [floatTensor('w', [], [3])],
  });

const feed = (...data: number[]): Feeds[string] => ({
  dtype: 'float32',
  dims: data.length === 1 ? [] : [data.length],
  data: Float32Array.from(data),
});

async function differentiated(plain: Model, wrt: readonly string[], keep: readonly string[] = []) {
  const { model: fixed, known } = await withFixedInputs(plain, new Map());
  return differentiate(fixed, { loss: 'loss', wrt, keep, known });
}

async function run(made: Model, feeds: Feeds): Promise<Record<string, number[]>> {
  expect(verify(made)).toEqual([]);
  const session = await openSession(await encode(made), { threads: 1 });
  const answer = await session.run(feeds);
  await session.close();
  return Object.fromEntries(
    Object.entries(answer).map(([name, { data }]) => [name, Array.from(data as Float32Array, Number)]),
  );
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const reason = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  expect(reason).toBeInstanceOf(Refused);
  return (reason as Refused).refusal.sentence;
}

describe('differentiate', () => {
  it('sums what every use of a value contributes, to weights and to inputs', async () => {
    const { model: made, gradients } = await differentiated(square(), ['w', 'x']);
    const answer = await run(made, { x: feed(5), w: feed(3) });
    expect(answer.loss).toEqual([50]);
    // ∂(x·w² + x)/∂w = 2·x·w, ∂/∂x = w² + 1
    expect(answer[gradients.get('w')!]).toEqual([30]);
    expect(answer[gradients.get('x')!]).toEqual([10]);
  });

  it('makes inputs of the weights it is asked for, and outputs of the loss, what is kept, and the gradients', async () => {
    const { model: made, gradients } = await differentiated(square(), ['w'], ['a']);
    expect(made.graph.inputs.map(({ name }) => name)).toEqual(['x', 'w']);
    expect(made.graph.outputs.map(({ name }) => name)).toEqual(['loss', 'a', gradients.get('w')]);
    expect(made.graph.initializers.has('w')).toBe(false);
  });

  it('leaves the given model as it was', async () => {
    const { model: fixed, known } = await withFixedInputs(square(), new Map());
    const before = structuredClone(fixed);
    const size = known.size;
    await differentiate(fixed, { loss: 'loss', wrt: ['w'], known });
    expect(fixed).toEqual(before);
    expect(known.size).toBe(size);
  });

  it('writes nothing for weights that stay', async () => {
    const two = scalars({
      inputs: [value('x', 'float32', [2, 2])],
      nodes: [
        node('MatMul', ['x', 'first'], ['a']),
        node('MatMul', ['a', 'second'], ['b']),
        node('ReduceSum', ['b'], ['loss'], { keepdims: 0 }),
      ],
      initializers: [floatTensor('first', [2, 2], [1, 2, 3, 4]), floatTensor('second', [2, 1], [1, 2])],
    });
    const products = async (wrt: readonly string[]): Promise<number> =>
      (await differentiated(two, wrt)).model.graph.nodes.filter(({ op }) => op === 'Gemm').length;
    // The last layer alone: its own product. The first: through the second, then its own.
    expect(await products(['second'])).toBe(1);
    expect(await products(['first'])).toBe(2);
    expect(await products(['first', 'second'])).toBe(3);
  });

  it('has no gradient for a weight the loss does not depend on, and none through integers', async () => {
    const ends = scalars({
      inputs: [value('x', 'float32', [3])],
      nodes: [
        node('Mul', ['x', 'used'], ['a']),
        node('Add', ['x', 'unused'], ['nowhere']),
        node('Mul', ['x', 'chosen'], ['scores']),
        node('ArgMax', ['scores'], ['place'], { keepdims: 0 }),
        node('Gather', ['a', 'place'], ['loss']),
      ],
      initializers: ['used', 'unused', 'chosen'].map((name) => floatTensor(name, [3], [1, 2, 3])),
    });
    const { model: made, gradients } = await differentiated(ends, ['used', 'unused', 'chosen']);
    expect([...gradients.keys()]).toEqual(['used']);
    const answer = await run(made, {
      x: feed(1, 5, 2),
      used: feed(1, 2, 3),
      chosen: feed(1, 2, 3),
      unused: feed(0, 0, 0),
    });
    expect(answer[gradients.get('used')!]).toEqual([0, 5, 0]);
  });

  it('takes a loss that depends on nothing it is asked for', async () => {
    const { model: made, gradients } = await differentiated(
      scalars({
        inputs: [value('x', 'float32', [])],
        nodes: [node('Abs', ['x'], ['loss'])],
        initializers: [floatTensor('w', [], [1])],
      }),
      ['w'],
    );
    expect(gradients.size).toBe(0);
    expect(await run(made, { x: feed(-2), w: feed(1) })).toEqual({ loss: [2] });
  });

  it('goes through a value that several operators make at once', async () => {
    const { model: made, gradients } = await differentiated(
      scalars({
        inputs: [value('x', 'float32', [4])],
        nodes: [
          node('Split', ['w'], ['left', 'right'], { num_outputs: 2 }),
          node('Mul', ['left', 'right'], ['p']),
          node('ReduceSum', ['p'], ['loss'], { keepdims: 0 }),
        ],
        initializers: [floatTensor('w', [4], [1, 2, 3, 4])],
      }),
      ['w'],
    );
    const answer = await run(made, { x: feed(0, 0, 0, 0), w: feed(1, 2, 3, 4) });
    expect(answer[gradients.get('w')!]).toEqual([3, 4, 1, 2]);
  });

  it('adds up rows that a table gives several times, one after the other', async () => {
    const ids = [2, 0, 2, 2, 1, 0];
    const table = scalars({
      inputs: [value('x', 'float32', [])],
      nodes: [
        node('Gather', ['w', 'ids'], ['rows']),
        node('Mul', ['rows', 'x'], ['p']),
        node('ReduceSum', ['p'], ['loss'], { keepdims: 0 }),
      ],
      initializers: [floatTensor('w', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), int64Tensor('ids', [2, 3], ids)],
    });
    const { model: made, gradients } = await differentiated(table, ['w']);
    // ScatterND loses additions to its own threads.
    expect(made.graph.nodes.some(({ op }) => op === 'ScatterND')).toBe(false);
    const w = { dtype: 'float32' as const, dims: [4, 2], data: new Float32Array(8) };
    const answer = await run(made, { x: feed(0.5), w });
    expect(answer[gradients.get('w')!]).toEqual([1, 1, 0.5, 0.5, 1.5, 1.5, 0, 0]);
  });

  it('refuses an operator without a rule, naming the layer', async () => {
    const unruly = scalars({
      inputs: [value('x', 'float32', [2, 2])],
      nodes: [node('Mul', ['x', 'w'], ['a']), node('Det', ['a'], ['loss'], {}, { name: '/head/Det' })],
      initializers: [floatTensor('w', [2, 2], [1, 2, 3, 4])],
    });
    expect(await refusalOf(differentiated(unruly, ['w']))).toBe(
      'The layer "/head/Det" is a Det, which has no gradient rule.',
    );
  });

  it('takes such an operator where nothing flows through it', async () => {
    const beside = scalars({
      inputs: [value('x', 'float32', [2, 2])],
      nodes: [node('Det', ['x'], ['d']), node('Mul', ['d', 'w'], ['loss'])],
      initializers: [floatTensor('w', [], [2])],
    });
    const { model: made, gradients } = await differentiated(beside, ['w']);
    const x = { dtype: 'float32' as const, dims: [2, 2], data: Float32Array.of(3, 1, 1, 2) };
    expect((await run(made, { x, w: feed(2) }))[gradients.get('w')!]).toEqual([5]);
  });

  it('refuses branches and loops that weights reach', async () => {
    const branch = (name: string) =>
      graph({ outputs: [value(name, 'float32', [])], nodes: [node('Mul', ['w', 'x'], [name])] });
    const forked = scalars({
      inputs: [value('x', 'float32', []), value('c', 'bool', [])],
      nodes: [
        node('If', ['c'], ['loss'], { then_branch: branch('t'), else_branch: branch('e') }, { name: '/gate/If' }),
      ],
      initializers: [floatTensor('w', [], [1])],
    });
    expect(await refusalOf(differentiated(forked, ['w']))).toBe(
      'The layer "/gate/If" is a branch (If); gradients are not made through it.',
    );
  });

  it('refuses sizes that the data decides where a rule needs them', async () => {
    const open = scalars({
      inputs: [value('x', 'float32', [4])],
      nodes: [
        node('Mul', ['x', 'w'], ['a']),
        node('ArgMax', ['x'], ['pads']),
        node('Concat', ['pads', 'pads'], ['both'], { axis: 0 }),
        node('Pad', ['a', 'both'], ['wide']),
        node('ReduceSum', ['wide'], ['loss'], { keepdims: 0 }),
      ],
      initializers: [floatTensor('w', [4], [1, 1, 1, 1])],
    });
    expect(await refusalOf(differentiated(open, ['w']))).toMatch(/^The layer "Pad_wide" \(Pad\) computes its pads/);
  });

  it('refuses models older than the operators it writes', async () => {
    const old = { ...square(), opsets: new Map([['', 13]]) };
    expect(await refusalOf(differentiated(old, ['w']))).toMatch(/opset 13; gradients are made from opset 18 on/);
  });
});
