// The stand-in's library: shapes of real networks, invented weights.
import type { Layer, LibraryModel } from '../../../src/contract/words/model';

const product = (dims: readonly number[]) => dims.reduce((all, dim) => all * dim, 1);

function layer(name: string, op: string, shape: number[], bits = 32, macs: number | null = null): Layer {
  const parameters = product(shape);
  const dtype = bits === 32 ? 'float32' : bits === 16 ? 'bfloat16' : `int${bits}`;
  return { name, op, shape, dtype, parameters, bytes: Math.ceil((parameters * bits) / 8), macs, bits };
}

function resnet(): Layer[] {
  const layers = [layer('conv1', 'Conv', [64, 3, 3, 3], 32, 1_769_472)];
  const widths = [64, 128, 256, 512];
  const sizes = [32, 16, 8, 4];
  for (const [stage, width] of widths.entries())
    for (const block of [0, 1]) {
      const from = block === 0 && stage > 0 ? (widths[stage - 1] ?? 64) : width;
      const area = (sizes[stage] ?? 4) ** 2;
      layers.push(layer(`layer${stage + 1}.${block}.conv1`, 'Conv', [width, from, 3, 3], 32, width * from * 9 * area));
      layers.push(
        layer(`layer${stage + 1}.${block}.conv2`, 'Conv', [width, width, 3, 3], 32, width * width * 9 * area),
      );
      if (block === 0 && stage > 0)
        layers.push(layer(`layer${stage + 1}.0.downsample`, 'Conv', [width, from, 1, 1], 32, width * from * area));
    }
  layers.push(layer('fc', 'Gemm', [10, 512], 32, 5120));
  return layers;
}

function llama(): Layer[] {
  const width = 2048;
  const layers = [layer('/model/embed_tokens/Gather', 'Gather', [128256, width], 16)];
  for (let block = 0; block < 16; block++) {
    const at = `/model/layers.${block}`;
    for (const [name, rows] of [
      ['attn/q_proj', 2048],
      ['attn/k_proj', 512],
      ['attn/v_proj', 512],
      ['attn/o_proj', 2048],
    ] as const)
      layers.push(layer(`${at}/${name}/MatMul`, 'MatMul', [width, rows], 16, width * rows));
    for (const name of ['mlp/gate_proj', 'mlp/up_proj'] as const)
      layers.push(layer(`${at}/${name}/MatMul`, 'MatMul', [width, 8192], 16, width * 8192));
    layers.push(layer(`${at}/mlp/down_proj/MatMul`, 'MatMul', [8192, width], 16, width * 8192));
  }
  return layers;
}

function mobilenet(): Layer[] {
  return Array.from({ length: 53 }, (_, at) => {
    const width = 16 + Math.floor((at / 53) ** 2 * 304);
    return layer(
      `features.${at}.conv`,
      at === 52 ? 'Gemm' : 'Conv',
      [width, at % 3 === 1 ? 1 : width, 3, 3],
      at === 0 ? 32 : 8,
    );
  });
}

function make(name: string, layers: Layer[], opset: number, more: Partial<LibraryModel> = {}): LibraryModel {
  const counts = new Map<string, number>();
  for (const each of layers) counts.set(each.op, (counts.get(each.op) ?? 0) + 1);
  const bytes = layers.reduce((sum, each) => sum + each.bytes, 0) + 21_400;
  const id = name
    .replace(/[^a-z0-9]/gi, '')
    .padEnd(12, '0')
    .toLowerCase();
  return {
    id,
    name,
    summary: {
      path: `/home/ada/models/${name}.onnx`,
      format: 'onnx',
      sha256: '9f317ab0'.repeat(8),
      bytes,
      parameters: layers.reduce((sum, each) => sum + each.parameters, 0),
      constantBytes: 1024,
      opset,
      inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 3, 32, 32] }],
      outputs: [{ name: 'output', dtype: 'float32', shape: ['batch', 10] }],
    },
    layers,
    operators: [...counts].map(([op, count]) => ({ op, count })).sort((one, other) => other.count - one.count),
    hashed: 1,
    origin: 'referenced',
    openedAt: new Date(Date.now() - 3 * 3600_000).toISOString(),
    notes: [],
    ...more,
  };
}

const shrunk = (layers: Layer[], bitsOf: (layer: Layer) => number): Layer[] =>
  layers.map((each) => {
    const bits = bitsOf(each);
    return {
      ...each,
      bits,
      dtype: bits === 32 ? 'float32' : `int${bits}`,
      bytes: Math.ceil((each.parameters * bits) / 8) + each.shape[0]! * 4,
    };
  });

export const parent = make('resnet18-cifar10', resnet(), 17, { openedAt: new Date(Date.now() - 40_000).toISOString() });

export const artifacts = [
  make(
    'resnet18-cifar10 · int8',
    shrunk(parent.layers, () => 8),
    21,
    { origin: 'artifact', runId: 'run36' },
  ),
  make(
    'resnet18-cifar10 · int4',
    shrunk(parent.layers, (each) => (each.parameters < 40_000 ? 8 : 4)),
    21,
    {
      origin: 'artifact',
      runId: 'run38',
    },
  ),
] as const;

export const models: LibraryModel[] = [
  parent,
  make('Llama-3.2-1B', llama(), 21, {
    openedAt: new Date(Date.now() - 26 * 3600_000).toISOString(),
    notes: ['Weights are in 3 files beside the model.'],
  }),
  make('mobilenetv2-cifar10', mobilenet(), 13, {
    openedAt: new Date(Date.now() - 30 * 3600_000).toISOString(),
    hashed: 0.42,
  }),
  make(
    'mnist-cnn-ext',
    [
      layer('conv1', 'Conv', [32, 1, 3, 3]),
      layer('conv2', 'Conv', [64, 32, 3, 3]),
      layer('fc1', 'Gemm', [128, 3136]),
      layer('fc2', 'Gemm', [10, 128]),
    ],
    17,
    {
      openedAt: new Date(Date.now() - 5 * 86400_000).toISOString(),
    },
  ),
  make('moved-away', [layer('fc', 'Gemm', [10, 784])], 17, {
    openedAt: new Date(Date.now() - 9 * 86400_000).toISOString(),
    refusal: {
      code: 'not-found',
      sentence: 'The file is gone from /home/ada/models.',
      mend: 'Open it from its new place.',
    },
  }),
];
