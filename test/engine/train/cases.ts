// Every gradient case as ONNX nodes; test/oracles/gradients.py has the same cases, by name, as PyTorch.
import type { Node, Tensor } from '../../../src/engine/graph/graph';
import { bytesTensor, floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { node, type PlainAttribute } from '../models';

/** Inputs are called as in the fixture, outputs y, y1, y2 …; constants are of this case alone. */
export interface GradientCase {
  readonly nodes: readonly Node[];
  readonly constants?: readonly Tensor[];
  /** No finite differences: rounding is passed straight through, the case sits on a kink, or it is never computed in float64. */
  readonly isBent?: true;
}

type Attributes = Readonly<Record<string, PlainAttribute>>;

const ints = (name: string, ...values: number[]): Tensor => int64Tensor(name, [values.length], values);
const float = (name: string, value: number): Tensor => floatTensor(name, [], [value]);

/** One node from the fixture's inputs (and constants) to y. */
function one(
  op: string,
  inputs: string,
  attributes: Attributes = {},
  constants: readonly Tensor[] = [],
  outputs = ['y'],
): GradientCase {
  const names = inputs.split(' ').map((name) => (name === '-' ? '' : name));
  return { nodes: [node(op, names, outputs, attributes)], constants };
}

const bent = (made: GradientCase): GradientCase => ({ ...made, isBent: true });

const arithmetic: Record<string, GradientCase> = {
  ...Object.fromEntries(
    ['Add', 'Sub', 'Mul'].flatMap((op) => [
      [op, one(op, 'a b')],
      [`${op} broadcast right`, one(op, 'a b')],
      [`${op} broadcast left`, one(op, 'a b')],
      [`${op} scalar`, one(op, 'a b')],
      [`${op} with itself`, one(op, 'a a')],
    ]),
  ),
  Div: one('Div', 'a b'),
  'Div broadcast right': one('Div', 'a b'),
  'Div broadcast left': one('Div', 'a b'),
  Pow: one('Pow', 'a b'),
  'Pow broadcast': one('Pow', 'a b'),
  'Pow base broadcast': one('Pow', 'a b'),
  'Pow 2': one('Pow', 'a e', {}, [float('e', 2)]),
  'Pow 3': one('Pow', 'a e', {}, [float('e', 3)]),
  'Pow half': one('Pow', 'a e', {}, [float('e', 0.5)]),
  'Pow 0': { nodes: [node('Pow', ['a', 'e'], ['p']), node('Add', ['p', 'a'], ['y'])], constants: [float('e', 0)] },
  'Pow int exponents': one('Pow', 'a e', {}, [ints('e', 0, 1, 2)]),
  Mod: one('Mod', 'a b', { fmod: 1 }),
  Neg: one('Neg', 'a'),
  Sum: one('Sum', 'a b c'),
  'Sum of one': one('Sum', 'a'),
  Mean: one('Mean', 'a b c'),
  Max: one('Max', 'a b'),
  'Max of three': one('Max', 'a b c'),
  'Max ties': bent(one('Max', 'a b')),
  Min: one('Min', 'a b'),
  'Min ties': bent(one('Min', 'a b')),
};

const plain = (
  'Abs Acos Acosh Asin Asinh Atan Atanh Cos Cosh Erf Exp Log Reciprocal Sin Sinh Sqrt Tan Tanh Sigmoid Relu Softplus Softsign Mish ' +
  'Selu Elu Celu LeakyRelu Gelu HardSigmoid HardSwish ThresholdedRelu Swish Identity'
).split(' ');

const functions: Record<string, GradientCase> = {
  ...Object.fromEntries(plain.map((op) => [op, one(op, 'a')])),
  'Elu alpha': one('Elu', 'a', { alpha: 0.5 }),
  'Celu alpha': one('Celu', 'a', { alpha: 0.5 }),
  'Selu alpha gamma': one('Selu', 'a', { alpha: 0.5, gamma: 1.5 }),
  'LeakyRelu alpha': one('LeakyRelu', 'a', { alpha: 0.25 }),
  'Gelu tanh': one('Gelu', 'a', { approximate: 'tanh' }),
  'HardSigmoid alpha beta': one('HardSigmoid', 'a', { alpha: 0.25, beta: 0.25 }),
  'ThresholdedRelu alpha': one('ThresholdedRelu', 'a', { alpha: 0.5 }),
  Shrink: one('Shrink', 'a'),
  'Shrink lambd bias': one('Shrink', 'a', { lambd: 0.75, bias: 0.25 }),
  PRelu: one('PRelu', 'a b'),
  'PRelu scalar': one('PRelu', 'a b'),
  'Swish alpha': one('Swish', 'a', { alpha: 1.5 }),
  ...Object.fromEntries(
    ['Floor', 'Ceil', 'Round', 'Sign'].map((op) => [
      `${op} beside`,
      { nodes: [node(op, ['a'], ['step']), node('Add', ['step', 'a'], ['y'])] },
    ]),
  ),
};

const choice: Record<string, GradientCase> = {
  Where: one('Where', 'c a b'),
  Clip: one('Clip', 'a l h', {}, [float('l', -0.5), float('h', 1)]),
  'Clip low': one('Clip', 'a l', {}, [float('l', -0.5)]),
  'Clip high': one('Clip', 'a - h', {}, [float('h', 0.5)]),
  'Clip bounds': one('Clip', 'a l h'),
  Cast: { nodes: [node('Cast', ['a'], ['wide'], { to: 11 }), node('Cast', ['wide'], ['y'], { to: 1 })] },
  CastLike: one('CastLike', 'a like', {}, [float('like', 0)]),
  Dropout: one('Dropout', 'a'),
  'Dropout training none': one('Dropout', 'a ratio training', {}, [
    float('ratio', 0),
    bytesTensor('training', 'bool', [], Uint8Array.of(1)),
  ]),
};

const reductions: Record<string, GradientCase> = {
  ...Object.fromEntries(
    'Sum Mean Max Min L1 L2 LogSum LogSumExp SumSquare'.split(' ').flatMap((kind) => [
      [`Reduce${kind}`, one(`Reduce${kind}`, 'a')],
      [`Reduce${kind} axis`, one(`Reduce${kind}`, 'a axes', {}, [ints('axes', 1)])],
      [`Reduce${kind} axes`, one(`Reduce${kind}`, 'a axes', { keepdims: 0 }, [ints('axes', 0, -1)])],
    ]),
  ),
  'ReduceSum noop': one('ReduceSum', 'a', { noop_with_empty_axes: 1 }),
  'ReduceMax ties': bent(one('ReduceMax', 'a axes', {}, [ints('axes', 1)])),
  'ReduceMin ties': bent(one('ReduceMin', 'a axes', {}, [ints('axes', 1)])),
  'ReduceL2 zero': bent(one('ReduceL2', 'a axes', { keepdims: 0 }, [ints('axes', 1)])),
  ReduceProd: one('ReduceProd', 'a axes', { keepdims: 0 }, [ints('axes', 1)]),
  'ReduceProd axes': one('ReduceProd', 'a axes', {}, [ints('axes', 0, 2)]),
  'ReduceProd zeros': one('ReduceProd', 'a axes', { keepdims: 0 }, [ints('axes', 1)]),
};

const products: Record<string, GradientCase> = {
  ...Object.fromEntries(
    [
      '',
      ' vector vector',
      ' vector matrix',
      ' matrix vector',
      ' vector batch',
      ' batch vector',
      ' batch matrix',
      ' matrix batch',
      ' batches',
      ' batches broadcast',
      ' batches lead',
    ].map((name) => [`MatMul${name}`, one('MatMul', 'input other')]),
  ),
  ...Object.fromEntries(
    [0, 1].flatMap((transA) =>
      [0, 1].map((transB) => [
        `Gemm ${transA}${transB}`,
        one('Gemm', 'a b c', { transA, transB, alpha: 0.5, beta: 1.5 }),
      ]),
    ),
  ),
  'Gemm no bias': one('Gemm', 'a b'),
  'Gemm bias column': one('Gemm', 'a b c'),
  'Gemm bias scalar': one('Gemm', 'a b c'),
  ...Object.fromEntries(
    [
      'ij,jk->ik',
      'bij,bkj->bik',
      'bhqd,bhkd->bhqk',
      'ij->ji',
      'ij->i',
      'ij->',
      'ij,jk',
      'i,j->ij',
      'ij,jk,kl->il',
      '...ij,...jk->...ik',
      '...ij,jk->...ik',
      'ij,k->j',
    ].map((equation) => {
      const count = equation.split('->')[0]!.split(',').length;
      return [`Einsum ${equation}`, one('Einsum', ['a', 'b', 'c'].slice(0, count).join(' '), { equation })];
    }),
  ),
};

const movements: Record<string, GradientCase> = {
  Reshape: one('Reshape', 'a shape', {}, [ints('shape', 3, 2)]),
  'Reshape zero and open': one('Reshape', 'a shape', {}, [ints('shape', 0, -1)]),
  Flatten: one('Flatten', 'a'),
  'Flatten axis 2': one('Flatten', 'a', { axis: 2 }),
  Squeeze: one('Squeeze', 'a axes', {}, [ints('axes', 1)]),
  'Squeeze all': one('Squeeze', 'a'),
  Unsqueeze: one('Unsqueeze', 'a axes', {}, [ints('axes', 1, 3)]),
  Transpose: one('Transpose', 'a'),
  'Transpose perm': one('Transpose', 'a', { perm: [1, 2, 0] }),
  Expand: one('Expand', 'a shape', {}, [ints('shape', 2, 3, 2)]),
  'Expand smaller target': one('Expand', 'a shape', {}, [ints('shape', 3)]),
  Tile: one('Tile', 'a repeats', {}, [ints('repeats', 2, 3)]),
  'Tile one axis': one('Tile', 'a repeats', {}, [ints('repeats', 1, 2, 1)]),
  Concat: one('Concat', 'a b', { axis: 1 }),
  'Concat of three': one('Concat', 'a b c', { axis: -1 }),
  'Concat with itself': one('Concat', 'a a', { axis: 0 }),
  'Concat with a constant': one('Concat', 'ones a', { axis: 0 }, [floatTensor('ones', [1, 2], [1, 1])]),
  Split: one('Split', 'a sizes', { axis: 1 }, [ints('sizes', 1, 2)], ['y', 'y1']),
  'Split in halves': one('Split', 'a', { num_outputs: 2 }, [], ['y', 'y1']),
  'Split uneven': one('Split', 'a', { num_outputs: 3 }, [], ['y', 'y1', 'y2']),
  'Split one used': one('Split', 'a sizes', {}, [ints('sizes', 1, 2, 1)], ['other', 'y', 'more']),
  Slice: one('Slice', 'a starts ends', {}, [ints('starts', 1, 0), ints('ends', 3, 2)]),
  'Slice steps': one('Slice', 'a starts ends axes steps', {}, [
    ints('starts', 0, 1),
    ints('ends', 4, 2 ** 31),
    ints('axes', 0, -1),
    ints('steps', 2, 3),
  ]),
  'Slice negative': one('Slice', 'a starts ends', {}, [ints('starts', -3), ints('ends', -1)]),
  'Slice backwards': one('Slice', 'a starts ends axes steps', {}, [
    ints('starts', -1),
    ints('ends', -(2 ** 31)),
    ints('axes', 0),
    ints('steps', -2),
  ]),
  'Slice backwards part': one('Slice', 'a starts ends axes steps', {}, [
    ints('starts', 4),
    ints('ends', 0),
    ints('axes', 0),
    ints('steps', -1),
  ]),
  'Slice beyond': one('Slice', 'a starts ends', {}, [ints('starts', 2), ints('ends', 99)]),
  'Slice by data': {
    // The start is what the largest of some data says; nothing is known of it before the run.
    nodes: [
      node('ArgMax', ['data'], ['starts'], { keepdims: 1, axis: 0 }),
      node('Add', ['starts', 'two'], ['ends']),
      node('Slice', ['a', 'starts', 'ends'], ['sliced']),
      node('Reshape', ['sliced', 'shape'], ['y']),
    ],
    constants: [floatTensor('data', [4], [1, 4, 2, 3]), ints('two', 2), ints('shape', 2, 2)],
  },
  Pad: one('Pad', 'a pads', {}, [ints('pads', 0, 1, 1, 2)]),
  'Pad value': one('Pad', 'a pads b', {}, [ints('pads', 0, 1, 0, 1)]),
  'Pad axes': one('Pad', 'a pads - axes', {}, [ints('pads', 1, 2), ints('axes', -2)]),
  'Pad negative': one('Pad', 'a pads', {}, [ints('pads', 0, -1, 0, 0)]),
  'Pad both ways': one('Pad', 'a pads', {}, [ints('pads', 0, -1, 0, 2)]),
  'Pad reflect': one('Pad', 'a pads', { mode: 'reflect' }, [ints('pads', 0, 0, 1, 2, 0, 0, 1, 1)]),
  'Pad edge': one('Pad', 'a pads', { mode: 'edge' }, [ints('pads', 0, 0, 1, 2, 0, 0, 0, 1)]),
  'Pad wrap': one('Pad', 'a pads', { mode: 'wrap' }, [ints('pads', 0, 0, 2, 0, 0, 1)]),
  DepthToSpace: one('DepthToSpace', 'a', { blocksize: 2 }),
  'DepthToSpace CRD': one('DepthToSpace', 'a', { blocksize: 2, mode: 'CRD' }),
  SpaceToDepth: one('SpaceToDepth', 'a', { blocksize: 2 }),
  ReverseSequence: one('ReverseSequence', 'a lengths', { batch_axis: 1, time_axis: 0 }, [ints('lengths', 3, 2)]),
  CumSum: one('CumSum', 'a axis', {}, [int64Tensor('axis', [], [1])]),
  'CumSum exclusive': one('CumSum', 'a axis', { exclusive: 1 }, [int64Tensor('axis', [], [0])]),
  'CumSum reverse': one('CumSum', 'a axis', { reverse: 1 }, [int64Tensor('axis', [], [0])]),
  'CumSum exclusive reverse': one('CumSum', 'a axis', { exclusive: 1, reverse: 1 }, [int64Tensor('axis', [], [0])]),
  Trilu: one('Trilu', 'a'),
  'Trilu lower': one('Trilu', 'a', { upper: 0 }),
  'Trilu k': one('Trilu', 'a k', {}, [int64Tensor('k', [], [1])]),
  'Trilu lower k': one('Trilu', 'a k', { upper: 0 }, [int64Tensor('k', [], [-1])]),
};

const k2 = ints('k', 2);
const indexing: Record<string, GradientCase> = {
  Gather: one('Gather', 'a i'),
  'Gather table': one('Gather', 'a i'),
  'Gather negative': one('Gather', 'a i'),
  'Gather axis 1': one('Gather', 'a i', { axis: 1 }),
  'Gather last axis': one('Gather', 'a i', { axis: -1 }),
  'Gather one': one('Gather', 'a i', { axis: 1 }, [int64Tensor('i', [], [1])]),
  'Gather last': one('Gather', 'a i', { axis: 1 }, [ints('i', -1)]),
  GatherElements: one('GatherElements', 'a i', { axis: 1 }),
  'GatherElements axis 0': one('GatherElements', 'a i'),
  GatherND: one('GatherND', 'a i'),
  'GatherND rows': one('GatherND', 'a i'),
  'GatherND batch': one('GatherND', 'a i', { batch_dims: 1 }),
  ScatterElements: one('ScatterElements', 'a i u', { axis: 1 }),
  'ScatterElements add': one('ScatterElements', 'a i u', { reduction: 'add' }),
  ScatterND: one('ScatterND', 'a i u'),
  'ScatterND add': one('ScatterND', 'a i u', { reduction: 'add' }),
  OneHot: bent(one('OneHot', 'i depth a', {}, [int64Tensor('depth', [], [3])])),
  'OneHot axis 0': bent(one('OneHot', 'i depth a', { axis: 0 }, [int64Tensor('depth', [], [3])])),
  Range: one('Range', 'a to c', {}, [float('to', 2.2)]),
  TopK: one('TopK', 'a k', { axis: 1 }, [k2], ['y', 'places']),
  'TopK smallest axis 0': one('TopK', 'a k', { axis: 0, largest: 0 }, [k2], ['y', 'places']),
};

const losses: Record<string, GradientCase> = {
  Softmax: one('Softmax', 'a'),
  'Softmax axis 1': one('Softmax', 'a', { axis: 1 }),
  LogSoftmax: one('LogSoftmax', 'a'),
  'LogSoftmax axis 1': one('LogSoftmax', 'a', { axis: 1 }),
  ...Object.fromEntries(
    ['mean', 'sum', 'none'].flatMap((reduction) =>
      ['SoftmaxCrossEntropyLoss', 'NegativeLogLikelihoodLoss'].flatMap((op) => [
        [`${op} ${reduction}`, one(op, 'a t', { reduction })],
        [`${op} weights ${reduction}`, one(op, 'a t w', { reduction })],
      ]),
    ),
  ),
  'SoftmaxCrossEntropyLoss ignored': one('SoftmaxCrossEntropyLoss', 'a t', { ignore_index: -1 }),
  'NegativeLogLikelihoodLoss ignored': one('NegativeLogLikelihoodLoss', 'a t', { ignore_index: 2 }),
  'SoftmaxCrossEntropyLoss with log': one('SoftmaxCrossEntropyLoss', 'a t', {}, [], ['y', 'y1']),
};

/** Quantized and back, to int8 without a zero point, int4 or uint8 with one. */
function pair(dtype: 'int8' | 'uint8' | 'int4', attributes: Attributes, zero?: Tensor): GradientCase {
  const inputs = zero ? ['a', 's', zero.name] : ['a', 's'];
  const to = { int8: 3, uint8: 2, int4: 22 }[dtype];
  return bent({
    nodes: [
      node('QuantizeLinear', inputs, ['q'], { ...attributes, output_dtype: to }),
      node('DequantizeLinear', ['q', ...inputs.slice(1)], ['y'], attributes),
    ],
    constants: zero ? [zero] : [],
  });
}

const quantization: Record<string, GradientCase> = {
  QuantizeLinear: pair('int8', {}),
  'QuantizeLinear uint8': pair('uint8', {}, bytesTensor('z', 'uint8', [], Uint8Array.of(100))),
  'QuantizeLinear channel': pair('int8', { axis: 1 }),
  'QuantizeLinear rows': pair('int4', { axis: 0 }),
  'QuantizeLinear blocks': pair('int4', { axis: 0, block_size: 2 }),
  'QuantizeLinear short block': pair('int4', { axis: 1, block_size: 2 }),
};

export const cases: Readonly<Record<string, GradientCase>> = {
  ...arithmetic,
  ...functions,
  ...choice,
  ...reductions,
  ...products,
  ...movements,
  ...indexing,
  ...losses,
  ...quantization,
};
