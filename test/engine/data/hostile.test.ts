// Broken and hostile files get a sentence: nothing crashes, nothing is allocated that a header only claims, nothing is read outside.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/engine/data/index';
import { everyBatch, folderWith, idx, input, npy, refusalOf } from './files';

/** A .npy whose header says what is told. */
function npyHeader(text: string, body = 0): Uint8Array {
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0]);
  start.writeUInt16LE(text.length, 8);
  return Buffer.concat([start, Buffer.from(text), Buffer.alloc(body)]);
}

const huge = idx([0xffffffff, 0xffff, 0xffff], []);
const cases: [string, string, Uint8Array | string, string][] = [
  ['an IDX that claims petabytes', 'x.idx', huge, 'is the limit'],
  ['a packed IDX that claims petabytes', 'x.idx.gz', gzipSync(huge), 'is the limit'],
  ['an IDX that claims more than it has', 'x.idx', idx([100, 10, 10], [1, 2, 3]), 'too few for that'],
  ['an IDX without samples', 'x.idx', idx([0, 2], []), 'has no samples'],
  ['an IDX of nothing', 'x.idx', '', 'is not an IDX file'],
  ['an IDX of another type', 'x.idx', Uint8Array.of(0, 0, 3, 1, 0, 0, 0, 1), 'is not an IDX file'],
  ['a gzip of garbage', 'x.idx.gz', Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(40, 7)]), 'is damaged'],
  [
    'a Python object',
    'x.npy',
    npyHeader("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }"),
    'holds NumPy type O',
  ],
  [
    'a column-major array',
    'x.npy',
    npyHeader("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4), }", 48),
    'column by column',
  ],
  [
    'an array that claims terabytes',
    'x.npy',
    npyHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }"),
    'too few for that',
  ],
  [
    'an array shorter than it says',
    'x.npy',
    npyHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (30, 4), }", 4),
    'too few',
  ],
  [
    'a header longer than any',
    'x.npy',
    Buffer.concat([Buffer.from([0x93]), Buffer.from('NUMPY'), Buffer.from([2, 0, 0, 0, 0, 0x7f])]),
    'is the limit',
  ],
  ['a CSV of nonsense', 'x.csv', 'a,b\n1\n2,3,4\n', 'is not a table'],
  ['a CSV with an open quote', 'x.csv', 'a,b\n"1,2\n', 'is not a table'],
  ['an empty CSV', 'x.csv', '', 'has no rows'],
  ['lines that are not JSON', 'x.jsonl', '{"input":[1]}\n{oops\n', 'line 2 is not JSON'],
  ['ragged lines', 'x.jsonl', '{"input":[[1,2],[3]]}\n', 'is ragged'],
  ['lists in lists in lists', 'x.jsonl', `{"input":${'['.repeat(5000)}1${']'.repeat(5000)}}\n`, 'deeper than 16'],
  ['records cut in the middle', 'x.bin', new Uint8Array(3000), 'not a whole number'],
  ['a record of class 200', 'x.bin', new Uint8Array(3073).fill(200), 'classes 0 to 9'],
  ['a zip that is none', 'x.npz', 'PK not really', 'is not a zip'],
  ['text', 'x.txt', 'Once upon a time', 'reads token ids only'],
  ['bytes of nothing known', 'x.dat', 'hello', 'no dataset that is known'],
];

describe('hostile files', () => {
  it.each(cases)('%s', async (_what, name, content, said) => {
    await using folder = await folderWith({ [name]: content });
    const before = process.memoryUsage().rss;
    expect((await refusalOf(openDataset({ path: join(folder.path, name) }))).sentence).toContain(said);
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });

  it('a zip that lies about a member', async () => {
    const bytes = zipSync({ 'x.npy': npy([4], [1, 2, 3, 4]) }, { level: 9 });
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 22 - 46 - 5 + 24, 0xf0000000, true);
    await using folder = await folderWith({ 'x.npz': bytes });
    expect((await refusalOf(openDataset({ path: join(folder.path, 'x.npz') }))).sentence).toContain(
      'which it cannot hold',
    );
  });

  it('an archive whose array does not fill its member', async () => {
    const lying = npyHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (900000, 4), }", 4);
    await using folder = await folderWith({ 'x.npz': zipSync({ 'x.npy': lying }) });
    expect((await refusalOf(openDataset({ path: join(folder.path, 'x.npz') }))).sentence).toContain('do not agree');
  });

  it('a picture that is none is refused by name', async () => {
    await using folder = await folderWith({
      'cat/1.png': 'not a picture',
      'dog/1.jpg': Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1),
    });
    const dataset = await openDataset({ path: folder.path });
    const { sentence, code } = await refusalOf(everyBatch(dataset, input(['N', 3, 2, 2])));
    expect([sentence.startsWith('cat/1.png cannot be decoded'), code]).toEqual([true, 'bad-dataset']);
    expect(sentence).not.toContain(folder.path);
  });

  it.each(['/etc/passwd', '../secret.png', 'a/../../b.png', 'C:\\x.png'])('labels.csv that names %s', async (path) => {
    await using folder = await folderWith({ 'a.png': 'x', 'labels.csv': `file,class_index\n${path},1\n` });
    expect((await refusalOf(openDataset({ path: folder.path }))).sentence).toContain('not inside its folder');
  });

  it.each([
    [{ lathe: 2, task: 'none', splits: { test: { inputs: 'x' } } }, 'lathe'],
    [{ lathe: 1, task: 'none', splits: {} }, 'splits'],
    [{ lathe: 1, task: 'guessing', splits: { test: { inputs: 'x' } } }, 'task'],
    [{ lathe: 1, task: 'none', splits: { test: { input: 'x' } } }, 'splits.test.inputs'],
    [{ lathe: 1, task: 'none', inputs: { '*': { std: 'one' } }, splits: { test: { inputs: 'x' } } }, 'inputs.*.std'],
    [{ lathe: 1, task: 'none', splits: { test: { inputs: 'x.idx', from: 2, to: 1 } } }, 'splits.test.from'],
    [{ lathe: 1, task: 'none', splits: { test: { inputs: 'x.idx', from: 0, to: 9 } } }, 'splits.test.from'],
    [
      { lathe: 1, task: 'classification', splits: { test: { inputs: 'x.idx', labels: 'three.idx' } } },
      'splits.test.labels',
    ],
    [
      { lathe: 1, task: 'none', inputs: { '*': { format: 'pickle' } }, splits: { test: { inputs: 'x.idx' } } },
      'inputs.*.format',
    ],
  ])('dataset.json %j is refused at %s', async (spec, place) => {
    await using folder = await folderWith({
      'dataset.json': spec,
      'x.idx': idx([2, 2], [1, 2, 3, 4]),
      'three.idx': idx([3], [0, 1, 2]),
    });
    expect(await refusalOf(openDataset({ path: folder.path }))).toMatchObject({ code: 'bad-dataset', place });
  });

  it('a file that changed after it was opened', async () => {
    await using folder = await folderWith({ 'x.idx': idx([2, 2], [1, 2, 3, 4]) });
    const dataset = await openDataset({ path: join(folder.path, 'x.idx') });
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(folder.path, 'x.idx'), idx([2, 2], [1, 2, 3, 4, 5]));
    expect(await refusalOf(everyBatch(dataset, input(['N', 2])))).toMatchObject({ code: 'changed' });
  });
});
