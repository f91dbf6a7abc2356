// Where the names of points stand: beside their point where nothing else is drawn, the important ones first. Pure numbers.

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Named {
  id: string;
  /** Centre of the mark. */
  x: number;
  y: number;
  /** Top and bottom of its whisker. */
  top: number;
  bottom: number;
  width: number;
  /** Higher comes first, and is placed even where it touches another. */
  weight: number;
}

export interface Placed {
  id: string;
  /** Left edge of the text and its baseline. */
  x: number;
  y: number;
}

const lineHeight = 14;
const gap = 11;
/** Half the mark with its ring, and half a whisker's cap. */
const markRadius = 7;
const capHalf = 4;

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

/** Places around a mark, best first: beside it, beside and above or below, further away, over and under the whisker. */
function candidates({ x, y, top, bottom, width }: Named): Box[] {
  const box = (left: number, middle: number): Box => ({
    x: left,
    y: middle - lineHeight / 2,
    width,
    height: lineHeight,
  });
  const right = x + gap;
  const left = x - gap - width;
  return [0, -12, 12, -24, 24, -38, 38]
    .flatMap((shift) => [box(right, y + shift), box(left, y + shift)])
    .concat([box(x - width / 2, top - 10), box(x - width / 2, bottom + 10)]);
}

/** From a place to the nearest edge of a box. */
const distance = (box: Box, x: number, y: number): number =>
  Math.hypot(Math.max(box.x - x, 0, x - box.x - box.width), Math.max(box.y - y, 0, y - box.y - box.height));

/** A name must be nearest to its own point, by this much, or it reads as another's. */
const nearer = 3;

/**
 * Names that have room, and where. `lines` are drawn things a name should not lie on. Those of weight 0 without room are
 * left out: the tooltip tells them.
 */
export function placeLabels(points: readonly Named[], frame: Box, lines: readonly Box[] = []): Placed[] {
  const marks = points.map(
    (point): Box => ({
      x: point.x - markRadius,
      y: point.y - markRadius,
      width: 2 * markRadius,
      height: 2 * markRadius,
    }),
  );
  const whiskers = points.map(
    (point): Box => ({ x: point.x - capHalf, y: point.top, width: 2 * capHalf, height: point.bottom - point.top }),
  );
  const taken: Box[] = [];
  const placed: Placed[] = [];
  for (const point of [...points].sort((a, b) => b.weight - a.weight)) {
    const cost = (box: Box): number => {
      const outside = box.width * box.height - overlap(box, frame);
      const texts = taken.reduce((sum, each) => sum + overlap(box, each), 0);
      const dots = marks.reduce((sum, each) => sum + overlap(box, each), 0);
      const strokes = [...whiskers, ...lines].reduce((sum, each) => sum + overlap(box, each), 0);
      const own = distance(box, point.x, point.y);
      const astray = points.some((each) => each.id !== point.id && distance(box, each.x, each.y) < own + nearer);
      return outside * 8 + texts * 6 + dots * 4 + strokes + (astray ? 80 : 0);
    };
    let best: { box: Box; cost: number } | null = null;
    for (const [rank, box] of candidates(point).entries()) {
      // A little worse for being further down the list: of two free places, the nearer one.
      const its = cost(box) + rank * 0.5;
      if (!best || its < best.cost) best = { box, cost: its };
    }
    if (!best || (point.weight === 0 && best.cost > lineHeight * 3)) continue;
    taken.push(best.box);
    placed.push({ id: point.id, x: best.box.x, y: best.box.y + lineHeight - 3.5 });
  }
  return placed;
}

/** A polyline as small boxes, for names to keep clear of. */
export function boxesAlong(corners: readonly { x: number; y: number }[]): Box[] {
  const size = 6;
  return corners.slice(1).flatMap((end, at) => {
    const start = corners[at] ?? end;
    const steps = Math.max(1, Math.round(Math.hypot(end.x - start.x, end.y - start.y) / size));
    return Array.from({ length: steps + 1 }, (_, step) => ({
      x: start.x + ((end.x - start.x) * step) / steps - size / 2,
      y: start.y + ((end.y - start.y) * step) / steps - size / 2,
      width: size,
      height: size,
    }));
  });
}
