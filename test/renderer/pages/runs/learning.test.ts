// The picture of a training: the same from points as they arrive and from the document; its geometry; its words.
import { describe, expect, it } from 'vitest';
import type { CurvePoint, TrainingRecord } from '../../../../src/contract/words/training';
import { expectedTail, learningOf, learningsOf, smoothed } from '../../../../src/renderer/pages/runs/learning';
import { geometryOf, lineOf, stepsOf } from '../../../../src/renderer/pages/runs/learning-geometry';
import { endingWords, learningFinding, learningSummary } from '../../../../src/renderer/pages/runs/learning-words';

const steps = Array.from({ length: 60 }, (_, i) => i + 1);
const falling = (step: number) => 0.2 + Math.exp(-step / 30);

/** Judged every ten steps, 60 of 100 taken. */
const points: CurvePoint[] = [
  { training: 0, series: 'validation', step: 0, value: falling(0), band: 0.02 },
  ...steps.flatMap((step): CurvePoint[] => [
    { training: 0, series: 'train', step, value: falling(step) + (step % 2 ? 0.1 : -0.1) },
    { training: 0, series: 'learningRate', step, value: 3e-4 },
    ...(step % 10 === 0
      ? [{ training: 0, series: 'validation' as const, step, value: falling(step), band: 0.02 }]
      : []),
  ]),
];

const record = (more: Partial<TrainingRecord> = {}): TrainingRecord => ({
  title: 'Fine-tune',
  curves: (['train', 'validation', 'learningRate'] as const).map((series) => ({
    series,
    points: points.filter((each) => each.series === series).map(({ step, value }) => [step, value]),
  })),
  steps: 60,
  plannedSteps: 100,
  epochs: 6,
  stoppedEarly: false,
  ending: 'stopped',
  bestStep: 60,
  bestLevel: falling(60),
  parentLevel: falling(0),
  ...more,
});

const live = () => learningsOf(points, 100)[0]!;

describe('what was told', () => {
  it('is parted by training and series; a point told twice counts once', () => {
    const second: CurvePoint = { training: 1, series: 'train', step: 1, value: 5 };
    const [one, two] = learningsOf([...points, ...points.slice(5, 20), second], 40);
    expect(one!.train.map(({ step }) => step)).toEqual(steps);
    expect(one!.planned).toBe(60);
    expect(two).toMatchObject({ planned: 40, parent: null, best: null });
  });

  it('is the same picture live and from the document', () => {
    const recorded = learningOf(record());
    expect(recorded.train).toEqual(live().train.map(({ step, value }) => ({ step, value, band: undefined })));
    expect(recorded.best).toMatchObject({ step: 60 });
    expect(live().best).toMatchObject({ step: 60 });
    expect(live().parent).toMatchObject({ step: 0, band: 0.02 });
  });

  it('smooths without a lag at the beginning', () => {
    expect(smoothed([{ step: 1, value: 3 }])).toEqual([{ step: 1, value: 3 }]);
    expect(smoothed(steps.map((step) => ({ step, value: 2 }))).every(({ value }) => Math.abs(value - 2) < 1e-12)).toBe(
      true,
    );
  });
});

describe('the expected tail', () => {
  it('follows what falls to the last planned step', () => {
    const tail = expectedTail(live())!;
    expect(tail.points[0]).toMatchObject({ step: 60 });
    expect(tail.points.at(-1)!.step).toBe(100);
    expect(tail.points.at(-1)!.value).toBeCloseTo(falling(100), 1);
  });

  it('says nothing where it rises, where little was judged, and after the end', () => {
    const rising = points.map((each) => ({ ...each, value: 2 - each.value }));
    expect(expectedTail(learningsOf(rising, 100)[0]!)).toBeNull();
    expect(expectedTail(learningsOf(points.slice(0, 40), 100)[0]!)).toBeNull();
    expect(expectedTail(learningOf(record()))).toBeNull();
  });
});

describe('the geometry', () => {
  it('puts three plots one above the other inside the frame', () => {
    for (const [width, height] of [
      [700, 230],
      [1400, 560],
    ] as const) {
      const { validation, train, rate, bottom, x, left, right } = geometryOf(live(), width, height);
      expect(validation!.top + validation!.height).toBeLessThan(train.top);
      expect(train.top + train.height).toBeLessThan(rate!.top);
      expect(rate!.top + rate!.height).toBeCloseTo(bottom, 6);
      expect([x(0), x(100)]).toEqual([left, right]);
      for (const plot of [validation!, train]) {
        expect(plot.ticks.length).toBeGreaterThanOrEqual(2);
        for (const tick of plot.ticks) expect(plot.y(tick)).toBeGreaterThanOrEqual(plot.top - 1e-9);
      }
    }
  });

  it('leaves the rate out where it is low, and what was planned but not taken after the end', () => {
    const { rate, train, bottom } = geometryOf(live(), 700, 180);
    expect(rate).toBeNull();
    expect(train.top + train.height).toBeCloseTo(bottom, 6);
    const ended = geometryOf(learningOf(record()), 700, 300);
    expect(ended.x(60)).toBe(ended.right);
  });

  it('gives the training loss all the room where nothing is judged', () => {
    const { validation, train } = geometryOf({ ...live(), validation: [], parent: null, best: null }, 700, 300);
    expect(validation).toBeNull();
    expect(train.height).toBeGreaterThan(130);
  });

  it('keeps a batch far out from pressing the curve flat, and skips what is no number', () => {
    const far = learningsOf([...points, { training: 0, series: 'train', step: 61, value: 900 }], 100)[0]!;
    const { train, x } = geometryOf(far, 700, 300);
    expect(train.domain[1]).toBeLessThan(100);
    expect(train.y(900)).toBe(train.top);
    expect(
      lineOf(
        [
          { step: 1, value: Number.NaN },
          { step: 2, value: 1 },
        ],
        x,
        train.y,
      ),
    ).toMatch(/^M[\d. ]+$/);
  });

  it('lets a loss that blows up leave the picture', () => {
    const blown = points.map((each) => (each.series === 'train' && each.step > 55 ? { ...each, value: 1e7 } : each));
    expect(geometryOf(learningsOf(blown, 100)[0]!, 700, 300).train.domain[1]).toBeLessThan(10);
  });

  it('holds before the first point', () => {
    const { x, train } = geometryOf(learningsOf([points[0]!], 0)[0]!, 400, 200);
    expect(x(0)).toBeGreaterThan(0);
    expect(train.domain).toEqual([0, 1]);
  });

  it('names every step that can be walked to', () => expect(stepsOf(live())).toEqual([0, ...steps]));
});

describe('the words', () => {
  it('tell what the judgements came to', () => {
    expect(learningFinding(live())).toBe('The validation loss fell from 1.20 to 0.335 by step 60.');
    const near = points.map((each) => ({ ...each, value: 1, band: 0.1 }));
    expect(learningFinding(learningsOf(near, 100)[0]!)).toMatch(/not told apart from the parent’s 1\.00\.$/);
    expect(learningSummary(learningOf(record()))).toBe('Validation and training loss over 60 steps.');
    expect(learningSummary(live())).toMatch(/^Step 60 of 100\. The validation loss fell .* Learning rate 3e−4\.$/);
  });

  it('tell how it ended and what was kept', () => {
    expect(endingWords(record({ ending: 'done', steps: 100 }))).toBe(
      'All 100 steps were taken. The weights of step 60 were kept: validation loss 0.335, 1.20 before.',
    );
    expect(endingWords(record({ ending: 'early' }))).toMatch(/^It ended early, after 60 of 100 steps/);
    expect(endingWords(record())).toMatch(/^It was stopped by hand after 60 of 100 steps\./);
    expect(endingWords(record({ ending: 'diverged' }))).toMatch(/no longer a number/);
    expect(endingWords(record({ bestStep: 0 }))).toMatch(/weights it began with: those were kept/);
    expect(endingWords(record({ bestLevel: null, parentLevel: null }))).toMatch(/last weights were kept/);
    expect(endingWords(record({ resumedAt: 40 }))).toMatch(/went on at step 40\.$/);
  });
});
