// Splits that are not named are found by rule and said aloud; what tunes never reports.
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/engine/data/index';
import { contentOf, folderWith, idx, input } from './files';

const twenty = idx(
  [20, 1],
  Array.from({ length: 20 }, (_, i) => i),
);
const open = async (splits: object, preset = { '*': {} }) => {
  const folder = await folderWith({
    'train.idx': twenty,
    'test.idx': twenty,
    'dataset.json': { lathe: 1, task: 'none', splits },
  });
  return { dataset: await openDataset({ path: folder.path, preset }), folder };
};
const values = async (dataset: Awaited<ReturnType<typeof openDataset>>, split: 'train' | 'test') =>
  (await contentOf(dataset, input(['N', 1]), split)).values;

describe('splits', () => {
  it('validation is the last tenth of train, which loses it', async () => {
    const { dataset, folder } = await open({ train: { inputs: 'train.idx' }, test: { inputs: 'test.idx' } });
    await using _ = folder;
    expect(dataset.summary.splits.map(({ name, samples }) => [name, samples])).toEqual([
      ['train', 18],
      ['validation', 2],
      ['calibration', 18],
      ['test', 20],
    ]);
    expect((await values(dataset, 'train')).at(-1)).toBe(17);
    expect(dataset.summary.notes).toEqual([
      'Validation is the last tenth of train, 2 samples; train is the rest.',
      'Calibration takes the first samples of train.',
    ]);
    expect(dataset.notes('test')).toEqual([]);
  });

  it('without train it is the first half of test', async () => {
    const { dataset, folder } = await open({ test: { inputs: 'test.idx' } });
    await using _ = folder;
    expect(dataset.samples('validation')).toBe(10);
    expect(dataset.samples('test')).toBe(20);
    expect(dataset.summary.notes[0]).toBe(
      'Validation is the first half of test. What is tuned on it reports on the other 10 samples.',
    );
    expect(dataset.summary.notes[1]).toBe('Calibration takes the first samples of test.');
  });

  it('from and to cut a part out of a file', async () => {
    const { dataset, folder } = await open({
      test: { inputs: 'test.idx', from: 5, to: 8 },
      validation: { inputs: 'test.idx', to: 5 },
    });
    await using _ = folder;
    expect(await values(dataset, 'test')).toEqual([5, 6, 7]);
    expect(dataset.samples('validation')).toBe(5);
    // A file that two splits share is listed once.
    expect(dataset.files).toHaveLength(2);
  });

  it('a preset replaces the preparation, and keeps the format', async () => {
    const spec = {
      lathe: 1,
      task: 'none',
      inputs: { '*': { format: 'idx', scale: 2 } },
      splits: { test: { inputs: 'odd' } },
    };
    await using folder = await folderWith({ odd: idx([2, 1], [1, 2]), 'dataset.json': spec });
    expect(await values(await openDataset({ path: folder.path }), 'test')).toEqual([2, 4]);
    const dataset = await openDataset({ path: folder.path, preset: { '*': { scale: 3 } } });
    expect(await values(dataset, 'test')).toEqual([3, 6]);
    expect(dataset.summary.spec.inputs).toEqual({ '*': { scale: 3, format: 'idx' } });
  });

  it('bytes without a word about them are divided by 255, aloud', async () => {
    await using folder = await folderWith({ 'test-images.idx': idx([1, 1, 2], [0, 255]) });
    const dataset = await openDataset({ path: folder.path });
    expect((await contentOf(dataset, input(['N', 1, 1, 2]))).values).toEqual([0, 1]);
    expect(dataset.summary.notes.at(1)).toContain('Pixels are divided by 255.');
  });
});
