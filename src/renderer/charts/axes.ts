// Axes and grid as every chart has them: 11 px ink3, one base line, 4 px ticks, hairlines in one direction, no animation.

const tick = { fontSize: 11, fill: 'var(--l-ink3)' } as const;

/** Spread into `<XAxis>`. */
export const xAxis = {
  tick,
  tickSize: 4,
  tickLine: { stroke: 'var(--l-ink3)' },
  axisLine: { stroke: 'var(--l-ink3)' },
  height: 26,
  interval: 0,
} as const;

/** Spread into `<YAxis>`: labels only, the grid carries the eye. */
export const yAxis = { tick, tickSize: 4, tickLine: false, axisLine: false, width: 44, interval: 0 } as const;

/** Spread into `<CartesianGrid>`. */
export const horizontalGrid = { vertical: false, stroke: 'var(--l-hair)' } as const;

/** Spread into `<Tooltip>`. */
export const tip = {
  isAnimationActive: false,
  cursor: { fill: 'var(--l-ink)', fillOpacity: 0.06 },
  wrapperStyle: { outline: 'none', zIndex: 30 },
} as const;

/** An axis title: the unit, at the end of the axis. */
export const axisTitle = (value: string, position: 'insideBottomRight' | 'insideTopLeft' = 'insideBottomRight') =>
  ({ value, position, fontSize: 11, fill: 'var(--l-ink3)', offset: 0 }) as const;

/** About `count` round numbers that cover [low, high]. */
export function roundTicks(low: number, high: number, count = 5): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++)
    ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}
