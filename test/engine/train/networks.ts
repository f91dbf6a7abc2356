// Networks to train in tests, samples and benchmarks: an MLP, small CNNs, a MobileNet-like net, a transformer block, a tiny Llama.
import { elementCount, type Model, type Node, type Tensor } from '../../../src/engine/graph/graph';
import { floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { model, node, type PlainAttribute, randomWeights, value } from '../models';

/** Writes a network layer by layer; each method answers the name of its result. Weights are seeded. */
class Builder {
  readonly nodes: Node[] = [];
  readonly tensors: Tensor[] = [];
  private seed: number;

  constructor(seed: number) {
    this.seed = seed * 1000;
  }

  node(op: string, name: string, inputs: readonly string[], attributes: Record<string, PlainAttribute> = {}): string {
    this.nodes.push(node(op, inputs, [`${name}_y`], attributes, { name: `/${name}/${op}` }));
    return `${name}_y`;
  }

  random(name: string, dims: readonly number[], deviation: number): string {
    this.tensors.push(floatTensor(name, dims, randomWeights(elementCount(dims), deviation, ++this.seed)));
    return name;
  }

  filled(name: string, dims: readonly number[], number: number): string {
    this.tensors.push(floatTensor(name, dims, new Float32Array(elementCount(dims)).fill(number)));
    return name;
  }

  ints(name: string, values: readonly number[]): string {
    if (!this.tensors.some((tensor) => tensor.name === name))
      this.tensors.push(int64Tensor(name, [values.length], values));
    return name;
  }

  linear(name: string, x: string, from: number, to: number): string {
    const weight = this.random(`${name}.weight`, [to, from], Math.sqrt(2 / from));
    return this.node('Gemm', name, [x, weight, this.filled(`${name}.bias`, [to], 0)], { transB: 1 });
  }

  /** x·W, for any rank. */
  product(name: string, x: string, from: number, to: number, deviation = 1 / Math.sqrt(from)): string {
    return this.node('MatMul', name, [x, this.random(`${name}.weight`, [from, to], deviation)]);
  }

  conv(name: string, x: string, layer: ConvLayer): string {
    const { from, to, kernel, stride = 1, groups = 1, norm = false } = layer;
    const fanIn = (from / groups) * kernel * kernel;
    const weight = this.random(`${name}.weight`, [to, from / groups, kernel, kernel], Math.sqrt(2 / fanIn));
    const pad = kernel >> 1;
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    };
    if (!norm) return this.node('Conv', name, [x, weight, this.filled(`${name}.bias`, [to], 0)], attributes);
    return this.batchNorm(`${name}.norm`, this.node('Conv', name, [x, weight], attributes), to);
  }

  batchNorm(name: string, x: string, channels: number): string {
    const of = (what: string, number: number): string => this.filled(`${name}.${what}`, [channels], number);
    const inputs = [x, of('weight', 1), of('bias', 0), of('running_mean', 0), of('running_var', 1)];
    return this.node('BatchNormalization', name, inputs);
  }

  pool(name: string, x: string): string {
    return this.node('MaxPool', name, [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }

  classifier(x: string, from: number, classes: number): string {
    const mean = this.node('GlobalAveragePool', 'mean', [x]);
    return this.linear('fc', this.node('Flatten', 'flat', [mean], { axis: 1 }), from, classes);
  }

  done(name: string, input: readonly (number | string)[], output: readonly (number | string)[], last: string): Model {
    const isLanguage = name.endsWith('llama');
    return model({
      name,
      inputs: [value(isLanguage ? 'ids' : 'x', isLanguage ? 'int64' : 'float32', input)],
      outputs: [value('logits', 'float32', output)],
      nodes: this.nodes.map((each) => (each.outputs[0] === last ? { ...each, outputs: ['logits'] } : each)),
      initializers: this.tensors,
    });
  }
}

interface ConvLayer {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  /** BatchNormalization behind it, instead of a bias. */
  readonly norm?: boolean;
}

/** x[batch, 784] → 512 → 512 → 10. */
export function mlp({ seed = 1, width = 512 } = {}): Model {
  const b = new Builder(seed);
  const first = b.node('Relu', 'relu1', [b.linear('fc1', 'x', 784, width)]);
  const second = b.node('Relu', 'relu2', [b.linear('fc2', first, width, width)]);
  return b.done('mlp', ['batch', 784], ['batch', 10], b.linear('fc3', second, width, 10));
}

export interface PictureOptions {
  readonly seed?: number;
  readonly channels?: number;
  /** Height and width; divisible by 4. */
  readonly size?: number;
  readonly classes?: number;
}

/** 3×3×32 → pool → 3×3×64 → pool → classifier, for pictures as those of Fashion-MNIST. */
export function smallCnn({ seed = 1, channels = 1, size = 28, classes = 10 }: PictureOptions = {}): Model {
  const b = new Builder(seed);
  const stage = (name: string, x: string, from: number, to: number): string =>
    b.node('Relu', `${name}.relu`, [b.pool(`${name}.pool`, b.conv(name, x, { from, to, kernel: 3 }))]);
  const features = stage('conv2', stage('conv1', 'x', channels, 32), 32, 64);
  const flat = b.node('Flatten', 'flat', [features], { axis: 1 });
  const logits = b.linear('fc', flat, 64 * (size / 4) ** 2, classes);
  return b.done('small-cnn', ['batch', channels, size, size], ['batch', classes], logits);
}

/** Pairs of a depthwise 3×3 and a 1×1 convolution, each with BatchNormalization: [channels out, stride]. */
const mobileStages = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
] as const;

/** As MobileNet v1, for small pictures; `width` scales its channels. */
export function mobileNet(options: PictureOptions & { readonly width?: number } = {}): Model {
  const { seed = 1, channels = 1, size = 28, classes = 10, width = 1 } = options;
  const b = new Builder(seed);
  const relu = (name: string, x: string): string => b.node('Relu', `${name}.relu`, [x]);
  let from = 32 * width;
  let at = relu('stem', b.conv('stem', 'x', { from: channels, to: from, kernel: 3, norm: true }));
  for (const [index, [out, stride]] of mobileStages.entries()) {
    const name = `block${index + 1}`;
    const depthwise = { from, to: from, kernel: 3, stride, groups: from, norm: true };
    at = relu(`${name}.depthwise`, b.conv(`${name}.depthwise`, at, depthwise));
    const to = out * width;
    at = relu(`${name}.pointwise`, b.conv(`${name}.pointwise`, at, { from, to, kernel: 1, norm: true }));
    from = to;
  }
  const logits = b.classifier(at, from, classes);
  return b.done('mobile-net', ['batch', channels, size, size], ['batch', classes], logits);
}

/** Stages of two basic blocks each, with BatchNormalization, without a stem that shrinks: ResNet-18 as it is trained on small pictures. */
export function residualNet(options: PictureOptions & { readonly width?: number } = {}): Model {
  const { seed = 1, channels = 3, size = 32, classes = 10, width = 64 } = options;
  const b = new Builder(seed);
  const relu = (name: string, x: string): string => b.node('Relu', `${name}.relu`, [x]);
  let at = relu('stem', b.conv('stem', 'x', { from: channels, to: width, kernel: 3, norm: true }));
  let from = width;
  for (let stage = 0; stage < 4; stage++) {
    const to = width * 2 ** stage;
    for (let block = 0; block < 2; block++) {
      const name = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const first = relu(`${name}.conv1`, b.conv(`${name}.conv1`, at, { from, to, kernel: 3, stride, norm: true }));
      const second = b.conv(`${name}.conv2`, first, { from: to, to, kernel: 3, norm: true });
      const isSame = stride === 1 && from === to;
      const shortcut = isSame ? at : b.conv(`${name}.shortcut`, at, { from, to, kernel: 1, stride, norm: true });
      at = relu(`${name}.sum`, b.node('Add', `${name}.sum`, [second, shortcut]));
      from = to;
    }
  }
  return b.done('residual-net', ['batch', channels, size, size], ['batch', classes], b.classifier(at, from, classes));
}

export interface BlockOptions {
  readonly seed?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly steps?: number;
}

/** x[batch, steps, width] → LayerNorm → attention → LayerNorm → MLP with Gelu: each position is classified. */
export function transformerBlock({ seed = 1, width = 256, heads = 4, steps = 128 }: BlockOptions = {}): Model {
  const b = new Builder(seed);
  const norm = (name: string, x: string): string =>
    b.node('LayerNormalization', name, [
      x,
      b.filled(`${name}.weight`, [width], 1),
      b.filled(`${name}.bias`, [width], 0),
    ]);
  const linear = (name: string, x: string, from: number, to: number): string =>
    b.node('Add', `${name}.add`, [b.product(name, x, from, to), b.filled(`${name}.bias`, [to], 0)]);
  const shape = b.ints('split', [0, 0, heads, width / heads]);
  const h = norm('norm1', 'x');
  const headed = (name: string, perm: readonly number[]): string => {
    const apart = b.node('Reshape', `${name}.split`, [linear(name, h, width, width), shape]);
    return b.node('Transpose', `${name}.turn`, [apart], { perm });
  };
  const scores = b.node('MatMul', 'scores', [headed('q', [0, 2, 1, 3]), headed('k', [0, 2, 3, 1])]);
  const scale = b.filled('scale', [], 1 / Math.sqrt(width / heads));
  const weights = b.node('Softmax', 'softmax', [b.node('Mul', 'scaled', [scores, scale])], { axis: -1 });
  const mixed = b.node('MatMul', 'mixed', [weights, headed('v', [0, 2, 1, 3])]);
  const turned = b.node('Transpose', 'mixed.turn', [mixed], { perm: [0, 2, 1, 3] });
  const joined = b.node('Reshape', 'mixed.join', [turned, b.ints('join', [0, 0, width])]);
  const x1 = b.node('Add', 'sum1', ['x', linear('o', joined, width, width)]);
  const wide = b.node('Gelu', 'gelu', [linear('up', norm('norm2', x1), width, 4 * width)]);
  const x2 = b.node('Add', 'sum2', [x1, linear('down', wide, 4 * width, width)]);
  return b.done('transformer-block', ['batch', steps, width], ['batch', steps, width], x2);
}

export interface LlamaOptions {
  readonly seed?: number;
  readonly vocabulary?: number;
  readonly layers?: number;
  readonly width?: number;
  readonly hidden?: number;
  readonly heads?: number;
  /** Longest sequence. */
  readonly steps?: number;
}

/** ids[batch, seq] → logits: RMS norms, rotary positions, causal attention, gated MLP; in operators of opset 21 alone. */
export function tinyLlama(options: LlamaOptions = {}): Model {
  const { seed = 1, vocabulary = 96, layers = 2, width = 64, hidden = 176, heads = 4, steps = 64 } = options;
  const b = new Builder(seed);
  const half = width / heads / 2;
  const angle = (at: number): number => Math.floor(at / half) * 10_000 ** (-(at % half) / half);
  const table = (of: (x: number) => number): Float32Array =>
    Float32Array.from({ length: steps * half }, (_, at) => of(angle(at)));
  b.tensors.push(floatTensor('rope.cos', [steps, half], table(Math.cos)));
  b.tensors.push(floatTensor('rope.sin', [steps, half], table(Math.sin)));
  const hiddenScores = Float32Array.from({ length: steps * steps }, (_, at) => (at % steps > at / steps ? -1e9 : 0));
  b.tensors.push(floatTensor('causal', [steps, steps], hiddenScores));
  const length = b.node('Slice', 'length', [
    b.node('Shape', 'shape', ['ids']),
    ...[b.ints('one', [1]), b.ints('two', [2])],
  ]);
  const zero = b.ints('zero', [0]);
  const cut = (name: string, x: string): string => b.node('Slice', name, [x, zero, length, zero]);
  const [cos, sin] = [cut('cos', 'rope.cos'), cut('sin', 'rope.sin')];
  const mask = b.node('Slice', 'mask', [cut('mask.rows', 'causal'), zero, length, b.ints('one', [1])]);
  const epsilon = b.filled('epsilon', [], 1e-5);
  const norm = (name: string, x: string): string => {
    const square = b.node('ReduceMean', `${name}.mean`, [
      b.node('Mul', `${name}.square`, [x, x]),
      b.ints('last', [-1]),
    ]);
    const root = b.node('Sqrt', `${name}.root`, [b.node('Add', `${name}.add`, [square, epsilon])]);
    return b.node('Mul', name, [b.node('Div', `${name}.div`, [x, root]), b.filled(`${name}.weight`, [width], 1)]);
  };
  const rotary = (name: string, x: string): string => {
    b.nodes.push(
      node('Split', [x], [`${name}_a`, `${name}_b`], { axis: 3, num_outputs: 2 }, { name: `/${name}/Split` }),
    );
    const product = (part: string, by: string): string =>
      b.node('Mul', `${name}.${part}.${by}`, [`${name}_${part}`, by]);
    const real = b.node('Sub', `${name}.real`, [product('a', cos), product('b', sin)]);
    const imaginary = b.node('Add', `${name}.imaginary`, [product('a', sin), product('b', cos)]);
    return b.node('Concat', `${name}.turned`, [real, imaginary], { axis: 3 });
  };
  const shape = b.ints('split', [0, 0, heads, width / heads]);
  let x = b.node('Gather', 'embed', [b.random('embed.weight', [vocabulary, width], 0.02), 'ids']);
  for (let layer = 0; layer < layers; layer++) {
    const at = `layers.${layer}`;
    const h = norm(`${at}.input_norm`, x);
    const headed = (which: string): string => {
      const apart = b.node('Reshape', `${at}.${which}.split`, [b.product(`${at}.${which}`, h, width, width), shape]);
      return b.node('Transpose', `${at}.${which}.turn`, [apart], { perm: [0, 2, 1, 3] });
    };
    const [q, k, v] = [rotary(`${at}.q`, headed('q')), rotary(`${at}.k`, headed('k')), headed('v')];
    const keys = b.node('Transpose', `${at}.keys`, [k], { perm: [0, 1, 3, 2] });
    const scale = b.filled(`${at}.scale`, [], 1 / Math.sqrt(width / heads));
    const scores = b.node('Mul', `${at}.scaled`, [b.node('MatMul', `${at}.scores`, [q, keys]), scale]);
    const weights = b.node('Softmax', `${at}.softmax`, [b.node('Add', `${at}.masked`, [scores, mask])], { axis: -1 });
    const turned = b.node('Transpose', `${at}.mixed.turn`, [b.node('MatMul', `${at}.mixed`, [weights, v])], {
      perm: [0, 2, 1, 3],
    });
    const joined = b.node('Reshape', `${at}.join`, [turned, b.ints('join', [0, 0, width])]);
    x = b.node('Add', `${at}.sum1`, [x, b.product(`${at}.o`, joined, width, width, 0.5 / Math.sqrt(width * layers))]);
    const m = norm(`${at}.mlp_norm`, x);
    const gate = b.product(`${at}.gate`, m, width, hidden);
    const silu = b.node('Mul', `${at}.silu`, [gate, b.node('Sigmoid', `${at}.sigmoid`, [gate])]);
    const gated = b.node('Mul', `${at}.gated`, [silu, b.product(`${at}.up`, m, width, hidden)]);
    const down = b.product(`${at}.down`, gated, hidden, width, 0.5 / Math.sqrt(hidden * layers));
    x = b.node('Add', `${at}.sum2`, [x, down]);
  }
  const logits = b.product('head', norm('norm', x), width, vocabulary);
  return b.done('tiny-llama', ['batch', 'seq'], ['batch', 'seq', vocabulary], logits);
}
