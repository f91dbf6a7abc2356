// Each adapter against the runtime: a small model at an old opset and its normalised form give the same outputs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { write } from '../../src/engine/formats/onnx';
import type { DataType, Model, Tensor } from '../../src/engine/graph/graph';
import { adapters } from '../../src/engine/graph/normalise/adapters';
import { floatTensor, int64Tensor } from '../../src/engine/graph/tensor';
import { graph, model, node, type PlainAttribute, randomWeights, value } from '../engine/models';
import { type Feed, RuntimePool } from './runtime-pool';
import { threeWays } from './three-ways';

interface Old {
  readonly opset: number;
  readonly op: string;
  readonly attributes?: Record<string, PlainAttribute>;
  readonly dims?: readonly number[];
  readonly dtype?: DataType;
  /** Constant inputs after x. */
  readonly constants?: readonly Tensor[];
  readonly outputs?: readonly DataType[];
  /** Part of the note where the model rightly stays at its opset. */
  readonly stays?: string;
}

const floats = (...values: number[]): Float32Array => Float32Array.from(values);
const axesCases = (op: string, opset: number): Old[] => [
  { opset, op, attributes: { axes: [1], keepdims: 0 } },
  { opset, op, attributes: { axes: [0, 2] } },
  { opset, op },
];

const old: readonly Old[] = [
  { opset: 7, op: 'Clip', attributes: { min: { float: -0.05 }, max: { float: 0.1 } } },
  { opset: 10, op: 'Clip', attributes: { max: { float: 0.1 } } },
  { opset: 10, op: 'Pad', attributes: { pads: [0, 1, 0, 2, 0, 0], value: { float: 1.5 } }, dtype: 'float64' },
  { opset: 7, op: 'Dropout', attributes: { ratio: { float: 0.3 } } },
  { opset: 10, op: 'Dropout' },
  { opset: 8, op: 'Pad', attributes: { pads: [0, 1, 0, 2, 0, 0], value: { float: 1.5 } } },
  { opset: 10, op: 'Pad', attributes: { pads: [0, 1, 1, 0, 1, 1], mode: 'reflect' } },
  { opset: 9, op: 'Slice', attributes: { starts: [1, 0], ends: [1000, -1], axes: [1, 2] } },
  { opset: 9, op: 'Slice', attributes: { starts: [0, 1], ends: [1, 2 ** 62] } },
  { opset: 12, op: 'Squeeze', attributes: { axes: [0, 2] }, dims: [1, 3, 1, 4] },
  { opset: 11, op: 'Squeeze', dims: [1, 3, 1, 4] },
  { opset: 12, op: 'Unsqueeze', attributes: { axes: [0, 3] } },
  { opset: 10, op: 'Split', attributes: { axis: 2 }, outputs: ['float32', 'float32'] },
  { opset: 12, op: 'Split', attributes: { axis: 2, split: [1, 3] }, outputs: ['float32', 'float32'] },
  { opset: 17, op: 'Split', attributes: { axis: 2 }, outputs: ['float32', 'float32'] },
  { opset: 9, op: 'TopK', attributes: { k: 2, axis: 1 }, outputs: ['float32', 'int64'] },
  ...['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((op): Old[] => [
    { opset: 7, op },
    { opset: 9, op, attributes: { axis: 0 } },
    { opset: 12, op, attributes: { axis: 2 } },
    { opset: 12, op, attributes: { axis: -1 } },
    { opset: 11, op, attributes: { axis: -2 } },
    { opset: 9, op, attributes: { axis: 1 }, dims: [2, 5, 1, 1] },
  ]),
  ...[
    'ReduceL1',
    'ReduceL2',
    'ReduceMax',
    'ReduceMean',
    'ReduceMin',
    'ReduceProd',
    'ReduceSum',
    'ReduceSumSquare',
  ].flatMap((op) => [...axesCases(op, 9), ...axesCases(op, 12)]),
  ...axesCases('ReduceLogSumExp', 17),
  ...['nearest', 'linear'].map(
    (mode): Old => ({ opset: 7, op: 'Upsample', attributes: { mode, scales: floats(1, 1, 2, 3) }, dims: [1, 2, 3, 4] }),
  ),
  ...['nearest', 'linear'].map(
    (mode): Old => ({
      opset: 9,
      op: 'Upsample',
      attributes: { mode },
      dims: [1, 2, 3, 4],
      constants: [scales(1, 1, 2, 1.5)],
    }),
  ),
  ...['nearest', 'linear'].flatMap((mode): Old[] => [
    { opset: 10, op: 'Resize', attributes: { mode }, dims: [1, 2, 5, 7], constants: [scales(1, 1, 2.5, 1.3)] },
    { opset: 10, op: 'Resize', attributes: { mode }, dims: [1, 2, 7, 9], constants: [scales(1, 1, 0.6, 0.4)] },
  ]),
  {
    opset: 10,
    op: 'Resize',
    attributes: { mode: 'nearest' },
    dims: [1, 2, 7, 9],
    constants: [scales(1, 1, 2, 0.5)],
    stays: 'enlarges one axis',
  },
  {
    opset: 11,
    op: 'Resize',
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    dims: [1, 2, 4, 4],
    constants: [floatTensor('roi', [0], []), floatTensor('none', [0], []), int64Tensor('sizes', [4], [1, 2, 7, 6])],
  },
  ...[7, 9, 12].map(
    (opset): Old => ({ opset, op: 'BatchNormalization', dims: [2, 3, 4, 4], constants: statistics(3) }),
  ),
  {
    opset: 7,
    op: 'BatchNormalization',
    attributes: { spatial: 1, epsilon: { float: 0.01 } },
    dims: [2, 3, 4, 4],
    constants: statistics(3),
  },
  ...[7, 10, 18].map(
    (opset): Old => ({
      opset,
      op: 'AveragePool',
      attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      dims: [1, 2, 7, 7],
    }),
  ),
  {
    opset: 18,
    op: 'AveragePool',
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
    dims: [1, 2, 6, 6],
  },
  {
    opset: 11,
    op: 'AveragePool',
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, count_include_pad: 1, pads: [1, 1, 1, 1] },
    dims: [1, 2, 6, 6],
    stays: 'ceil_mode',
  },
  { opset: 7, op: 'MaxPool', attributes: { kernel_shape: [2, 2], strides: [2, 2] }, dims: [1, 2, 6, 6] },
  { opset: 11, op: 'MaxPool', attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, dims: [1, 2, 7, 7] },
  {
    opset: 10,
    op: 'Scatter',
    attributes: { axis: 1 },
    constants: [int64Tensor('at', [2, 1, 4], [0, 1, 2, 0, 1, 1, 0, 2]), weights('new', [2, 1, 4])],
  },
  {
    opset: 16,
    op: 'GridSample',
    attributes: { mode: 'bilinear', padding_mode: 'border' },
    dims: [1, 2, 4, 4],
    constants: [weights('grid', [1, 3, 3, 2])],
  },
  {
    opset: 16,
    op: 'GridSample',
    attributes: { mode: 'bicubic' },
    dims: [1, 2, 4, 4],
    constants: [weights('grid', [1, 3, 3, 2])],
  },
  {
    opset: 10,
    op: 'RoiAlign',
    attributes: { output_height: 2, output_width: 2, sampling_ratio: 2 },
    dims: [1, 2, 8, 8],
    constants: [floatTensor('rois', [1, 4], [1, 1, 6, 5]), int64Tensor('of', [1], [0])],
  },
  {
    opset: 18,
    op: 'GroupNormalization',
    attributes: { num_groups: 2 },
    dims: [2, 4, 3],
    constants: [weights('scale', [2]), weights('bias', [2])],
  },
  { opset: 17, op: 'DFT', attributes: { axis: 1 }, dims: [1, 8, 1] },
  { opset: 8, op: 'Flatten', attributes: { axis: 2 } },
  { opset: 9, op: 'Cast', attributes: { to: 6 }, outputs: ['int32'] },
  { opset: 10, op: 'ThresholdedRelu', attributes: { alpha: { float: 0.05 } } },
  { opset: 9, op: 'ImageScaler', stays: 'ImageScaler is not an operator' },
];

function scales(...values: number[]): Tensor {
  return floatTensor('scales', [values.length], values);
}

function weights(name: string, dims: readonly number[]): Tensor {
  return floatTensor(
    name,
    dims,
    randomWeights(
      dims.reduce((a, b) => a * b, 1),
      0.5,
      name.length,
    ),
  );
}

function statistics(channels: number): Tensor[] {
  return [
    weights('scale', [channels]),
    weights('shift', [channels]),
    weights('mean', [channels]),
    floatTensor('var', [channels], [1, 2, 0.5]),
  ];
}

function modelOf({
  opset,
  op,
  attributes,
  dims = [2, 3, 4],
  dtype = 'float32',
  constants = [],
  outputs = [dtype],
}: Old): Model {
  const names = outputs.map((_, i) => `y${i}`);
  return model({
    opset,
    irVersion: opset < 9 ? 3 : 8,
    // Up to IR 3 initializers are inputs as well.
    inputs: [
      value('x', dtype, dims),
      ...(opset < 9 ? constants.map((tensor) => value(tensor.name, tensor.dtype, tensor.dims)) : []),
    ],
    outputs: outputs.map((type, i) => value(names[i]!, type)),
    nodes: [node(op, ['x', ...constants.map((tensor) => tensor.name)], names, attributes)],
    initializers: constants,
  });
}

describe('adapters', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-adapters-'));
  const pool = new RuntimePool(1);
  afterAll(() => {
    pool.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const name = ({ opset, op, attributes = {}, dims = [2, 3, 4] }: Old): string =>
    `${op}-${opset} [${dims}] ${Object.entries(attributes)
      .map(([key, item]) => `${key}=${typeof item === 'object' && 'float' in item ? item.float : item}`)
      .join(' ')}`;

  it.each(old.map((one) => [name(one), one] as const))('%s', async (_, one) => {
    const dims = one.dims ?? [2, 3, 4];
    const numbers = randomWeights(
      dims.reduce((a, b) => a * b, 1),
      0.3,
      7,
    );
    const bytes = new Uint8Array(one.dtype === 'float64' ? Float64Array.from(numbers).buffer : numbers.slice().buffer);
    const x: Feed = { dtype: one.dtype ?? 'float32', dims, bytes };
    const [file] = await write(modelOf(one), { folder, file: 'old.onnx' });
    const result = await threeWays(pool, 0, join(folder, file!), folder, async () => ({ x }));
    if (one.stays) {
      expect(result.notes.join(' ')).toContain(one.stays);
      expect(result.opset).toBe(one.opset);
      return;
    }
    expect(result.original).toMatchObject({ kind: 'outputs' });
    expect(result.opset).toBe(21);
    // AveragePool of opset 19 is another kernel, which adds in another order.
    expect(result.normalised.why).toBe('');
    if (one.op !== 'AveragePool') expect(result.normalised.verdict).toBe('same');
    expect(result.problems).toEqual([]);
  });

  it('are each met by one of these models', () => {
    const met = new Set(old.map(({ op }) => op));
    expect(Object.keys(adapters).filter((op) => !met.has(op) && op !== 'Scan')).toEqual(['ReduceLogSum']);
  });

  it('work inside subgraphs', async () => {
    const branch = (op: string): ReturnType<typeof graph> =>
      graph({
        outputs: [value('out')],
        nodes: [node(op, ['x'], ['inner'], { axis: 1 }), node('Clip', ['inner'], ['out'], { min: { float: 0.1 } })],
      });
    const conditional = model({
      opset: 9,
      irVersion: 8,
      inputs: [value('x', 'float32', [2, 3, 4]), value('c', 'bool', [])],
      outputs: [value('y')],
      nodes: [node('If', ['c'], ['y'], { then_branch: branch('Softmax'), else_branch: branch('LogSoftmax') })],
    });
    const [file] = await write(conditional, { folder, file: 'if.onnx' });
    for (const c of [0, 1]) {
      const feeds = {
        x: { dtype: 'float32', dims: [2, 3, 4], bytes: new Uint8Array(randomWeights(24, 1, 3).buffer) },
        c: { dtype: 'bool', dims: [], bytes: new Uint8Array([c]) },
      };
      const result = await threeWays(pool, 0, join(folder, file!), folder, async () => feeds);
      expect(result.original).toMatchObject({ kind: 'outputs' });
      expect(result.normalised.why).toBe('');
      expect(result.opset).toBe(21);
    }
  });
});
