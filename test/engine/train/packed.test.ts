// Packed weights as a training sees them: the product is the runtime's own, and the gradient of its input is that of the weights it stands for.
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { bytesTensor, floatTensor, packCodes } from '../../../src/engine/graph/tensor';
import { type Feeds, openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { decompose } from '../../../src/engine/train/decompose';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { model, node, randomNumbers, randomWeights, value } from '../models';
import { distance } from './gradient-check';

const rows = 3;

interface Form {
  readonly bits: 2 | 4 | 8;
  readonly columns: number;
  readonly block: number;
  readonly zeros: boolean;
  readonly bias?: boolean;
}

/** y = x·Ŵᵀ (+ b), its loss Σ y·r, and Ŵ [N, K] in plain numbers. */
function packed({ bits, columns, block, zeros, bias = false }: Form): { whole: Model; weights: Float64Array } {
  const next = randomNumbers(bits * columns);
  const blocks = Math.ceil(columns / block);
  const draw = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => next() * 2 ** bits);
  const codes = draw(rows * blocks * block);
  const scales = Float32Array.from({ length: rows * blocks }, () => 0.1 + next());
  const points = zeros ? draw(rows * blocks) : new Uint8Array(rows * blocks).fill(2 ** (bits - 1));
  const pack = (all: Uint8Array): Uint8Array => (bits === 8 ? all : packCodes(all, bits));
  const packedPoints = Array.from({ length: rows }, (_, row) => [
    ...pack(points.subarray(row * blocks, (row + 1) * blocks)),
  ]);
  const weights = Float64Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const group = row * blocks + Math.floor(column / block);
    return (codes[row * blocks * block + column]! - points[group]!) * scales[group]!;
  });
  const blob = (block * bits) / 8;
  const initializers = [
    bytesTensor('codes', 'uint8', [rows, blocks, blob], pack(codes)),
    floatTensor('scales', [rows * blocks], scales),
    floatTensor('r', [2, rows], randomWeights(2 * rows, 1, 5)),
    ...(zeros
      ? [bytesTensor('zeros', 'uint8', [packedPoints.flat().length], Uint8Array.from(packedPoints.flat()))]
      : []),
    ...(bias ? [floatTensor('b', [rows], randomWeights(rows, 1, 6))] : []),
  ];
  const inputs = ['x', 'codes', 'scales', zeros ? 'zeros' : '', '', bias ? 'b' : ''];
  const attributes = { K: columns, N: rows, bits, block_size: block };
  const whole = model({
    opsets: { 'com.microsoft': 1 },
    inputs: [value('x', 'float32', [2, columns])],
    outputs: [value('loss', 'float32', []), value('y', 'float32', [2, rows])],
    nodes: [
      node('MatMulNBits', bias ? inputs : inputs.slice(0, zeros ? 4 : 3), ['y'], attributes, {
        domain: 'com.microsoft',
      }),
      node('Mul', ['y', 'r'], ['pulled']),
      node('ReduceSum', ['pulled'], ['loss'], { keepdims: 0 }),
    ],
    initializers,
  });
  return { whole, weights };
}

async function answers(whole: Model, feeds: Feeds): Promise<Feeds> {
  const session = await openSession(await encode(whole), { threads: 1 });
  const answer = await session.run(feeds);
  await session.close();
  return answer;
}

describe('packed weights', () => {
  it.each<Form>([
    { bits: 4, columns: 64, block: 32, zeros: true },
    { bits: 4, columns: 48, block: 16, zeros: false, bias: true },
    { bits: 4, columns: 40, block: 16, zeros: true },
    { bits: 8, columns: 64, block: 32, zeros: true },
    { bits: 2, columns: 64, block: 32, zeros: true },
  ])('$bits bits, $columns columns in blocks of $block', async (form) => {
    const { whole, weights } = packed(form);
    const x = randomWeights(2 * form.columns, 1, 9);
    const feeds: Feeds = { x: { dtype: 'float32', dims: [2, form.columns], data: x } };
    const fixed = await withFixedInputs(whole, new Map());
    const written = await decompose(fixed.model, fixed.known);
    expect(written.model.graph.nodes.map(({ op }) => op)).not.toContain('MatMulNBits');
    const made = await differentiate(written.model, { loss: 'loss', wrt: ['x'], keep: ['y'], known: written.known });
    const found = await answers(made.model, feeds);
    const own = await answers(whole, feeds);
    expect(distance(found.y!.data as Float32Array, own.y!.data as Float32Array)).toBeLessThan(1e-5);
    const r = randomWeights(2 * rows, 1, 5);
    const expected = Float64Array.from(x, (_, at) => {
      const [sample, column] = [Math.floor(at / form.columns), at % form.columns];
      return Array.from({ length: rows }).reduce<number>(
        (sum, __, row) => sum + r[sample * rows + row]! * weights[row * form.columns + column]!,
        0,
      );
    });
    const gradient = found[made.gradients.get('x')!]!.data as Float32Array;
    expect(distance(gradient, expected)).toBeLessThan(1e-5);
  });
});
