// What the tests of adapters share: a small attention with names as a framework gives them, and how adapters are trained on it.
import { encode } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import type { Gathering } from '../../../src/engine/methods/cutting/gathering';
import { openSession } from '../../../src/engine/runtime/session';
import { model, node, randomWeights, value } from '../models';
import { feedsOf } from './bench';

const weight = (name: string, dims: number[], seed: number) =>
  floatTensor(name, dims, randomWeights(dims[0]! * (dims[1] ?? 1), 0.3, seed));

/** Queries as a Gemm with a turned weight and a bias, keys and values as products, an output, and something behind attention. */
export function little(): Model {
  const name = (part: string) => `model.layers.0.self_attn.${part}.weight`;
  return model({
    name: 'little',
    inputs: [value('x', 'float32', [6, 48])],
    outputs: [value('y', 'float32', [6, 40])],
    nodes: [
      node('Gemm', ['x', name('q_proj'), 'q_bias'], ['q'], { transB: 1 }, { name: 'n1' }),
      node('MatMul', ['x', name('k_proj')], ['k'], {}, { name: 'n2' }),
      node('MatMul', ['x', name('v_proj')], ['v'], {}, { name: 'n3' }),
      node('Mul', ['q', 'k'], ['qk'], {}, { name: 'n4' }),
      node('Tanh', ['qk'], ['s'], {}, { name: 'n5' }),
      node('Mul', ['s', 'v'], ['sv'], {}, { name: 'n6' }),
      node('MatMul', ['sv', name('o_proj')], ['o'], {}, { name: 'n7' }),
      node('Gemm', ['o', 'model.layers.0.mlp.up_proj.weight', 'up_bias'], ['y'], {}, { name: 'n8' }),
    ],
    initializers: [
      weight(name('q_proj'), [64, 48], 1),
      weight(name('k_proj'), [48, 64], 2),
      weight(name('v_proj'), [48, 64], 3),
      weight(name('o_proj'), [64, 48], 4),
      weight('model.layers.0.mlp.up_proj.weight', [48, 40], 5),
      weight('q_bias', [64], 6),
      weight('up_bias', [40], 7),
    ],
  });
}

/** The last weights are kept, whatever they are worth. */
export const withoutJudge = (gathering: Gathering): Gathering => ({
  ...gathering,
  training: gathering.training && { ...gathering.training, tune: null },
});
export const step = (params: Record<string, unknown>) => ({ method: 'lora', params });
export const quick = { rank: 4, epochs: 1, batch: 4, learningRate: 1e-2 };

export async function answersOf(given: Model, seed = 8): Promise<Float32Array> {
  const session = await openSession(await encode(given), { threads: 1 });
  try {
    return Object.values(await session.run(feedsOf(given, seed)))[0]!.data as Float32Array;
  } finally {
    await session.close();
  }
}

export function distance(is: Float32Array, should: Float32Array): number {
  const size = Math.max(...should.map(Math.abs));
  return Math.max(...is.map((value, i) => Math.abs(value - should[i]!))) / size;
}
