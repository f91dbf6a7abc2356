// Compare: the front, the favourite and the words, from intervals and from the samples themselves.
import { describe, expect, it } from 'vitest';
import { mainBits, type Point, paretoFront } from '../../../../src/renderer/pages/compare/front';
import { type Answers, parentAnswers } from '../../../../src/renderer/pages/compare/paired';
import {
  chance,
  difference,
  favourite,
  finding,
  latencyDifference,
  verdict,
} from '../../../../src/renderer/pages/compare/verdict';

const point = (id: string, bytes: number, value: number, more: Partial<Point> = {}): Point => ({
  id,
  number: Number(id),
  title: id,
  bytes,
  value,
  low: value - 0.005,
  high: value + 0.005,
  n: 10_000,
  latencyMs: null,
  latencyInterval: null,
  bits: 4,
  parent: false,
  reference: false,
  answers: null,
  ...more,
});
const parent = point('1', 400, 0.95, { parent: true, latencyMs: 10, latencyInterval: [9.9, 10.1] });
const four = point('2', 100, 0.948, { latencyMs: 4, latencyInterval: [3.9, 4.1] });
const two = point('3', 50, 0.8);
const poor = point('4', 120, 0.9);

/** A run that gets so many samples right that its parent had wrong, and so many wrong that it had right. */
const run = (wins: number, losses: number, labelled = true): Answers => ({
  n: 10_000,
  labelled,
  changed: new Map(
    Array.from({ length: wins + losses }, (_, index) => {
      const won = index < wins;
      return [index, { index, label: labelled ? 0 : null, before: won ? 1 : 0, after: won ? 0 : 1 }];
    }),
  ),
});

describe('the front', () => {
  it('keeps only what nothing beats in size and quality', () => {
    const front = paretoFront([parent, four, two, poor], 'accuracy', (each) => each.bytes);
    expect(front.map((each) => each.id)).toEqual(['3', '2', '1']);
    expect(favourite(front, parent, 'accuracy')?.id).toBe('2');
  });

  it('turns over where lower is better', () => {
    const points = [point('1', 10, 6), point('2', 20, 5), point('3', 30, 7)];
    expect(paretoFront(points, 'perplexity', (each) => each.bytes).map((each) => each.id)).toEqual(['1', '2']);
  });

  it('leaves out a parent that is only the reference', () => {
    const reference = point('1', 400, 1, { parent: true, reference: true });
    expect(paretoFront([reference, four], 'agreement', (each) => each.bytes).map((each) => each.id)).toEqual(['2']);
  });

  it('names a run after the precision that holds its bytes', () => {
    const layers = [
      { bits: 4, bytesBefore: 90 },
      { bits: 8, bytesBefore: 10 },
    ];
    expect(mainBits(layers)).toBe(4);
    expect(mainBits([{ bits: 2, bytesBefore: 5 }, { bytesBefore: 95 }])).toBe(32);
  });
});

describe('the finding', () => {
  it('says what cannot be told apart, and by how much what can', () => {
    expect(finding(four, parent, 'accuracy')).toBe(
      'Run 2 cannot be told from its parent, with a quarter of the bytes and 2.5 times the speed here.',
    );
    expect(finding(two, parent, 'accuracy')).toBe(
      'Run 3 is worse than its parent by 15.00 points, with an eighth of the bytes.',
    );
    expect(difference(four, parent, 'accuracy').tone).toBe('same');
    expect(difference(two, parent, 'accuracy')).toEqual({ text: '−15.00', tone: 'bad' });
  });

  it('tells more apart by the same samples than by two intervals', () => {
    const measured = { ...parent, answers: parentAnswers(10_000, true) };
    const slightly = { ...four, value: 0.947, answers: run(10, 40) };
    expect(finding(slightly, measured, 'accuracy')).toMatch(/^Run 2 is worse than its parent by 0\.30 points/);
    expect(difference(slightly, measured, 'accuracy').tone).toBe('bad');
    expect(difference({ ...slightly, answers: run(20, 30) }, measured, 'accuracy').tone).toBe('same');
  });

  it('speaks of agreement where there are no labels', () => {
    const reference = point('1', 400, 1, { parent: true, reference: true, answers: parentAnswers(10_000, false) });
    expect(finding(point('2', 100, 0.9989), reference, 'agreement')).toBe(
      'Run 2 agrees with its parent on 99.89\u202f% of 10,000 samples, with a quarter of the bytes.',
    );
    expect(finding(null, reference, 'agreement')).toMatch(/how often they answer as it does/);
  });

  it('colours a latency only where the medians leave each other, and signs no zero', () => {
    expect(latencyDifference(four, parent)).toEqual({ text: '−6.00\u202fms', tone: 'good' });
    const same = { ...parent, parent: false, latencyMs: 10.001, latencyInterval: [9.9, 10.1] as const };
    expect(latencyDifference(same, parent)).toEqual({ text: '0.00\u202fms', tone: 'same' });
  });
});

describe('the verdict', () => {
  const a = point('7', 100, 0.94, { answers: parentAnswers(10_000, true) });
  it('is real where chance would rarely do it', () => {
    const { head, body } = verdict(a, point('8', 90, 0.9432, { answers: run(73, 41) }), 'accuracy');
    expect(head).toBe('B is better by 0.32 points, and the difference is real.');
    expect(body).toBe(
      'Of 10,000 samples, 114 change sides: B wins 73 and A wins 41. Chance alone would do this 4 times in 1,000.',
    );
  });
  it('asks for more samples where it cannot tell', () => {
    const { head, body } = verdict(a, point('8', 90, 0.9404, { answers: run(12, 8) }), 'accuracy');
    expect(head).toBe('These two cannot be told apart with 10,000 samples.');
    expect(body).toMatch(/^20 change sides: B wins 12 and A wins 8\. About [\d,]+ would be needed\.$/);
  });
  it('counts answers where no label says which is right', () => {
    const reference = { ...a, parent: true, reference: true, answers: parentAnswers(10_000, false) };
    expect(verdict(reference, point('8', 90, 0.9989, { answers: run(0, 11, false) }), 'agreement').head).toBe(
      'B answers as its parent does on 99.89\u202f% of 10,000 samples.',
    );
  });
  it('falls back to intervals', () => {
    expect(verdict(four, two, 'accuracy').head).toBe('B is worse by 14.80 points.');
    expect(verdict(four, parent, 'accuracy').head).toMatch(/cannot be told apart/);
  });
  it('puts chance in words', () => {
    expect([0.0002, 0.001, 0.003, 0.03].map(chance)).toEqual([
      'Chance alone would do this less than once in 1,000 times.',
      'Chance alone would do this once in 1,000.',
      'Chance alone would do this 3 times in 1,000.',
      'Chance alone would do this 3 times in 100.',
    ]);
  });
});
