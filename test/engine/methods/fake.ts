// Plain fake quantization for tests, and real models with their inputs: what a scheme of scales costs, no exporter in between.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { encode } from '../../../src/engine/formats/onnx';
import { withInitializers } from '../../../src/engine/graph/edit';
import { elementCount, type Model, type Tensor } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { bytesTensor, floatTensor, readBytes, readFloats } from '../../../src/engine/graph/tensor';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { testData } from '../../data';

/** Every weight rounded to a symmetric grid, one scale a tensor or one a channel; biases stay. `widened`: the scales times this. */
export async function fakeQuantized(
  model: Model,
  bits: number,
  scheme: 'tensor' | 'channel',
  widened = 1,
): Promise<Model> {
  const top = 2 ** (bits - 1) - 1;
  const replaced: Tensor[] = [];
  for (const { tensor, weight, channelAxis } of listLayers(model)) {
    const values = await readFloats(tensor);
    const inner = elementCount(tensor.dims.slice(channelAxis! + 1));
    const channels = tensor.dims[channelAxis!]!;
    const group = (i: number): number => (scheme === 'tensor' ? 0 : Math.floor(i / inner) % channels);
    const most = new Float64Array(scheme === 'tensor' ? 1 : channels);
    for (let i = 0; i < values.length; i++) most[group(i)] = Math.max(most[group(i)]!, Math.abs(values[i]!));
    for (let i = 0; i < values.length; i++) {
      const scale = (most[group(i)]! * widened) / top || 1;
      values[i] = Math.max(-top, Math.min(top, Math.round(values[i]! / scale))) * scale;
    }
    replaced.push(floatTensor(weight, tensor.dims, values));
  }
  return { ...model, graph: withInitializers(model.graph, replaced) };
}

/** The model with every weight in memory: it outlives the scratch file of the step that made it. */
export async function held(model: Model): Promise<Model> {
  const tensors: Tensor[] = [];
  for (const tensor of model.graph.initializers.values())
    tensors.push(bytesTensor(tensor.name, tensor.dtype, tensor.dims, (await readBytes(tensor)).slice()));
  return { ...model, graph: withInitializers(model.graph, tensors) };
}

export async function answers(model: Model, feeds: Feeds): Promise<Record<string, Float32Array>> {
  const session = await openSession(await encode(model), { threads: 1 });
  try {
    const given = await session.run(feeds);
    return Object.fromEntries(Object.entries(given).map(([name, { data }]) => [name, data as Float32Array]));
  } finally {
    await session.close();
  }
}

/** Signal to noise in decibels. */
export function decibels(is: Float32Array, should: Float32Array): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < should.length; i++) {
    signal += should[i]! ** 2;
    noise += (should[i]! - is[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

export interface Labelled {
  readonly pixels: Float32Array;
  readonly labels: readonly number[];
}

/** Images of the MNIST test set as (x/255 − 0.1307) / 0.3081, from index `from`. */
export function mnist(from: number, count: number): Labelled {
  const images = gunzipSync(readFileSync(testData('data/mnist/t10k-images-idx3-ubyte.gz')));
  const labels = gunzipSync(readFileSync(testData('data/mnist/t10k-labels-idx1-ubyte.gz')));
  const pixels = Float32Array.from(
    images.subarray(16 + from * 784, 16 + (from + count) * 784),
    (byte) => (byte / 255 - 0.1307) / 0.3081,
  );
  return { pixels, labels: [...labels.subarray(8 + from, 8 + from + count)] };
}

/** Share of rows whose largest number is where it should be. */
export function accuracy(logits: Float32Array, labels: readonly number[]): number {
  const classes = logits.length / labels.length;
  return (
    labels.filter((label, row) => argmax(logits.subarray(row * classes, (row + 1) * classes)) === label).length /
    labels.length
  );
}

export function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
