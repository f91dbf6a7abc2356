// Names of points: none lies on another where there is room, and the important ones are always there.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Named, placeLabels } from '../../../../src/renderer/pages/compare/labels';

const frame = { x: 60, y: 16, width: 700, height: 340 };
const named = (id: string, x: number, y: number, weight = 2, width = 80): Named => ({
  id,
  x,
  y,
  top: y - 30,
  bottom: y + 30,
  width,
  weight,
});
const overlaps = (points: readonly Named[]) => {
  const placed = placeLabels(points, frame);
  const width = (id: string) => points.find((point) => point.id === id)!.width;
  return placed.flatMap((one, at) =>
    placed
      .slice(at + 1)
      .filter(
        (other) =>
          Math.abs(one.y - other.y) < 13 && one.x < other.x + width(other.id) && other.x < one.x + width(one.id),
      ),
  );
};

it('stands at the right of a lone point, and at the left where the frame ends', () => {
  expect(placeLabels([named('a', 300, 100)], frame)[0]!.x).toBeGreaterThan(300);
  expect(placeLabels([named('a', 750, 100)], frame)[0]!.x).toBeLessThan(680);
});

it('parts the names of points that stand together', () => {
  const points = [named('a', 300, 100), named('b', 304, 102), named('c', 330, 98), named('d', 305, 104, 3)];
  expect(placeLabels(points, frame)).toHaveLength(4);
  expect(overlaps(points)).toEqual([]);
});

it('leaves out what matters least in a crowd, never the marked', () => {
  const crowd = Array.from({ length: 40 }, (_, at) => named(`p${at}`, 300 + (at % 5) * 8, 100 + at, at === 7 ? 3 : 0));
  const ids = placeLabels(crowd, frame).map((each) => each.id);
  expect(ids).toContain('p7');
  expect(ids.length).toBeLessThan(30);
  expect(overlaps(crowd)).toEqual([]);
});

it('keeps a few names apart wherever their points fall', () => {
  const place = fc.record({ x: fc.integer({ min: 90, max: 730 }), y: fc.integer({ min: 50, max: 320 }) });
  fc.assert(
    fc.property(fc.array(place, { minLength: 2, maxLength: 4 }), (places) => {
      expect(overlaps(places.map(({ x, y }, at) => named(`p${at}`, x, y)))).toEqual([]);
    }),
  );
});
