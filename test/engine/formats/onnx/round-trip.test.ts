// Reading what was written gives the same model, and writing what was read keeps every field: random models.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { openFormat } from '../../../../src/engine/formats';
import { decode, encode, write } from '../../../../src/engine/formats/onnx';
import { verify } from '../../../../src/engine/graph/verify';
import { anyModel } from './arbitrary-model';
import { contents } from './contents';

const folder = mkdtempSync(join(tmpdir(), 'lathe-round-trip-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('random models: decode ∘ encode is the identity, and the bytes are the same twice', async () => {
  await fc.assert(
    fc.asyncProperty(anyModel, async (model) => {
      expect(verify(model)).toEqual([]);
      const bytes = await encode(model);
      const read = decode(bytes);
      expect(read).toEqual(model);
      expect(Buffer.compare(await encode(read), bytes)).toBe(0);
    }),
    { numRuns: 60 },
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
    { numRuns: 20 },
  );
});
