// Inputs as a dataset declares them: what follows from the preparation alone.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { declaredInputs } from '../../../src/engine/measure/declared';
import { declaredMoments } from '../../../src/engine/measure/moments-input';
import { hasTestData, testData } from '../../data';

const folder = mkdtempSync(join(tmpdir(), 'lathe-declared-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('bytes with mean and deviation: normalised, its bounds those of the darkest and the lightest pixel', () => {
  const moments = declaredMoments({ scale: 1 / 255, mean: [0.5, 0.4], std: [0.25, 0.2] }, true)!;
  expect(moments).toMatchObject({ mean: 0, variance: 1 });
  expect(moments.low).toBeCloseTo(-2, 9);
  expect(moments.high).toBeCloseTo(3, 9);
});

test('bytes without a deviation are evenly spread between their bounds', () => {
  const unit = declaredMoments({ scale: 1 / 255 }, true)!;
  expect([unit.low, unit.high, unit.mean]).toEqual([0, expect.closeTo(1, 9), expect.closeTo(0.5, 9)]);
  expect(unit.variance).toBeCloseTo(1 / 12, 9);
  const signed = declaredMoments({ scale: 1 / 128, mean: [1, 1, 1] }, true)!;
  expect([signed.low, signed.high]).toEqual([-1, expect.closeTo(0.992, 3)]);
  expect(declaredMoments({}, true)).toMatchObject({ low: 0, high: 255 });
});

test('numbers that are no bytes: normalised where a deviation is declared, else unknown', () => {
  expect(declaredMoments({ mean: [3], std: [2] }, false)).toEqual({ mean: 0, variance: 1, low: -6, high: 6 });
  expect(declaredMoments({ scale: 0.5 }, false)).toBeNull();
});

describe.skipIf(!hasTestData)('of a dataset', () => {
  test('each input by its own name, else by *', async () => {
    const path = join(folder, 'dataset.json');
    const splits = { test: { inputs: testData('data/cifar10/test-1k.bin') } };
    const inputs = { '*': { scale: 1 / 255 }, b: { scale: 1 / 255, mean: [0.5], std: [0.5] } };
    writeFileSync(path, JSON.stringify({ lathe: 1, task: 'classification', inputs, splits }));
    const port = (name: string) => ({ name, dtype: 'float32', shape: ['n', 3, 32, 32] });
    const found = await declaredInputs({ path }, [port('a'), port('b')]);
    expect(found.get('a')!.high).toBeCloseTo(1, 9);
    expect(found.get('b')).toMatchObject({ mean: 0, variance: 1, low: -1, high: expect.closeTo(1, 9) });
  });
});
