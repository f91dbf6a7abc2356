// Where things stand in the picture of a training: validation loss, training loss and learning rate, one above the other on one axis of steps.
import { roundTicks } from '../../charts/axes';
import { expectedTail, type Learning, type Point, smoothed, type Tail } from './learning';

export interface Plot {
  readonly top: number;
  readonly height: number;
  readonly domain: readonly [low: number, high: number];
  readonly ticks: readonly number[];
  y(value: number): number;
}

export interface LearningGeometry {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly xTicks: readonly number[];
  x(step: number): number;
  stepAt(x: number): number;
  /** Null where nothing was judged. */
  readonly validation: Plot | null;
  readonly train: Plot;
  /** Null where there is no room for it. */
  readonly rate: Plot | null;
  readonly smooth: readonly Point[];
  readonly tail: Tail | null;
}

const sides = { left: 52, right: 76, top: 24, bottom: 24 };
/** Above it, where the tool point of now stands. */
const forNow = 14;
/** Between two plots; the name of the lower stands in it. */
const gap = 24;
const mostForRate = 40;
/** With less room for all, the losses need it more than the rate. */
const leastForRate = 150;
/** Of what the two losses share. */
const validationShare = 0.6;

export function geometryOf(learning: Learning, width: number, height: number): LearningGeometry {
  const left = sides.left;
  const right = Math.max(left + 1, width - sides.right);
  const bottom = height - sides.bottom;
  const top = sides.top + (learning.record ? 0 : forNow);
  const room = Math.max(60, bottom - top);
  const rateHeight = room < leastForRate ? 0 : Math.min(mostForRate, room * 0.14);
  const judged = learning.validation.length > 0;
  const losses = room - rateHeight - gap * (Number(judged) + Number(rateHeight > 0));
  const trainHeight = judged ? losses * (1 - validationShare) : losses;
  const trainTop = top + (losses - trainHeight) + (judged ? gap : 0);
  // What was not taken is told in words; the picture belongs to what was.
  const last = Math.max(1, learning.record?.steps ?? learning.planned);
  const smooth = smoothed(learning.train);
  const tail = expectedTail(learning);
  return {
    left,
    right,
    bottom,
    xTicks: roundTicks(0, last, Math.max(2, Math.min(8, Math.floor((right - left) / 90)))).filter(Number.isInteger),
    x: (step) => left + ((right - left) * Math.min(last, step)) / last,
    stepAt: (x) => (last * Math.min(1, Math.max(0, (x - left) / (right - left)))) | 0,
    validation: judged
      ? plotOf(top, losses * validationShare, validationRange(learning, tail), ticksFor(losses * validationShare))
      : null,
    train: plotOf(trainTop, trainHeight, trainRange(learning.train, smooth), ticksFor(trainHeight)),
    rate: rateHeight > 0 ? plotOf(bottom - rateHeight, rateHeight, [0, highestOf(learning.rate)], 1) : null,
    smooth,
    tail,
  };
}

const highestOf = (points: readonly Point[]): number => Math.max(1e-12, ...points.map(({ value }) => value));

const ticksFor = (height: number): number => Math.max(2, Math.min(5, Math.floor(height / 34)));

/** One tick alone tells no scale. */
function ticksIn(from: number, to: number, count: number): number[] {
  const ticks = roundTicks(from, to, count);
  return ticks.length > 1 ? ticks : roundTicks(from, to, 2 * count);
}

/** The domain ends on fifths of a tick, so that it grows in steps while points arrive. */
function plotOf(top: number, height: number, [low, high]: readonly [number, number], count: number): Plot {
  const rough = roundTicks(low, high, count);
  const fine = (rough.length > 1 ? rough[1]! - rough[0]! : high - low || 1) / 5;
  const from = Math.floor(low / fine + 1e-9) * fine;
  const to = Math.max(from + fine, Math.ceil(high / fine - 1e-9) * fine);
  return {
    top,
    height,
    domain: [from, to],
    ticks: ticksIn(from, to, count),
    y: (value) => top + height - ((Math.min(to, Math.max(from, value)) - from) / (to - from)) * height,
  };
}

function validationRange({ validation }: Learning, tail: Tail | null): [number, number] {
  const ends = validation.flatMap(({ value, band = 0 }) => [value - band, value + band]);
  const expected = (tail?.points ?? []).map(({ value }) => value);
  const all = [...ends, ...expected].filter(Number.isFinite);
  if (all.length === 0) return [0, 1];
  const low = Math.max(0, Math.min(...all));
  const high = Math.max(...all);
  // A level line has room on both sides.
  const air = Math.max((high - low) * 0.06, high * 0.01);
  return [Math.max(0, low - air), high + air];
}

/** Times the loss of the first half. */
const farAbove = 3;

/** Single batches far out do not press the curve flat: they are cut off at the edge. */
const outside = 0.02;

function trainRange(points: readonly Point[], smooth: readonly Point[]): [number, number] {
  const raw = innerRange(points);
  const mean = innerRange(smooth);
  if (!raw || !mean) return [0, 1];
  const begun = innerRange(points.slice(0, Math.ceil(points.length / 2)));
  const low = Math.min(raw[0], mean[0]);
  // What blows up at the end leaves the picture at its edge.
  const high = Math.min(Math.max(raw[1], mean[1]), farAbove * Math.max(begun?.[1] ?? raw[1], low));
  return [low < high * 0.5 ? 0 : low, high];
}

function innerRange(points: readonly Point[]): [number, number] | null {
  const sorted = points
    .map(({ value }) => value)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return sorted.length === 0 ? null : [at(outside), at(1 - outside)];
}

/** A line through points, as an SVG path. */
export function lineOf(points: readonly Point[], x: (step: number) => number, y: (value: number) => number): string {
  return points
    .filter(({ value }) => Number.isFinite(value))
    .map(({ step, value }, i) => `${i === 0 ? 'M' : 'L'}${x(step).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('');
}

/** The place of the point nearest to a step. */
export function nearest(points: readonly Point[], step: number): number {
  let found = 0;
  for (const [i, point] of points.entries())
    if (Math.abs(point.step - step) < Math.abs(points[found]!.step - step)) found = i;
  return found;
}

/** Every step at which something was told, in order: what the arrow keys walk. */
export const stepsOf = ({ train, validation }: Learning): number[] =>
  [...new Set([...train, ...validation].map(({ step }) => step))].sort((a, b) => a - b);
