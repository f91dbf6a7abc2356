// Reading what was written gives the same model, and writing what was read keeps every field: all the real models.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFormat } from '../../../../src/engine/formats';
import { encode, write } from '../../../../src/engine/formats/onnx';
import { hasTestData, testData } from '../../../data';
import { contents } from './contents';
import { leavesOf } from './leaves';

const folder = mkdtempSync(join(tmpdir(), 'lathe-round-trip-'));
afterAll(() => rmSync(folder, { recursive: true }));

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
