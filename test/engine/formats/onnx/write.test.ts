// Writing to disk: where tensors lie, what is refused, and that nothing half-written is left.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFormat } from '../../../../src/engine/formats';
import { encode, write } from '../../../../src/engine/formats/onnx';
import { layOut } from '../../../../src/engine/formats/onnx/layout';
import { bytesTensor, readBytes } from '../../../../src/engine/graph/tensor';
import { model, node, tinyConv, tinyIf, tinyMlp, value } from '../../models';

const root = mkdtempSync(join(tmpdir(), 'lathe-write-'));
afterAll(() => rmSync(root, { recursive: true }));
const fresh = () => mkdtempSync(join(root, 'f-'));

const filled = (name: string, length: number, byte: number) =>
  bytesTensor(name, 'uint8', [length], new Uint8Array(length).fill(byte));
/** Weights of the given sizes, each with a byte of its own. */
const withWeights = (...sizes: number[]) =>
  model({
    inputs: [value('x')],
    outputs: [value('y')],
    nodes: [node('Neg', ['x'], ['y'])],
    initializers: sizes.map((size, i) => filled(`w${i}`, size, i + 1)),
  });

describe('the data file', () => {
  test('holds small tensors first, then those above 1 MiB at multiples of 65,536', () => {
    const mib = 2 ** 20;
    const { tensors, bytes } = layOut(withWeights(mib + 1, 2000, 100, mib, 3 * mib), 'd');
    expect(tensors.map(({ tensor, offset }) => [tensor.name, offset])).toEqual([
      ['w1', 0],
      ['w3', 2000],
      ['w0', 17 * 65_536],
      ['w4', 34 * 65_536],
    ]);
    expect(bytes).toBe(34 * 65_536 + 3 * mib);
  });

  test('keeps tensors below 1,024 bytes in the model, and is absent when there are no others', async () => {
    const folder = fresh();
    expect(await write(withWeights(1023), { folder, file: 'a.onnx', external: 'always' })).toEqual(['a.onnx']);
    expect(await write(withWeights(1024), { folder, file: 'b.onnx', external: 'always' })).toEqual([
      'b.onnx',
      'b.onnx.data',
    ]);
    expect(readdirSync(folder).sort()).toEqual(['a.onnx', 'b.onnx', 'b.onnx.data']);
    expect(statSync(join(folder, 'b.onnx.data')).size).toBe(1024);
  });

  test('holds tied weights once', async () => {
    const shared = filled('w0', 5000, 9);
    const tied = withWeights(1);
    const both = new Map([
      ['w0', shared],
      ['w1', { ...shared, name: 'w1' }],
    ]);
    const folder = fresh();
    await write(
      { ...tied, graph: { ...tied.graph, initializers: both } },
      { folder, file: 'm.onnx', external: 'always' },
    );
    expect(statSync(join(folder, 'm.onnx.data')).size).toBe(5000);
    const { model: read } = await openFormat(folder);
    for (const tensor of read.graph.initializers.values()) expect((await readBytes(tensor))[4999]).toBe(9);
  });

  test('is not made by "auto" for a small model', async () => {
    expect(await write(tinyConv(), { folder: fresh(), file: 'm.onnx' })).toEqual(['m.onnx']);
  });
});

test('the same model is the same bytes, on disk and in memory', async () => {
  for (const small of [tinyMlp(), tinyConv(), tinyIf()]) {
    const [a, b] = [fresh(), fresh()];
    for (const folder of [a, b]) {
      await write(small, { folder, file: 'm.onnx' });
      await write(small, { folder, file: 'e.onnx', external: 'always' });
    }
    for (const file of readdirSync(a)) {
      expect(Buffer.compare(readFileSync(join(a, file)), readFileSync(join(b, file)))).toBe(0);
    }
    expect(Buffer.compare(readFileSync(join(a, 'm.onnx')), await encode(small))).toBe(0);
  }
});

test('progress reaches its total', async () => {
  const seen: [number, number][] = [];
  const onProgress = (done: number, total: number) => seen.push([done, total]);
  const folder = fresh();
  const files = await write(tinyMlp(), { folder, file: 'm.onnx', external: 'always', onProgress });
  const total = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  expect(seen.at(-1)).toEqual([total, total]);
});

describe('refuses', () => {
  test.each(['', '.', '..', '../m.onnx', 'a/m.onnx', 'a\\m.onnx', '.m.onnx', 'm\0.onnx', 'm:.onnx', 'x'.repeat(201)])(
    'the name %j',
    async (file) => {
      await expect(write(tinyMlp(), { folder: fresh(), file })).rejects.toThrow('cannot be the name of a model file');
    },
  );

  test('to overwrite the file it reads weights from', async () => {
    const folder = fresh();
    await write(withWeights(10_000), { folder, file: 'm.onnx' });
    const { model: read } = await openFormat(folder);
    await expect(write(read, { folder, file: 'm.onnx' })).rejects.toThrow('holds weights of this model');
    await write(read, { folder, file: 'n.onnx' });
    expect(readdirSync(folder).sort()).toEqual(['m.onnx', 'n.onnx']);
  });
});

describe('leaves nothing behind', () => {
  test('when a source vanished meanwhile', async () => {
    const [from, folder] = [fresh(), fresh()];
    await write(withWeights(10_000, 10_000), { folder: from, file: 'm.onnx' });
    const { model: read } = await openFormat(from);
    writeFileSync(join(from, 'm.onnx'), 'short');
    await expect(write(read, { folder, file: 'm.onnx', external: 'always' })).rejects.toThrow('is shorter than when');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('when it is stopped', async () => {
    const folder = fresh();
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    const options = { folder, file: 'm.onnx', external: 'always', signal: stop.signal, onProgress } as const;
    await expect(write(withWeights(10_000, 10_000), options)).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([]);
  });
});
