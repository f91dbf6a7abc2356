// The course of memory this window keeps: bounded, and never without its peak.
import { expect, it } from 'vitest';
import { addSample, courseOf } from '../../../../src/renderer/pages/runs/memory-course';

it('counts seconds from the first look', () => {
  addSample('one', 10, 1000);
  addSample('one', 20, 3500);
  expect(courseOf('one')).toEqual([
    { seconds: 0, bytes: 10 },
    { seconds: 2.5, bytes: 20 },
  ]);
  expect(courseOf('never seen')).toEqual([]);
});

it('thins a long course and keeps its peak', () => {
  for (let at = 0; at < 5000; at++) addSample('long', at === 1234 ? 999 : at % 7, at * 100);
  const course = courseOf('long');
  expect(course.length).toBeLessThanOrEqual(401);
  expect(Math.max(...course.map((sample) => sample.bytes))).toBe(999);
  expect(course.at(-1)?.seconds).toBeCloseTo(499.9, 0);
});
