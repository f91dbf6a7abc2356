// Every real float model answers alike whether half of its channels are masked or gone; quantized and fused ones say why not.
import { describe, expect, test } from 'vitest';
import { openFormat } from '../../../../src/engine/formats';
import type { Model } from '../../../../src/engine/graph/graph';
import { normalise } from '../../../../src/engine/graph/normalise';
import type { Feeds } from '../../../../src/engine/runtime/session';
import { hasTestData, testData } from '../../../data';
import { compare, groupsOf } from './cutting';

async function opened(path: string): Promise<Model> {
  const { model } = await openFormat(testData(`models/${path}`));
  return (await normalise(model)).model;
}

/** One sample; token ids below 50, an empty cache as large as the model declares it. */
function sample({ graph }: Model): Feeds {
  const feeds: Feeds = {};
  for (const { name, type } of graph.inputs) {
    if (type?.kind !== 'tensor') continue;
    const dims = type.shape!.map((dim, i) => {
      if (typeof dim === 'number') return dim;
      return dim?.includes('past') ? 0 : i === 0 || dim?.includes('batch') ? 1 : 7;
    });
    const count = dims.reduce((a, b) => a * b, 1);
    const id = (i: number) => (i * 13) % 50;
    if (type.dtype === 'int64')
      feeds[name] = { dtype: 'int64', dims, data: BigInt64Array.from({ length: count }, (_, i) => BigInt(id(i))) };
    else if (type.dtype === 'int32')
      feeds[name] = { dtype: 'int32', dims, data: Int32Array.from({ length: count }, (_, i) => id(i)) };
    else
      feeds[name] = { dtype: 'float32', dims, data: Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7)) };
  }
  return feeds;
}

describe.skipIf(!hasTestData)('real models', () => {
  /** Groups that may be cut. */
  test.each([
    ['cifar10-small/model.onnx', 4],
    ['cifar10-large/model.onnx', 4],
    ['cifar10-resnet2b/model.onnx', 5],
    ['cifar10-vit-ibp/model.onnx', 7],
    ['espcn/float_model.onnx', 3],
    ['magika-standard_v3_3/model.onnx', 1],
    ['mlp-keras/lesson14.onnx', 3],
    ['mnist-8/model.onnx', 2],
    ['mnist-cnn-ext/model.onnx', 4],
    ['mnistfc/mnist-net_256x4.onnx', 4],
    ['ultraface/RFB-320.onnx', 25],
    ['stories260K/model.onnx', 10],
    ['stories260K/model_with_past.onnx', 10],
    // Its attention and norms are fused and stay; its feed-forward layers share their biases and go together.
    ['tiny-random-gpt2/past.onnx', 1],
  ])('%s', async (path, count) => {
    const model = await opened(path);
    const caches = model.graph.outputs.map(({ name }) => name).filter((name) => name.startsWith('present'));
    const { groups, apart, moved } = await compare(model, sample(model), 3, caches, sample);
    expect(groups.list.filter(({ reason }) => reason === null)).toHaveLength(count);
    expect(moved).toBeGreaterThan(1e-4);
    expect(apart).toBeLessThan(1e-5);
  });

  test.each([
    ['mobilenetv2-cifar10-dynint8/model.onnx', /codes/],
    ['mnist-cnn-ort-quantized/qdq-int8-perchannel.onnx', /prune before quantizing/],
    ['mnist-cnn-ort-quantized/qoperator-u8s8.onnx', /prune before quantizing/],
    ['dtln/model_1.onnx', /LSTM is not taken apart|leave the model/],
    ['silero-vad/silero_vad.onnx', /inside a branch/],
  ])('%s is left whole', async (path, reason) => {
    const { list, reasons } = await groupsOf(await opened(path));
    expect(list.filter((group) => group.reason === null)).toEqual([]);
    expect(reasons.size).toBeGreaterThan(0);
    for (const sentence of reasons.values()) expect(sentence).toMatch(reason);
  });
});
