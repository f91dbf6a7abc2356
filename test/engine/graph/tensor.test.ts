// Tensors as values: every element type against values worked out by hand, small floats against their definition.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../../src/contract/words/refusal';
import type { DataType, Tensor } from '../../../src/engine/graph/graph';
import {
  bfloat16FromFloat32,
  bytesTensor,
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
  float16FromFloat32,
  float32FromBfloat16,
  float32FromFloat16,
  floatTensor,
  int64Tensor,
  packCodes,
  readBytes,
  readDoubles,
  readFloats,
  readInts,
  readRange,
  unpackCodes,
} from '../../../src/engine/graph/tensor';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const little = (values: ArrayBufferView<ArrayBuffer>) => [...new Uint8Array(values.buffer)];

test.each<[DataType, number[], number[]]>([
  ['float32', little(Float32Array.of(1.5, -2)), [1.5, -2]],
  ['float64', little(Float64Array.of(0.1, -2)), [Math.fround(0.1), -2]],
  ['float16', little(Uint16Array.of(0x3e00, 0xfc00, 0x0001, 0x7bff)), [1.5, -inf, 2 ** -24, 65504]],
  ['bfloat16', little(Uint16Array.of(0x3fc0, 0xff80)), [1.5, -inf]],
  ['int8', [255, 127], [-1, 127]],
  ['uint8', [255, 127], [255, 127]],
  ['bool', [0, 1], [0, 1]],
  ['int16', little(Int16Array.of(-300)), [-300]],
  ['uint16', little(Uint16Array.of(65535)), [65535]],
  ['int32', little(Int32Array.of(-70000)), [-70000]],
  ['uint32', little(Uint32Array.of(4e9)), [4e9]],
  ['int64', little(BigInt64Array.of(-5n)), [-5]],
  ['uint64', little(BigUint64Array.of(5n)), [5]],
  // First element in the low bits; the last byte is padded.
  ['int4', [0x8f, 0x07], [-1, -8, 7]],
  ['uint4', [0x8f, 0x07], [15, 8, 7]],
  ['int2', [0b11_10_01_00, 0b10], [0, 1, -2, -1, -2]],
  ['uint2', [0b11_10_01_00, 0b10], [0, 1, 2, 3, 2]],
  ['float4e2m1', [0x10, 0x32, 0x54, 0x76, 0x98, 0x0f], [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -6]],
  ['float8e4m3fn', [0x38, 0x7e, 0x7f, 0xff, 0x01, 0x80], [1, 448, nan, nan, 2 ** -9, -0]],
  ['float8e4m3fnuz', [0x40, 0x7f, 0x80, 0x01], [1, 240, nan, 2 ** -10]],
  ['float8e5m2', [0x3c, 0x7b, 0x7c, 0xfd, 0x01], [1, 57344, inf, nan, 2 ** -16]],
  ['float8e5m2fnuz', [0x40, 0x7f, 0x80, 0x01], [1, 57344, nan, 2 ** -17]],
  ['float8e8m0', [127, 0, 254, 255], [1, 2 ** -127, 2 ** 127, nan]],
])('%s elements become numbers', async (dtype, bytes, expected) => {
  const tensor = bytesTensor('t', dtype, [expected.length], Uint8Array.from(bytes));
  expect([...(await readFloats(tensor))]).toEqual(expected);
});

test('readDoubles keeps what float32 would round', async () => {
  const tensor = bytesTensor('t', 'float64', [1], new Uint8Array(Float64Array.of(0.1).buffer));
  expect([...(await readDoubles(tensor))]).toEqual([0.1]);
});

test('readInts is exact or a refusal', async () => {
  expect(await readInts(int64Tensor('t', [3], [1, -2, Number.MAX_SAFE_INTEGER]))).toEqual([
    1,
    -2,
    Number.MAX_SAFE_INTEGER,
  ]);
  const beyond = bytesTensor('big', 'int64', [1], new Uint8Array(BigInt64Array.of(2n ** 60n).buffer));
  await expect(readInts(beyond)).rejects.toThrow('Tensor big holds 1152921504606846976, which is beyond 2^53.');
  await expect(readInts(floatTensor('f', [1], [1]))).rejects.toThrow(Refused);
});

test('text and complex numbers are refused where numbers are needed', async () => {
  const texts: Tensor = { name: 's', dtype: 'string', dims: [0], data: { kind: 'strings', strings: [] } };
  await expect(readFloats(texts)).rejects.toThrow(Refused);
  await expect(readFloats(bytesTensor('c', 'complex64', [1], new Uint8Array(8)))).rejects.toThrow(Refused);
});

test('what readFloats returns may be written into', async () => {
  const tensor = floatTensor('t', [2], [1, 2]);
  (await readFloats(tensor)).fill(0);
  expect([...(await readFloats(tensor))]).toEqual([1, 2]);
});

describe('a tensor in a file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'lathe-tensor-')), 'data');
  writeFileSync(
    file,
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );
  const at = (offset: number, length: number): Tensor => ({
    name: 't',
    dtype: 'uint8',
    dims: [length],
    data: { kind: 'file', file, offset, length },
  });

  test('is read whole and in ranges', async () => {
    expect([...(await readBytes(at(10, 3)))]).toEqual([10, 11, 12]);
    expect([...(await readRange(at(10, 30), 5, 2))]).toEqual([15, 16]);
    await expect(readRange(at(10, 30), 29, 2)).rejects.toThrow(RangeError);
  });

  test('that became shorter or vanished is a refusal', async () => {
    await expect(readBytes(at(90, 20))).rejects.toThrow('is shorter than when it was opened');
    const gone = { ...at(0, 1), data: { kind: 'file', file: `${file}-gone`, offset: 0, length: 1 } } as const;
    await expect(readBytes(gone)).rejects.toThrow('is no longer where it was');
  });

  test('misaligned in memory is read all the same', async () => {
    const bytes = new Uint8Array(Float32Array.of(0, 7, 8).buffer, 4, 8);
    const shifted = new Uint8Array(9);
    shifted.set(bytes, 1);
    expect([...(await readFloats(bytesTensor('t', 'float32', [2], shifted.subarray(1))))]).toEqual([7, 8]);
  });
});

describe('float16 and bfloat16', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, code) => code);

  test('every float16 survives the way to float32 and back', () => {
    const back = encodeFloat16(decodeFloat16(all));
    for (const code of all) {
      const isNotANumber = (code & 0x7c00) === 0x7c00 && (code & 0x3ff) !== 0;
      // JavaScript has one NaN: its sign is not kept.
      if (isNotANumber) expect(back[code]! & 0x7e00).toBe(0x7e00);
      else expect(back[code]).toBe(code);
    }
  });

  test('every bfloat16 survives the way to float32 and back', () => {
    const back = encodeBfloat16(decodeBfloat16(all));
    for (const code of all) {
      const isNotANumber = (code & 0x7f80) === 0x7f80 && (code & 0x7f) !== 0;
      if (isNotANumber) expect(Number.isNaN(float32FromBfloat16(back[code]!))).toBe(true);
      else expect(back[code]).toBe(code);
    }
  });

  test('rounding is to nearest, ties to even', () => {
    expect(float16FromFloat32(1 + 2 ** -11)).toBe(0x3c00);
    expect(float16FromFloat32(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(float16FromFloat32(65519.996)).toBe(0x7bff);
    expect(float16FromFloat32(65520)).toBe(0x7c00);
    expect(float16FromFloat32(2 ** -25)).toBe(0);
    expect(float16FromFloat32(3 * 2 ** -25)).toBe(2);
    expect(float16FromFloat32(-(2 ** -14) * (1 - 2 ** -11))).toBe(0x8400);
    expect(bfloat16FromFloat32(1 + 2 ** -8)).toBe(0x3f80);
    expect(bfloat16FromFloat32(1 + 3 * 2 ** -8)).toBe(0x3f82);
  });

  test('no float16 is nearer than the one chosen', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65504, max: 65504 }), (value) => {
        const code = float16FromFloat32(value);
        const error = Math.abs(float32FromFloat16(code) - value);
        for (const other of [code - 1, code + 1]) {
          const neighbour = float32FromFloat16(other & 0xffff);
          if (Number.isFinite(neighbour)) expect(error).toBeLessThanOrEqual(Math.abs(neighbour - value));
        }
      }),
    );
  });
});

test('packing codes and unpacking them is the identity', () => {
  fc.assert(
    fc.property(fc.constantFrom(2 as const, 4 as const), fc.array(fc.nat(255), { maxLength: 40 }), (bits, raw) => {
      const codes = raw.map((code) => code % 2 ** bits);
      expect([...unpackCodes(packCodes(codes, bits), bits, codes.length)]).toEqual(codes);
    }),
  );
});
