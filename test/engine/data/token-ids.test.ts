// Token ids as a dataset: windows that score every token once, BOS told or found, feeds, and what is refused.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/engine/data';
import { cutWindows } from '../../../src/engine/data/windows';
import { folderWith, refusalOf } from './files';

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const ports = [{ name: 'input_ids', dtype: 'int64', shape: ['batch', 'seq'] }];

describe('windows', () => {
  it('score every token once, but a first one that nothing predicts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(60), { maxLength: 6 }),
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        (lengths, contextLength, stride, bos) => {
          const windows = cutWindows(lengths, { contextLength, stride, bos });
          lengths.forEach((length, document) => {
            const own = windows.filter((window) => window.document === document);
            const scored = own.flatMap(({ scoredFrom, to }) =>
              Array.from({ length: to - scoredFrom }, (_, i) => scoredFrom + i),
            );
            const first = bos ? 0 : 1;
            expect(scored).toEqual(Array.from({ length: Math.max(0, length - first) }, (_, i) => i + first));
            for (const { from, to, scoredFrom } of own) {
              expect(to - from + (bos ? 1 : 0)).toBeLessThanOrEqual(contextLength);
              expect(scoredFrom).toBeGreaterThanOrEqual(bos ? from : from + 1);
            }
          });
        },
      ),
    );
  });
});

describe('a file of token ids', () => {
  it('is guessed by its beginning, and fed as it is', async () => {
    await using folder = await folderWith({
      'ids.json': text([
        [1, 5, 6],
        [1, 7, 8],
        [1, 9],
      ]),
    });
    const dataset = await openDataset({ path: join(folder.path, 'ids.json') });
    expect(dataset.summary).toMatchObject({ task: 'language-modelling', kind: 'token-ids' });
    expect(dataset.samples('test')).toBe(3);
    const batches = [];
    for await (const batch of dataset.batches('test', ports, { batch: 8 })) batches.push(batch);
    expect(batches.map(({ index, samples }) => [index, samples])).toEqual([
      [0, 2],
      [2, 1],
    ]);
    expect(batches[0]!.feeds.input_ids).toMatchObject({ dtype: 'int64', dims: [2, 3] });
    expect(batches[0]!.tokens).toEqual({ ids: Int32Array.of(1, 5, 6, 1, 7, 8), length: 3, scoredFrom: [1, 1] });
  });

  it('gets a BOS before each window: told, found beside it, or shared by all', async () => {
    const spec = (more: object) =>
      text({
        lathe: 1,
        task: 'language-modelling',
        splits: { test: { inputs: 'ids.json' } },
        text: { contextLength: 3, bos: true, ...more },
      });
    const ids = text([5, 6, 7]);
    await using folder = await folderWith({ 'ids.json': ids, 'dataset.json': spec({ bosId: 2 }) });
    const read = async () => {
      const dataset = await openDataset({ path: folder.path });
      const seen = [];
      for await (const { tokens } of dataset.batches('test', ports, { batch: 1 })) seen.push([...tokens!.ids]);
      return seen;
    };
    expect(await read()).toEqual([
      [2, 5, 6],
      [2, 7],
    ]);
    writeFileSync(join(folder.path, 'dataset.json'), spec({}));
    expect((await refusalOf(openDataset({ path: folder.path }))).sentence).toBe(
      'Which token is BOS cannot be told from ids.json.',
    );
    writeFileSync(join(folder.path, 'config.json'), '{"bos_token_id": 4}');
    expect(await read()).toEqual([
      [4, 5, 6],
      [4, 7],
    ]);
  });

  it('fills what else a model asks about tokens, and refuses what it cannot', async () => {
    await using folder = await folderWith({ 'ids.json': text([3, 4]) });
    const dataset = await openDataset({ path: join(folder.path, 'ids.json') });
    const more = [
      ...ports,
      { name: 'attention_mask', dtype: 'int64', shape: ['b', 's'] },
      { name: 'position_ids', dtype: 'int64', shape: ['b', 's'] },
      { name: 'past_key_values.0.key', dtype: 'float32', shape: ['b', 4, 'past', 8] },
    ];
    for await (const { feeds } of dataset.batches('test', more, { batch: 1 })) {
      expect(feeds.attention_mask!.data).toEqual(BigInt64Array.of(1n, 1n));
      expect(feeds.position_ids!.data).toEqual(BigInt64Array.of(0n, 1n));
      expect(feeds['past_key_values.0.key']!.dims).toEqual([1, 4, 0, 8]);
    }
    const picture = [{ name: 'x', dtype: 'float32', shape: ['b', 3, 8, 8] }];
    const first = dataset.batches('test', picture, { batch: 1 })[Symbol.asyncIterator]().next();
    expect((await refusalOf(first)).sentence).toBe('None of the inputs "x" takes token ids.');
  });

  it.each([
    ['[]', 'ids.json is no list of token ids.'],
    ['[[1, 2], 3]', 'ids.json: sequence 1 is no list of token ids.'],
    ['[1, -2]', 'ids.json: it holds -2, which is no token id.'],
    ['[[1, 2.5], [1]]', 'ids.json: sequence 0 holds 2.5, which is no token id.'],
    ['[7]', 'ids.json holds no token that another one predicts.'],
  ])('refuses %s', async (content, sentence) => {
    await using folder = await folderWith({ 'ids.json': new TextEncoder().encode(content) });
    expect((await refusalOf(openDataset({ path: join(folder.path, 'ids.json') }))).sentence).toBe(sentence);
  });
});
