// Golden text of printed graphs.
import { expect, test } from 'vitest';
import { print } from '../../../src/engine/graph/print';
import { floatTensor, int64Tensor } from '../../../src/engine/graph/tensor';
import { model, node, tinyIf, tinyMlp, value } from '../models';

test('a small network', () => {
  expect(print(tinyMlp())).toBe(`ir 10, opset 21
tiny-mlp(x: float32[batch, 64]) → y: float32[batch, 10]
  fc1.weight: float32[64, 96], 24576 bytes
  fc1.bias: float32[96], 384 bytes
  fc2.weight: float32[10, 96], 3840 bytes
  fc2.bias: float32[10], 40 bytes
  /fc1/MatMul: h1 = MatMul(x, fc1.weight)
  /fc1/Add: h2 = Add(h1, fc1.bias)
  /Relu: h3 = Relu(h2)
  /fc2/Gemm: y = Gemm(h3, fc2.weight, fc2.bias) {transB=1}
`);
});

test('subgraphs stand below their owner', () => {
  expect(print(tinyIf())).toBe(`ir 10, opset 21
tiny-if(x: float32[batch, 8], which: bool[]) → y: float32[batch, 4]
  /If: y = If(which)
    then_branch:
      then() → then_y: float32[batch, 4]
        then/Constant: then_w = Constant() {value=float32[8, 4], 128 bytes}
        then/MatMul: then_y = MatMul(x, then_w)
    else_branch:
      else() → else_y: float32[batch, 4]
        else/Constant: else_w = Constant() {value=float32[8, 4], 128 bytes}
        else/MatMul: else_y = MatMul(x, else_w)
`);
});

test('small tensors show their values, absent inputs an underscore, attributes their kind', () => {
  const odd = model({
    opsets: { 'com.microsoft': 1 },
    inputs: [value('x', 'float32', [null, 3])],
    outputs: [value('y', 'float16')],
    nodes: [
      node('Clip', ['x', '', 'hi'], ['c'], {}, { name: '' }),
      node(
        'Op',
        ['c', 'shape'],
        ['y', ''],
        { mode: 'linear', scales: Float32Array.of(0.5, 1), eps: 1e-5, axes: [0, -1] },
        {
          name: 'n',
          domain: 'com.microsoft',
        },
      ),
    ],
    initializers: [floatTensor('hi', [], [0.1]), int64Tensor('shape', [2], [1, -1])],
  });
  expect(print(odd)).toBe(`ir 10, opset 21, com.microsoft 1
test(x: float32[?, 3]) → y: float16
  hi: float32[] = 0.1
  shape: int64[2] = 1 -1
  c = Clip(x, _, hi)
  n: y, _ = com.microsoft:Op(c, shape) {mode="linear", scales=[0.5, 1], eps=0.00001, axes=[0, -1]}
`);
});
