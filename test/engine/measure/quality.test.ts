// Measures against values worked out elsewhere: Wilson's interval, top-5, bootstrap, divergence, percentiles.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgreementScore, cosineOf, divergenceOf } from '../../../src/engine/measure/agreement';
import { type Answers, classOf, toAnswers } from '../../../src/engine/measure/answers';
import { percentile } from '../../../src/engine/measure/latency';
import { AccuracyScore, bootstrap, RegressionScore, wilson } from '../../../src/engine/measure/quality';

function answers(rows: number[][]): Answers {
  return toAnswers(
    { dtype: 'float32', dims: [rows.length, rows[0]!.length], data: Float32Array.from(rows.flat()) },
    rows.length,
  )!;
}

describe("Wilson's interval", () => {
  it('is what the tables say', () => {
    // R: binom::binom.wilson(81, 263), and 10 of 10.
    expect(wilson(81, 263).map((x) => x.toFixed(4))).toEqual(['0.2553', '0.3662']);
    expect(wilson(10, 10).map((x) => x.toFixed(4))).toEqual(['0.7225', '1.0000']);
    expect(wilson(0, 0)).toEqual([0, 1]);
  });

  it('holds the share it was made of and stays within [0, 1]', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const correct = Math.round(share * n);
        const [low, high] = wilson(correct, n);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(correct / n + 1e-12);
        expect(high).toBeGreaterThanOrEqual(correct / n - 1e-12);
      }),
    );
  });
});

describe('accuracy', () => {
  it('counts the first of equals, and those among the first five', () => {
    const score = new AccuracyScore();
    score.add(
      answers([
        [1, 1, 0, 0, 0, 0],
        [0, 1, 2, 3, 4, 5],
      ]),
      Int32Array.of(0, 0),
    );
    const notes: string[] = [];
    expect(score.finish(notes)).toMatchObject({
      metric: 'accuracy',
      value: 0.5,
      n: 2,
      correct: 1,
      more: { top5: 0.5 },
    });
    expect(notes).toEqual([]);
  });

  it('counts what is not a number as wrong, aloud', () => {
    const score = new AccuracyScore();
    score.add(
      answers([
        [Number.NaN, 1],
        [0, 1],
      ]),
      Int32Array.of(1, 1),
    );
    const notes: string[] = [];
    expect(score.finish(notes).correct).toBe(1);
    expect(notes).toEqual(['1 answers were not numbers and count as wrong.']);
  });

  it('takes class indices as they are, and refuses classes the model does not know', () => {
    const given = toAnswers({ dtype: 'int64', dims: [2], data: BigInt64Array.of(3n, 1n) }, 2)!;
    expect([given.isIndex, classOf(given, 0), classOf(given, 1)]).toEqual([true, 3, 1]);
    expect(() => new AccuracyScore().add(answers([[0, 1]]), Int32Array.of(7))).toThrow(
      'A sample is of class 7, and the model knows 2 classes.',
    );
  });
});

describe('regression', () => {
  it('gives the root mean square and a seeded interval around it', () => {
    const make = () => {
      const score = new RegressionScore();
      for (let i = 0; i < 40; i++) score.add(answers([[i % 2, 0]]), { data: Float64Array.of(0, i % 3), width: 2 });
      return score.finish([]);
    };
    const quality = make();
    expect(quality.value).toBeCloseTo(Math.sqrt((20 + 13 + 4 * 13) / 80), 10);
    expect(quality.ci95[0]).toBeLessThan(quality.value);
    expect(quality.ci95[1]).toBeGreaterThan(quality.value);
    expect(quality.more).toMatchObject({ bootstrapSeed: 7 });
    expect(make()).toEqual(quality);
    expect(bootstrap([1, 1, 1])).toEqual([1, 1]);
  });

  it('refuses answers of another width', () => {
    expect(() => new RegressionScore().add(answers([[1, 2, 3]]), { data: Float64Array.of(1), width: 1 })).toThrow(
      '3 numbers a sample and the dataset has 1',
    );
  });
});

describe('agreement', () => {
  it('counts flips and lists them, with divergence in nats', () => {
    const score = new AgreementScore();
    const parent = answers([
      [0, Math.log(3)],
      [2, 0],
    ]);
    const child = answers([
      [Math.log(3), 0],
      [2, 0],
    ]);
    score.add(parent, 0, child, 0, 5, 1);
    score.add(parent, 1, child, 1, 6, null);
    const { top1, klDivergence, flips, n } = score.finish();
    expect([top1, flips, n]).toEqual([0.5, 1, 2]);
    // ¼·ln(¼/¾) + ¾·ln(¾/¼) over two samples, one of which agrees.
    expect(klDivergence).toBeCloseTo((0.5 * Math.log(3)) / 2, 6);
    expect(score.changed).toEqual([{ index: 5, label: 1, before: 1, after: 0 }]);
    expect(score.quality()).toMatchObject({ metric: 'agreement', value: 0.5, correct: 1 });
  });

  it('takes probabilities as they are and never ends up infinite', () => {
    expect(divergenceOf(Float32Array.of(0.5, 0.5), Float32Array.of(0.5, 0.5))).toBe(0);
    expect(divergenceOf(Float32Array.of(1, 0), Float32Array.of(0, 1))).toBeCloseTo(Math.log(1e12), 0);
    expect(cosineOf(Float32Array.of(0, 0), Float32Array.of(0, 0))).toBe(1);
    expect(cosineOf(Float32Array.of(1, 0), Float32Array.of(0, 1))).toBe(0);
  });

  it('of pictures is their cosine', () => {
    const picture = (data: number[]) =>
      toAnswers({ dtype: 'float32', dims: [1, 1, 2, 2], data: Float32Array.from(data) }, 1)!;
    const score = new AgreementScore();
    score.add(picture([1, 0, 0, 0]), 0, picture([1, 0, 0, 0]), 0, 0, null);
    expect(score.finish()).toEqual({ cosine: 1, flips: 0, n: 1 });
    expect(score.quality()).toMatchObject({ metric: 'agreement', value: 1 });
  });
});

it('a batch that was not taken as one has no answers', () => {
  const output = { dtype: 'float32', dims: [1, 6], data: new Float32Array(6) } as const;
  expect(toAnswers(output, 2)).toBeNull();
  expect(toAnswers({ ...output, dims: [2, 3] }, 2)).toMatchObject({ rows: 2, width: 3 });
});

it('percentiles lie between ranks', () => {
  expect([percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.95), percentile([7], 0.95)]).toEqual([
    2.5, 3.8499999999999996, 7,
  ]);
});
