// What a training tells while it learns: the loss on what it learns from, on what it is judged by, and the learning rate, by step.

export const seriesNames = ['train', 'validation', 'learningRate'] as const;
export type Series = (typeof seriesNames)[number];

export interface CurvePoint {
  readonly series: Series;
  /** Steps taken when it was measured. */
  readonly step: number;
  readonly value: number;
  /** ± of its 95 % interval. */
  readonly band?: number;
}

export interface Curve {
  readonly series: Series;
  readonly points: (readonly [step: number, value: number, band?: number])[];
}

/** Points of a curve, at most about this many: more than a screen shows. */
const mostPoints = 400;

/** Steps between two points of the training loss. */
export const pointEvery = (steps: number): number => Math.max(1, Math.ceil(steps / mostPoints));

export class Curves {
  readonly list: Curve[];

  constructor(
    private readonly tell: (point: CurvePoint) => void,
    before: readonly Curve[] = [],
  ) {
    this.list = seriesNames.map((series) => ({
      series,
      points: [...(before.find((one) => one.series === series)?.points ?? [])],
    }));
    for (const { series, points } of this.list) for (const point of points) tell(pointOf(series, point));
  }

  add(series: Series, step: number, value: number, band?: number): void {
    const point = band === undefined ? ([step, value] as const) : ([step, value, band] as const);
    this.list.find((one) => one.series === series)!.points.push(point);
    this.tell(pointOf(series, point));
  }
}

const pointOf = (series: Series, [step, value, band]: Curve['points'][number]): CurvePoint => ({
  series,
  step,
  value,
  ...(band === undefined ? {} : { band }),
});
