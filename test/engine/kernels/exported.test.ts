// I10: what onnxruntime computes with exported codes, scales and zero points is what they stand for, whatever rounded them.
import { afterAll, describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { bytesTensor, floatTensor as named, packCodes } from '../../../src/engine/graph/tensor';
import { openKernels, type Rounding } from '../../../src/engine/kernels';
import { openSession } from '../../../src/engine/runtime/session';
import { model, node, value } from '../models';
import { hessianOf, makeLayer } from './layer';
import { floatTensor } from './tensors';

const kernels = await openKernels();
afterAll(() => kernels.close());

const layer = makeLayer(3, { rows: 24, columns: 160 });
const hessian = hessianOf(layer, layer.calibration);
const [N, K, group] = [24, 160, 32];
const groups = K / group;

// With float zero points the runtime knows 2 and 4 bits only.
describe('MatMulNBits', () => {
  it.each([
    ['nearest', 4],
    ['mse', 4],
    ['hqq', 4],
    ['hqq', 2],
    ['gptq', 4],
    ['gptq', 8],
  ] as const)('%s, %i bits', async (rounding: Rounding, bits) => {
    const made = await kernels.quantize({
      ...{ tensor: floatTensor(layer.weights, [N, K]), rows: N, columns: K, order: 'rows', bits, groupSize: group },
      ...{ symmetric: false, zero: 'unsigned', pack: 'blocks', scaleRule: 'signed-max', rounding, hessian },
    });
    const { codes, scales, zeroPoints, floatZeroPoints } = made;
    const packed = [];
    for (let row = 0; zeroPoints && row < N; row++) {
      const own = zeroPoints.subarray(row * groups, (row + 1) * groups);
      packed.push(bits === 8 ? own : packCodes(own, bits));
    }
    const zeros = floatZeroPoints
      ? named('zeros', [N, groups], floatZeroPoints)
      : bytesTensor('zeros', 'uint8', [N * packed[0]!.length], new Uint8Array(Buffer.concat(packed)));
    const exported = model({
      opsets: { 'com.microsoft': 1 },
      inputs: [value('x', 'float32', [3, K])],
      outputs: [value('y', 'float32', [3, N])],
      initializers: [
        bytesTensor('codes', 'uint8', [N, groups, (group * bits) / 8], codes),
        named('scales', [N, groups], scales),
        zeros,
      ],
      nodes: [
        node(
          'MatMulNBits',
          ['x', 'codes', 'scales', 'zeros'],
          ['y'],
          { K, N, bits, block_size: group, accuracy_level: 0 },
          { domain: 'com.microsoft' },
        ),
      ],
    });
    const session = await openSession(await encode(exported));
    const x = layer.heldOut.slice(0, 3 * K);
    const { y } = await session.run({ x: { dtype: 'float32', dims: [3, K], data: x } });
    await session.close();
    const got = y!.data as Float32Array;
    const mask = 2 ** bits - 1;
    for (let t = 0; t < 3; t++) {
      for (let n = 0; n < N; n++) {
        let wanted = 0;
        let size = 0;
        for (let k = 0; k < K; k++) {
          const code = (codes[Math.floor(((n * K + k) * bits) / 8)]! >> (((n * K + k) * bits) % 8)) & mask;
          const g = n * groups + Math.floor(k / group);
          const part = x[t * K + k]! * (code - (floatZeroPoints ?? zeroPoints)![g]!) * scales[g]!;
          wanted += part;
          size += Math.abs(part);
        }
        expect(Math.abs(got[t * N + n]! - wanted)).toBeLessThan(size * 2e-6);
      }
    }
  });
});
