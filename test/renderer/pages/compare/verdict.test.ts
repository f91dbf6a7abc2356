// Compare: the front, the favourite and the finding, from intervals.
import { describe, expect, it } from 'vitest';
import { mainBits, type Point, paretoFront } from '../../../../src/renderer/pages/compare/front';
import { difference, favourite, finding } from '../../../../src/renderer/pages/compare/verdict';

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
  ...more,
});
const parent = point('1', 400, 0.95, { parent: true, latencyMs: 10, latencyInterval: [9.9, 10.1] });
const four = point('2', 100, 0.948, { latencyMs: 4, latencyInterval: [3.9, 4.1] });
const two = point('3', 50, 0.8);
const poor = point('4', 120, 0.9);

describe('compare', () => {
  it('keeps on the front only what nothing beats in size and quality', () => {
    const front = paretoFront([parent, four, two, poor], 'accuracy', (each) => each.bytes);
    expect(front.map((each) => each.id)).toEqual(['3', '2', '1']);
    expect(favourite(front, parent, 'accuracy')?.id).toBe('2');
  });

  it('turns the front over where lower is better', () => {
    const front = paretoFront(
      [point('1', 10, 6), point('2', 20, 5), point('3', 30, 7)],
      'perplexity',
      (each) => each.bytes,
    );
    expect(front.map((each) => each.id)).toEqual(['1', '2']);
  });

  it('says what cannot be told apart, and by how much what can', () => {
    expect(finding(four, parent, 'accuracy')).toBe(
      'Run 2 cannot be told from its parent, with a quarter of the bytes and 2.5 times the speed here.',
    );
    expect(finding(two, parent, 'accuracy')).toMatch(
      /^Run 3 is worse than its parent by 15\.00 points, with an eighth of the bytes\.$/,
    );
    expect(difference(four, parent, 'accuracy').tone).toBe('same');
    expect(difference(two, parent, 'accuracy')).toEqual({ text: '−15.00', tone: 'bad' });
  });

  it('names a run after the precision that holds its bytes', () => {
    expect(
      mainBits([
        { bits: 4, bytesBefore: 90 },
        { bits: 8, bytesBefore: 10 },
      ]),
    ).toBe(4);
    expect(mainBits([{ bits: 2, bytesBefore: 5 }, { bytesBefore: 95 }])).toBe(32);
  });
});
