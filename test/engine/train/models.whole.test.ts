// Real models differentiated whole: a small step along the gradient changes the loss by what the gradient says.
import { describe, expect, it } from 'vitest';
import { openFormat } from '../../../src/engine/formats';
import { encode } from '../../../src/engine/formats/onnx';
import { elementCount, type Model } from '../../../src/engine/graph/graph';
import { normalise } from '../../../src/engine/graph/normalise';
import { readFloats } from '../../../src/engine/graph/tensor';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { decompose } from '../../../src/engine/train/decompose';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { attachLoss } from '../../../src/engine/train/loss';
import { hasTestData, testData } from '../../data';
import { randomNumbers } from '../models';

/** Models, and how many of their tensors train. */
const models: readonly [file: string, trained: number][] = [
  ['cifar10-large/model.onnx', 10],
  ['cifar10-resnet2b/model.onnx', 16],
  ['cifar10-small/model.onnx', 10],
  ['cifar10-vit-ibp/model.onnx', 56],
  ['dtln/model_1.onnx', 8],
  ['espcn/float_model.onnx', 7],
  ['magika-standard_v3_3/model.onnx', 10],
  ['mlp-keras/lesson14.onnx', 8],
  ['mnist-8/model.onnx', 6],
  ['mnist-cnn-ext/model.onnx', 10],
  ['stories260K/model.onnx', 50],
  ['stories260K/model_with_past.onnx', 50],
  ['ultraface/RFB-320.onnx', 90],
];

describe.skipIf(!hasTestData)('gradients of real models', () => {
  it.each(models)('%s', { timeout: 60_000 }, async (file, trained) => {
    const { model } = await normalise((await openFormat(testData(`models/${file}`))).model);
    const { ratio, count } = await slopeAlongGradient(model);
    expect(count).toBe(trained);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
  });
});

/** (L(w + εg) − L(w − εg)) / 2ε‖g‖²: 1 where the gradient is right. Two batches of noise, squared distance to noise. */
async function slopeAlongGradient(model: Model): Promise<{ ratio: number; count: number }> {
  const next = randomNumbers(1);
  const feeds = noise(model, next);
  const dims = new Map(Object.entries(feeds).map(([name, feed]) => [name, feed.dims]));
  const fixed = await withFixedInputs(model, dims, feeds);
  const plain = await decompose(fixed.model, fixed.known);
  const output = model.graph.outputs.find(({ name }) => fixed.known.get(name)?.dtype === 'float32')!.name;
  const judged = plain.known.get(output)!;
  const attached = await attachLoss(plain.model, { task: 'regression', output, known: plain.known });
  const weights = await weightsOf(plain.model);
  const made = await differentiate(attached.model, {
    loss: attached.loss,
    wrt: Object.keys(weights),
    known: attached.known,
  });
  const targets = Float32Array.from({ length: elementCount(judged.dims) }, () => next() - 0.5);
  const all: Feeds = { ...feeds, ...weights, [attached.labels.name]: { ...judged, data: targets } };
  const session = await openSession(await encode(made.model), { threads: 1 });
  try {
    const inputs = new Set(session.inputs.map(({ name }) => name));
    const run = (given: Feeds, outputs?: readonly string[]): Promise<Feeds> =>
      session.run(Object.fromEntries(Object.entries(given).filter(([name]) => inputs.has(name))), outputs);
    const answer = await run(all);
    const gradients = new Map([...made.gradients].map(([name, at]) => [name, answer[at]!.data as Float32Array]));
    const size = squares([...gradients.values()]);
    const step =
      1e-5 * Math.sqrt(squares([...gradients.keys()].map((name) => weights[name]!.data as Float32Array)) / size);
    const lossAt = async (by: number): Promise<number> => {
      const moved: Feeds = { ...all };
      for (const [name, g] of gradients)
        moved[name] = { ...weights[name]!, data: (weights[name]!.data as Float32Array).map((w, i) => w + by * g[i]!) };
      return (await run(moved, [attached.loss]))[attached.loss]!.data[0] as number;
    };
    return { ratio: ((await lossAt(step)) - (await lossAt(-step))) / (2 * step * size), count: gradients.size };
  } finally {
    await session.close();
  }
}

const squares = (arrays: readonly Float32Array[]): number =>
  arrays.reduce((total, array) => array.reduce((sum, x) => sum + x * x, total), 0);

/** Open sizes: two rows, sixteen steps. */
function noise({ graph }: Model, next: () => number): Feeds {
  const feeds: Feeds = {};
  for (const { name, type } of graph.inputs) {
    if (type?.kind !== 'tensor' || !type.dtype || !type.shape) throw new Error(`${name} has no shape`);
    const dims = type.shape.map((dim, i) => (typeof dim === 'number' ? dim : i === 0 ? 2 : 16));
    const count = elementCount(dims);
    const data = {
      float32: () => Float32Array.from({ length: count }, () => next() * 2 - 1),
      int64: () => BigInt64Array.from({ length: count }, () => BigInt(1 + Math.floor(next() * 50))),
      int32: () => Int32Array.from({ length: count }, () => 1 + Math.floor(next() * 50)),
      bool: () => new Uint8Array(count),
    }[type.dtype as 'float32']();
    feeds[name] = { dtype: type.dtype, dims, data };
  }
  return feeds;
}

/** Every float tensor that can learn: no running statistics, no mask's largest number. */
async function weightsOf({ graph }: Model): Promise<Feeds> {
  const measured = new Set(
    graph.nodes.flatMap(({ op, inputs }) => (op === 'BatchNormalization' ? inputs.slice(3) : [])),
  );
  const weights: Feeds = {};
  for (const [name, tensor] of graph.initializers) {
    if (tensor.dtype !== 'float32' || elementCount(tensor.dims) < 2 || measured.has(name)) continue;
    const data = await readFloats(tensor);
    if (data.every((w) => Math.abs(w) < 1e4)) weights[name] = { dtype: 'float32', dims: tensor.dims, data };
  }
  return weights;
}
