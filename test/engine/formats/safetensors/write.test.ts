// safetensors as the format's own text describes it: read back by hand, whatever was written.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  encodeSafetensors,
  type NamedTensor,
  writeSafetensors,
} from '../../../../src/engine/formats/safetensors/write';

const floats = (name: string, dims: number[], ...values: number[]): NamedTensor => ({
  name,
  dtype: 'float32',
  dims,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});
const tensors: NamedTensor[] = [
  { name: 'codes', dtype: 'uint8', dims: [3], bytes: Uint8Array.of(1, 2, 3) },
  floats('b', [2, 1], 0.5, -2),
  { name: '__proto__', dtype: 'int64', dims: [], bytes: new Uint8Array(BigInt64Array.of(-7n).buffer) },
  floats('a "quoted" name', [0, 4]),
];

function parts(bytes: Uint8Array) {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length));
  return { length, text, header: JSON.parse(text), data: bytes.subarray(8 + length) };
}

test('header, no holes, no overlap, data at a multiple of eight', () => {
  const bytes = encodeSafetensors(tensors, { format: 'pt' });
  const { length, text, header, data } = parts(bytes);
  expect(length % 8).toBe(0);
  expect(text.startsWith('{"__metadata__":{"format":"pt"},')).toBe(true);
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__') as [
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] },
  ][];
  let end = 0;
  for (const [, { data_offsets }] of entries) {
    expect(data_offsets[0]).toBe(end);
    end = data_offsets[1];
  }
  expect(end).toBe(data.length);
  expect(entries.map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
    ['__proto__', 'I64', []],
    ['a "quoted" name', 'F32', [0, 4]],
    ['b', 'F32', [2, 1]],
    ['codes', 'U8', [3]],
  ]);
  const [from, to] = header.b.data_offsets;
  expect([...new Float32Array(data.slice(from, to).buffer)]).toEqual([0.5, -2]);
});

test('the order of the tensors does not matter, a name twice or bytes that do not fit do', () => {
  expect(encodeSafetensors(tensors.toReversed())).toEqual(encodeSafetensors(tensors));
  expect(() => encodeSafetensors([...tensors, tensors[1]!])).toThrow('two tensors are called b');
  expect(() => encodeSafetensors([floats('x', [3], 1)])).toThrow('x: 4 bytes for F32[3]');
  expect(() => encodeSafetensors([{ ...tensors[0]!, dtype: 'int4' }])).toThrow('no int4');
});

test('a file, whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-safetensors-'));
  try {
    const path = join(folder, 'adapter/adapter_model.safetensors');
    await writeSafetensors(path, tensors);
    expect(new Uint8Array(readFileSync(path))).toEqual(encodeSafetensors(tensors));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
