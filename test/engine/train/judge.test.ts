// The level of a validation: its mean, and how far off that may be.
import { describe, expect, it } from 'vitest';
import { levelOf } from '../../../src/engine/train/judge';

describe('the level of parts', () => {
  it('weighs parts by their answers', () => {
    expect(
      levelOf([
        { loss: 1, answers: 3 },
        { loss: 3, answers: 1 },
      ]),
    ).toEqual({ value: 1.5 });
  });

  it('tells its interval from four parts on: 1.96 standard errors of their mean', () => {
    const losses = [1, 2, 3, 4];
    const { value, band } = levelOf(losses.map((loss) => ({ loss, answers: 32 })));
    expect(value).toBe(2.5);
    const deviation = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - 2.5) ** 2, 0) / 3);
    expect(band).toBeCloseTo((1.96 * deviation) / Math.sqrt(4), 12);
  });

  it('says nothing of a loss that is no number', () => {
    expect(levelOf(Array.from({ length: 8 }, () => ({ loss: Number.NaN, answers: 1 }))).band).toBeUndefined();
  });
});
