// Which samples are offered: those of which the model and the dataset are there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { samplesIn } from '../../../src/main/library/samples';
import { temporaryFolder } from '../workspace';

it('offers what is whole, in its order', async () => {
  const folder = await temporaryFolder();
  expect(samplesIn(join(folder, 'none'))).toEqual([]);
  for (const name of ['tales', 'shapes']) {
    writeFileSync(join(folder, `${name}.onnx`), '');
    mkdirSync(join(folder, name));
  }
  expect(samplesIn(folder)).toEqual([]);
  writeFileSync(join(folder, 'tales', 'dataset.json'), '{}');
  expect(samplesIn(folder).map(({ name }) => name)).toEqual(['tales']);
  writeFileSync(join(folder, 'shapes', 'dataset.json'), '{}');
  expect(samplesIn(folder).map(({ name }) => name)).toEqual(['shapes', 'tales']);
});

it('has the first of them in this tree', () => {
  const folder = resolve(import.meta.dirname, '../../../resources/sample');
  expect(samplesIn(folder)[0]).toMatchObject({ name: 'shapes', model: join(folder, 'shapes.onnx') });
});
