// What a training has told: points as they arrive, or the record that history keeps of one that has ended; both make the same picture.
import type { CurvePoint, TrainingRecord } from '../../../contract/words/training';

/** A value by the steps taken when it was measured; `band`: ± of its 95 % interval, where that is known. */
export interface Point {
  readonly step: number;
  readonly value: number;
  readonly band?: number | undefined;
}

export interface Learning {
  /** Mean loss on what it learns from, since the point before. */
  readonly train: readonly Point[];
  /** Loss on samples it does not learn from; the first is the parent's. */
  readonly validation: readonly Point[];
  readonly rate: readonly Point[];
  readonly planned: number;
  readonly parent: Point | null;
  readonly best: Point | null;
  /** Null while it goes on. */
  readonly record: TrainingRecord | null;
}

const inOrder = (points: Iterable<Point>): Point[] => [...points].sort((a, b) => a.step - b.step);

/** The points of every training of a run under way. A point told twice (after a resume, or a broken stream) counts once. */
export function learningsOf(points: readonly CurvePoint[], planned: number): Learning[] {
  const series = new Map<number, Record<CurvePoint['series'], Map<number, Point>>>();
  for (const { training, series: name, step, value, band } of points) {
    const own = series.get(training) ?? { train: new Map(), validation: new Map(), learningRate: new Map() };
    own[name].set(step, { step, value, band });
    series.set(training, own);
  }
  const trainings = [...series].sort(([a], [b]) => a - b);
  return trainings.map(([, { train, validation, learningRate }], at) => {
    const judged = inOrder(validation.values());
    const taken = Math.max(0, ...train.keys(), ...validation.keys());
    return {
      train: inOrder(train.values()),
      validation: judged,
      rate: inOrder(learningRate.values()),
      planned: at === trainings.length - 1 ? Math.max(planned, taken) : taken,
      parent: judged[0]?.step === 0 ? judged[0] : null,
      best: lowestOf(judged),
      record: null,
    };
  });
}

/** The same from the run's document. */
export function learningOf(record: TrainingRecord): Learning {
  const of = (name: CurvePoint['series']): Point[] =>
    (record.curves.find(({ series }) => series === name)?.points ?? []).map(([step, value, band]) => ({
      step,
      value,
      band,
    }));
  const validation = of('validation');
  return {
    train: of('train'),
    validation,
    rate: of('learningRate'),
    planned: record.plannedSteps,
    parent: validation[0]?.step === 0 ? validation[0] : null,
    best:
      record.bestLevel === null
        ? null
        : (validation.find(({ step }) => step === record.bestStep) ?? {
            step: record.bestStep,
            value: record.bestLevel,
          }),
    record,
  };
}

function lowestOf(points: readonly Point[]): Point | null {
  let lowest: Point | null = null;
  for (const point of points) if (lowest === null || point.value < lowest.value) lowest = point;
  return lowest;
}

/** Steps taken when anything was told last. */
export const stepsTold = ({ train, validation }: Learning): number =>
  Math.max(0, train.at(-1)?.step ?? 0, validation.at(-1)?.step ?? 0);

/** The share of a curve's points after which one counts half in the mean. */
const halfLife = 1 / 25;

/** An exponential mean of the points before each, unbiased at the beginning. */
export function smoothed(points: readonly Point[]): Point[] {
  const keep = 0.5 ** (1 / Math.max(2, points.length * halfLife));
  let sum = 0;
  let weight = 0;
  return points.map(({ step, value }) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return { step, value: sum / weight };
  });
}

export interface Tail {
  /** From the last judgement to the last planned step. */
  readonly points: readonly Point[];
  /** ± at the end. */
  readonly band: number;
}

/** Judgements from the highest on: many a training rises before it falls. */
const fewestForTail = 4;
const tailPoints = 24;

/**
 * Where the validation loss is going: the falling exponential nearest to what was judged, moved to the last judgement.
 * Null where it does not fall, or where too little was judged to say.
 */
export function expectedTail({ validation, planned, record }: Learning): Tail | null {
  const highest = validation.reduce((at, { value }, i) => (value > validation[at]!.value ? i : at), 0);
  const falling = validation.slice(highest);
  const last = falling.at(-1);
  if (record || !last || falling.length < fewestForTail || last.step >= planned) return null;
  let best: { rate: number; low: number; height: number; squares: number } | null = null;
  for (let power = -4; power <= 1; power += 0.25) {
    const rate = 1 / (planned * 2 ** power);
    const fit = fitted(falling, (step) => Math.exp(-step * rate));
    if (fit && fit.height > 0 && fit.low > 0 && (best === null || fit.squares < best.squares)) best = { rate, ...fit };
  }
  if (!best) return null;
  const { rate, low, height, squares } = best;
  const at = (step: number) => low + height * Math.exp(-step * rate);
  const shift = last.value - at(last.step);
  const points = Array.from({ length: tailPoints + 1 }, (_, i) => {
    const step = last.step + ((planned - last.step) * i) / tailPoints;
    return { step, value: at(step) + shift };
  });
  return { points, band: 2 * Math.sqrt(squares / (falling.length - 2)) };
}

/** Least squares of low + height · shape(step). */
function fitted(points: readonly Point[], shape: (step: number) => number) {
  const xs = points.map(({ step }) => shape(step));
  const n = points.length;
  const meanX = xs.reduce((a, b) => a + b, 0) / n;
  const meanY = points.reduce((sum, { value }) => sum + value, 0) / n;
  let xx = 0;
  let xy = 0;
  for (const [i, { value }] of points.entries()) {
    xx += (xs[i]! - meanX) ** 2;
    xy += (xs[i]! - meanX) * (value - meanY);
  }
  if (xx === 0) return null;
  const height = xy / xx;
  const low = meanY - height * meanX;
  const squares = points.reduce((sum, { value }, i) => sum + (value - low - height * xs[i]!) ** 2, 0);
  return { low, height, squares };
}
