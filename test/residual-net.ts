// A convolutional network of the size and shape of ResNet-18, with random weights that keep activations at a steady size.

import type { Model, Node, Tensor } from '../src/engine/graph/graph';
import { floatTensor } from '../src/engine/graph/tensor';
import { model, node, randomWeights, value } from './engine/models';

export interface ResidualNetOptions {
  /** Height and width of the picture. */
  readonly size?: number;
  /** Channels of the first stage; each further one has twice as many. ResNet-18 has 64. */
  readonly width?: number;
  /** Convolutions are followed by BatchNormalization, as before an exporter folds it. */
  readonly norms?: boolean;
}

/** 7×7 stem, four stages of two basic blocks, global pooling, a classifier of 1,000: 20 convolutions and a Gemm, 11.7 million weights. */
export function resnet18({ size = 224, width = 64, norms = false }: ResidualNetOptions = {}): Model {
  const nodes: Node[] = [];
  const initializers: Tensor[] = [];
  let seed = 1;
  const constant = (name: string, dims: number[], deviation: number, mean = 0): string => {
    const count = dims.reduce((a, b) => a * b, 1);
    const values = randomWeights(count, deviation, seed++).map((one) => one + mean);
    initializers.push(floatTensor(name, dims, values));
    return name;
  };
  const conv = (name: string, from: string, channels: [number, number], kernel: number, stride: number): string => {
    const [into, out] = channels;
    const pad = kernel >> 1;
    const weight = constant(`${name}.weight`, [out, into, kernel, kernel], Math.sqrt(1.5 / (into * kernel * kernel)));
    const inputs = norms ? [from, weight] : [from, weight, constant(`${name}.bias`, [out], 0.05)];
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    };
    nodes.push(node('Conv', inputs, [`${name}_y`], attributes, { name: `/${name}/Conv` }));
    if (!norms) return `${name}_y`;
    const statistics = [
      constant(`${name}.gamma`, [out], 0.1, 1),
      constant(`${name}.beta`, [out], 0.05),
      constant(`${name}.mean`, [out], 0.05),
      constant(`${name}.variance`, [out], 0.1, 1),
    ];
    nodes.push(node('BatchNormalization', [`${name}_y`, ...statistics], [`${name}_n`]));
    return `${name}_n`;
  };
  const relu = (from: string): string => {
    nodes.push(node('Relu', [from], [`${from}_relu`]));
    return `${from}_relu`;
  };
  const stem = relu(conv('stem', 'x', [3, width], 7, 2));
  nodes.push(node('MaxPool', [stem], ['pooled'], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }));
  let at = 'pooled';
  let channels = width;
  for (let stage = 0; stage < 4; stage++) {
    const out = width * 2 ** stage;
    for (let block = 0; block < 2; block++) {
      const name = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const first = relu(conv(`${name}.conv1`, at, [channels, out], 3, stride));
      const second = conv(`${name}.conv2`, first, [out, out], 3, 1);
      const shortcut = stride === 1 ? at : conv(`${name}.shortcut`, at, [channels, out], 1, stride);
      nodes.push(node('Add', [second, shortcut], [`${name}_sum`]));
      at = relu(`${name}_sum`);
      channels = out;
    }
  }
  nodes.push(node('GlobalAveragePool', [at], ['mean']));
  nodes.push(node('Flatten', ['mean'], ['flat'], { axis: 1 }));
  const classifier = ['flat', constant('fc.weight', [1000, channels], 0.05), constant('fc.bias', [1000], 0.05)];
  nodes.push(node('Gemm', classifier, ['y'], { transB: 1 }, { name: '/fc/Gemm' }));
  return model({
    name: 'residual-net',
    inputs: [value('x', 'float32', ['batch', 3, size, size])],
    outputs: [value('y', 'float32', ['batch', 1000])],
    nodes,
    initializers,
  });
}
