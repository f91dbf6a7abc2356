// Samples: the same bytes from memory and from a file, shuffled by seed alone; pictures moved and mirrored; parts that never report what they tuned.
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { augment, noAugmentation } from '../../../src/engine/train/augment';
import { drawMask } from '../../../src/engine/train/dropout';
import { randomFor, shuffled } from '../../../src/engine/train/random';
import { SampleStore } from '../../../src/engine/train/samples';
import { partsOf } from '../../../src/engine/train/training-data';
import { tooFewToTrust } from '../../../src/engine/train/trust';
import { blobs } from './blobs';

const ports = [{ name: 'x', dtype: 'float32', shape: ['n', 8] }];

describe('a store', () => {
  it('gives the same samples from memory and from a file, which is gone afterwards', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lathe-samples-'));
    const data = blobs({ train: 100 });
    const part = { split: 'train', from: 10, samples: 70 } as const;
    const stores = [
      await SampleStore.read(data, part, ports, { folder }),
      await SampleStore.read(data, part, ports, { folder, most: 100 }),
    ];
    expect(await readdir(folder)).toHaveLength(1);
    const drawn = [];
    for (const store of stores) {
      const { feeds, labels } = await store.reader(3)([69, 0, 31]);
      drawn.push([feeds.x!.dims, [...(feeds.x!.data as Float32Array)], [...labels!]]);
      await store.close();
    }
    expect(drawn[0]).toEqual(drawn[1]);
    expect(await readdir(folder)).toEqual([]);
    for await (const { feeds } of data.batches('train', ports, { batch: 1, from: 10, limit: 1 }))
      expect((drawn[0]![1] as number[]).slice(8, 16)).toEqual([...(feeds.x!.data as Float32Array)]);
  });

  it('shuffles every sample once, by seed, purpose and index', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat(50), (count, seed, index) => {
        const order = shuffled(count, randomFor(seed, 'order', index));
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(shuffled(count, randomFor(seed, 'order', index))).toEqual(order);
      }),
    );
    const first = (seed: number, index: number) => randomFor(seed, 'order', index)();
    expect(new Set([first(1, 0), first(1, 1), first(2, 0), randomFor(1, 'augment', 0)()]).size).toBe(4);
  });
});

describe('parts', () => {
  it('tune on validation where the test reports', () => {
    const { train, tune } = partsOf(blobs({ train: 90, validation: 10, test: 20 }));
    expect([train, tune]).toEqual([
      { split: 'train', from: 0, samples: 90 },
      { split: 'validation', from: 0, samples: 10 },
    ]);
  });
  it('leave validation alone where it is what reports', () => {
    const { train, tune, notes } = partsOf(blobs({ train: 90, validation: 10 }));
    expect([train, tune]).toEqual([
      { split: 'train', from: 0, samples: 81 },
      { split: 'train', from: 81, samples: 9 },
    ]);
    expect(notes.join()).toMatch(/measured on validation; so the last tenth of train/);
  });
  it('refuse a dataset without a train split', () => {
    expect(() => partsOf(blobs({ test: 20 }))).toThrow('blobs has no train split to learn from.');
  });
  it('say when they are too small to trust', () => {
    const said = (validation: number) => tooFewToTrust(partsOf(blobs({ train: 90, validation, test: 20 })));
    expect(said(1600)).toEqual([]);
    expect(said(500)).toEqual([expect.stringMatching(/500 validation samples: accuracy is known to ±4.4 points/)]);
  });
});

describe('augmentation', () => {
  const picture = Float32Array.from({ length: 12 }, (_, i) => i);
  const altered = (how: Partial<typeof noAugmentation>, numbers: number[], dims = [1, 1, 3, 4]) => {
    const data = picture.slice();
    let at = 0;
    augment(
      { x: { dtype: 'float32', dims, data } },
      { ...noAugmentation, ...how },
      () => numbers[at++ % numbers.length]!,
    );
    return [...data];
  };
  it('mirrors', () => {
    expect(altered({ flip: true }, [0])).toEqual([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]);
    expect(altered({ flip: true }, [0.9])).toEqual([...picture]);
  });
  it('moves by whole pixels and draws the edge out', () => {
    expect(altered({ shift: 1 }, [0.9])).toEqual([0, 0, 1, 2, 0, 0, 1, 2, 4, 4, 5, 6]);
    expect(altered({ shift: 1 }, [0.9], [1, 3, 4, 1])).toEqual(altered({ shift: 1 }, [0.9]));
  });
  it('cuts a part and draws it out', () => {
    const cut = altered(
      { crop: 0.5 },
      [1, 0, 0, 1, 0, 0].map((one) => one * 0.999999),
    );
    expect(cut[0]).toBe(0);
    expect(Math.max(...cut)).toBeLessThan(8);
  });
});

it('a mask keeps the mean', () => {
  const mask = new Float32Array(100_000);
  drawMask(mask, 0.3, randomFor(5, 'dropout', 1));
  expect(mask.reduce((sum, one) => sum + one, 0) / mask.length).toBeCloseTo(1, 2);
  expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
});
