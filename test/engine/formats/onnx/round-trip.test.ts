// Reading what was written gives the same model, and writing what was read keeps every field: random models and all the real ones.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openFormat } from '../../../../src/engine/formats';
import { decode, encode, write } from '../../../../src/engine/formats/onnx';
import { tensorsOf } from '../../../../src/engine/formats/onnx/layout';
import type { Model, Tensor } from '../../../../src/engine/graph/graph';
import { verify } from '../../../../src/engine/graph/verify';
import { hasTestData, testData } from '../../../data';
import { anyModel } from './arbitrary-model';
import { leavesOf } from './leaves';

const folder = mkdtempSync(join(tmpdir(), 'lathe-round-trip-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The bytes of every tensor by hand, from wherever they lie, independently of the code under test. */
function contents(model: Model): string[] {
  return [...tensorsOf(model)].map(({ name, dtype, dims, data }: Tensor) => {
    const bytes =
      data.kind === 'bytes'
        ? Buffer.from(data.bytes)
        : data.kind === 'file'
          ? readFileSync(data.file).subarray(data.offset, data.offset + data.length)
          : Buffer.concat(data.strings);
    return `${name} ${dtype}[${dims}] ${bytes.toString('base64')}`;
  });
}

test('random models: decode ∘ encode is the identity, and the bytes are the same twice', async () => {
  await fc.assert(
    fc.asyncProperty(anyModel, async (model) => {
      expect(verify(model)).toEqual([]);
      const bytes = await encode(model);
      const read = decode(bytes);
      expect(read).toEqual(model);
      expect(Buffer.compare(await encode(read), bytes)).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('random models: the same through files, with the weights inside and outside', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(anyModel, fc.constantFrom('never' as const, 'always' as const), async (model, external) => {
      const place = join(folder, String(run++));
      await write(model, { folder: place, file: 'm.onnx', external });
      const { model: read } = await openFormat(place);
      expect(contents(read)).toEqual(contents(model));
      expect(Buffer.compare(await encode(read), await encode(model))).toBe(0);
    }),
    { numRuns: 40 },
  );
});

describe.skipIf(!hasTestData)('real models', () => {
  const paths = hasTestData ? globSync(testData('models/**/*.onnx')).sort() : [];

  test.each(paths.map((path) => [relative(testData('models'), path), path]))('%s', async (name, path) => {
    const { model, files } = await openFormat(path);
    expect(files[0]).toBe(path);
    const bytes = await encode(model);
    for (const external of ['never', 'always'] as const) {
      const place = join(folder, `${name.replaceAll('/', '-')}-${external}`);
      const written = await write(model, { folder: place, file: 'model.onnx', external });
      const again = await openFormat(join(place, written[0]!));
      expect(again.files).toEqual(written.map((file) => join(place, file)));
      expect(contents(again.model)).toEqual(contents(model));
      // Everything but the place of the weights is the same.
      expect(Buffer.compare(await encode(again.model), bytes)).toBe(0);
    }
  });

  /** Typed data becomes raw, and external data comes inside; nothing else may be lost, and nothing may be added. */
  const moved = /Tensor\.(4|5|6|7|9|10|11|13\/Entry\.[12]|14) /;

  test.each(paths.map((path) => [relative(testData('models'), path), path]))('%s keeps every leaf', async (_, path) => {
    const before = leavesOf(readFileSync(path)).filter((leaf) => !moved.test(leaf));
    const after = leavesOf(Buffer.from(await encode((await openFormat(path)).model))).filter(
      (leaf) => !moved.test(leaf),
    );
    expect(after).toEqual(before);
  });
});
