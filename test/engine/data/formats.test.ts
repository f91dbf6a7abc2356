// Every format gives the samples and labels that were put into it, plain or packed, whole or from the middle.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/engine/data/index';
import { sources } from '../../../src/engine/data/sources/index';
import { contentOf, everyBatch, folderWith, idx, input, npy } from './files';

const pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const raw = { '*': {} };
const flat = input(['N', 4]);

describe('formats', () => {
  it('are these', () => {
    expect(Object.keys(sources)).toEqual([
      'idx',
      'npy',
      'npz',
      'csv',
      'image-folder',
      'cifar10-binary',
      'jsonl',
      'token-ids',
    ]);
  });

  it.each(['plain', 'gzipped'])('idx, %s', async (kind) => {
    const pack = (bytes: Uint8Array) => (kind === 'plain' ? bytes : gzipSync(bytes));
    await using folder = await folderWith({
      'test-images-idx3-ubyte': pack(idx([3, 2, 2], pixels)),
      'test-labels-idx1-ubyte': pack(idx([3], [2, 0, 1])),
    });
    const dataset = await openDataset({ path: folder.path, preset: raw });
    expect(await contentOf(dataset, flat)).toEqual({ values: pixels, labels: [2, 0, 1], dims: [2, 4] });
    expect(dataset.summary).toMatchObject({ kind: 'idx', classes: 3, task: 'classification' });
    expect(dataset.files.map((file) => file.bytes)).toEqual([
      pack(idx([3, 2, 2], pixels)).length,
      pack(idx([3], [2, 0, 1])).length,
    ]);
  });

  it('begins in the middle and ends early', async () => {
    await using folder = await folderWith({ 'x.idx': idx([6, 2], pixels) });
    const dataset = await openDataset({ path: join(folder.path, 'x.idx'), preset: raw });
    const seen = [];
    for await (const one of dataset.batches('test', [input(['N', 2])], { batch: 2, from: 1, limit: 3 })) seen.push(one);
    expect(seen.map((one) => [one.index, one.samples, [...(one.feeds.x!.data as Float32Array)]])).toEqual([
      [1, 2, [3, 4, 5, 6]],
      [3, 1, [7, 8]],
    ]);
  });

  it('fills a short last batch where a model insists on one', async () => {
    await using folder = await folderWith({ 'x.idx': idx([3, 2], [1, 2, 3, 4, 5, 6]) });
    const dataset = await openDataset({ path: join(folder.path, 'x.idx'), preset: raw });
    const seen = [];
    for await (const one of dataset.batches('test', [input([2, 2])], { batch: 2, fill: true })) seen.push(one);
    expect(seen[1]).toMatchObject({ samples: 1, feeds: { x: { dims: [2, 2], data: Float32Array.of(5, 6, 5, 6) } } });
  });

  it('npy with labels beside it, and npz by key, stored and deflated', async () => {
    const x = npy([3, 4], pixels);
    const y = npy([3], [1, 0, 1]);
    for (const level of [0, 6] as const) {
      const arrays = zipSync({ 'x_test.npy': x, 'y_test.npy': y, 'x_train.npy': x, 'y_train.npy': y }, { level });
      await using folder = await folderWith({ 'x.npy': x, 'y.npy': y, 'all.npz': arrays });
      const apart = await openDataset({ path: join(folder.path, 'x.npy') });
      expect(await contentOf(apart, flat)).toEqual({ values: pixels, labels: [1, 0, 1], dims: [2, 4] });
      const together = await openDataset({ path: join(folder.path, 'all.npz') });
      expect(together.summary.splits.map((split) => split.name)).toEqual(['train', 'calibration', 'test']);
      expect(await contentOf(together, flat)).toEqual({ values: pixels, labels: [1, 0, 1], dims: [2, 4] });
    }
  });

  it('csv with a column of words, and jsonl by field', async () => {
    await using folder = await folderWith({
      'cats.csv': '\ufeffa,b,label\n1,2,dog\n3,4,cat\n5.5,-6e1,dog\n',
      'cats.jsonl': '{"v":[1,2],"label":"dog"}\n\n{"v":[3,4],"label":"cat"}\n',
      'dataset.json': {
        lathe: 1,
        task: 'classification',
        inputs: { '*': { format: 'jsonl:v' } },
        splits: { test: { inputs: 'cats.jsonl' } },
      },
    });
    const table = await openDataset({ path: join(folder.path, 'cats.csv') });
    expect(await contentOf(table, input(['N', 2]))).toEqual({
      values: [1, 2, 3, 4, 5.5, -60],
      labels: [1, 0, 1],
      dims: [2, 2],
    });
    expect(table.summary.classNames).toEqual(['cat', 'dog']);
    const lines = await openDataset({ path: folder.path });
    expect(await contentOf(lines, input(['N', 2]))).toEqual({ values: [1, 2, 3, 4], labels: [1, 0], dims: [2, 2] });
  });

  it('csv answers of a regression', async () => {
    await using folder = await folderWith({
      'houses.csv': 'rooms,size,price\n3,70,1.5\n4,90,2.25\n',
      'dataset.json': { lathe: 1, task: 'regression', splits: { test: { inputs: 'houses.csv', labels: 'price' } } },
    });
    const [batch] = await everyBatch(await openDataset({ path: folder.path }), input(['N', 2]));
    expect(batch!.targets).toEqual({ data: Float64Array.of(1.5, 2.25), width: 1 });
    expect(batch!.labels).toBeNull();
  });

  it('cifar10-binary: planes become channels, and a star names several files', async () => {
    const record = (label: number) =>
      Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : Math.floor((i - 1) / 1024) + 1));
    await using folder = await folderWith({
      'data_batch_1.bin': record(3),
      'data_batch_2.bin': Buffer.concat([record(5), record(7)]),
      'test_batch.bin': record(9),
    });
    const dataset = await openDataset({ path: folder.path, preset: { '*': { layout: 'NHWC' } } });
    const { values, labels, dims } = await contentOf(dataset, input(['N', 32, 32, 3]), 'train');
    expect([values.slice(0, 6), labels, dims]).toEqual([
      [1, 2, 3, 1, 2, 3],
      [3, 5, 7],
      [2, 32, 32, 3],
    ]);
  });

  it('image folders: classes in turn, gray where a model has one channel, sizes adapted aloud', async () => {
    const png = (r: number, g: number, b: number, width = 4) =>
      sharp({ create: { width, height: 4, channels: 3, background: { r, g, b } } })
        .png()
        .toBuffer();
    await using folder = await folderWith({
      'cat/1.png': await png(255, 0, 0),
      'cat/2.png': await png(0, 255, 0, 8),
      'dog/1.png': await png(0, 0, 255),
      'dog/notes.txt': 'not a picture',
    });
    const dataset = await openDataset({ path: folder.path, preset: raw });
    expect(dataset.summary.classNames).toEqual(['cat', 'dog']);
    expect(dataset.summary.notes).toContain('1 files in them are no pictures and are left out.');
    const port = input(['N', 3, 2, 2]);
    const colour = await contentOf(dataset, port);
    expect(colour.labels).toEqual([0, 1, 0]);
    expect(colour.values.slice(0, 12)).toEqual([255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(dataset.adaptations('test', [port])[0]).toContain('takes 2×2');
    // 0.299·255, 0.114·255, 0.587·255, rounded as Pillow does.
    const gray = await contentOf(dataset, input(['N', 1, 2, 2]));
    expect(gray.values.filter((_, i) => i % 4 === 0)).toEqual([76, 29, 150]);
  });

  it('image folders with labels.csv: its rows say which and in what order', async () => {
    const dot = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'white' } })
      .png()
      .toBuffer();
    await using folder = await folderWith({
      'b.png': dot,
      'a.png': dot,
      'c.png': dot,
      'labels.csv': 'file,class_index\nb.png,7\na.png,2\n',
    });
    const dataset = await openDataset({ path: folder.path });
    expect((await contentOf(dataset, input(['N', 3, 1, 1]))).labels).toEqual([7, 2]);
    expect(dataset.summary.notes).toContain('1 pictures have no row in labels.csv and are left out.');
  });

  it('several inputs, each from its own file', async () => {
    const spec = { lathe: 1, task: 'none', splits: { test: { inputs: { a: 'a.npy', b: 'b.npy' } } } };
    await using folder = await folderWith({
      'a.npy': npy([2, 2], [1, 2, 3, 4]),
      'b.npy': npy([2, 1], [5, 6]),
      'dataset.json': spec,
    });
    const dataset = await openDataset({ path: folder.path });
    const ports = [input(['N', 2], 'float32', 'a'), input(['N', 1], 'int64', 'b')];
    for await (const { feeds, labels } of dataset.batches('test', ports, { batch: 2 })) {
      expect(feeds.a!.data).toEqual(Float32Array.of(1, 2, 3, 4));
      expect(feeds.b!.data).toEqual(BigInt64Array.of(5n, 6n));
      expect(labels).toBeNull();
    }
  });
});
