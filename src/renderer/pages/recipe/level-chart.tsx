// Before and after, one layer: the weights as they were, and the levels they are rounded to, in the units of the scale.
import { memo, useMemo } from 'react';
import { Area, ComposedChart, ReferenceArea, ReferenceLine, Scatter, XAxis, YAxis } from 'recharts';
import type { Preview } from '../../../contract/words/recipe';
import { xAxis } from '../../charts/axes';
import { Chart } from '../../charts/chart';
import { compact, count, minus, percent, plural, significant } from '../../format';
import { precisionOf } from '../../precision';
import {
  clippedShare,
  clippingLimits,
  gridOf,
  heightOf,
  joinedBins,
  outlineOf,
  sixSigmaOf,
  ticksOf,
} from './level-geometry';
import look from './preview.module.css';

const side = 10;
const axisHeight = 30;
const roof = 1.06;

/** What the picture says, for readers. */
function summary(preview: Preview, weights: number): string {
  const levels = preview.levels ? `, rounded to ${plural(preview.levels.length, 'level')}` : '';
  return `${count(weights)} weights of ${preview.layer}${levels}; ${percent(clippedShare(preview))} clipped.`;
}

interface LevelChartProps {
  preview: Preview;
  weights: number;
  /** Of before the last change, until the new answer is there. */
  stale: boolean;
  /** A sample is shown, and the exact answer is on its way. */
  follows?: boolean;
}

export const LevelChart = ({ preview, weights, stale, follows = false }: LevelChartProps) => (
  <figure className={look.chart} data-stale={stale || undefined}>
    <Drawing preview={preview} weights={weights} follows={follows} />
  </figure>
);

/** Drawn once for each answer, however often the page around it changes meanwhile. */
const Drawing = memo(function Drawing({ preview, weights, follows }: Omit<Required<LevelChartProps>, 'stale'>) {
  const grid = gridOf(preview);
  const bins = useMemo(
    () => joinedBins(grid && preview.scaled ? preview.scaled : preview.before),
    [grid, preview.scaled, preview.before],
  );
  const color = `var(--l-${precisionOf(preview.bits)})`;
  const span = bins.max - bins.min || 1;
  const step = grid && grid.length > 1 ? Math.abs((grid[1]?.value ?? 0) - (grid[0]?.value ?? 0)) : span / 16;
  const most = Math.max(...(grid ?? []).map((level) => level.count), 1);
  const sixSigma = useMemo(() => sixSigmaOf(bins), [bins]);
  const outline = useMemo(
    () => outlineOf(bins, sixSigma, grid ? { bins: (step / span) * bins.counts.length, most } : undefined),
    [bins, sixSigma, grid, step, span, most],
  );
  const reconstructed = useMemo(
    () => (grid ? null : outlineOf(joinedBins(preview.after), null)),
    [grid, preview.after],
  );
  const stems = useMemo(
    () => (grid ?? []).map((level) => ({ x: level.value, level: heightOf(level.count, most) })),
    [grid, most],
  );

  return (
    <>
      <Key preview={preview} weights={weights} color={color} levels={grid?.length ?? null} follows={follows} />
      <Chart
        summary={summary(preview, weights)}
        table={() => ({
          heads: grid ? ['Level', 'Weights'] : ['From', 'Before', 'After'],
          rows: grid
            ? grid.map((level) => [significant(level.value, 4), count(level.count)])
            : preview.before.counts.map((before, at) => [
                significant(preview.before.min + (at * span) / preview.before.counts.length, 4),
                count(before),
                count(preview.after.counts[at] ?? 0),
              ]),
        })}
      >
        {(width, height) => {
          // A stem stands on its floor and is as wide as what is rounded to it.
          const floor = height - axisHeight;
          const half = Math.max(1, ((step / span) * (width - 2 * side)) / 2 - 1);
          return (
            <ComposedChart
              width={width}
              height={height}
              data={outline}
              margin={{ top: 4, right: side, bottom: 0, left: side }}
            >
              <XAxis
                dataKey="x"
                type="number"
                domain={[bins.min, bins.max]}
                {...xAxis}
                tickMargin={6}
                ticks={ticksOf(bins, grid !== null)}
                tickFormatter={(value: number) =>
                  grid ? String(Math.round(value)).replace('-', minus) : significant(value, 2)
                }
                height={axisHeight}
              />
              <YAxis hide domain={[0, roof]} />
              {sixSigma
                ? (
                    [
                      [bins.min, sixSigma[0]],
                      [sixSigma[1], bins.max],
                    ] as const
                  ).map(([from, to]) =>
                    to > from ? (
                      <ReferenceArea key={to} x1={from} x2={to} fill="var(--l-s1)" fillOpacity={0.55} />
                    ) : null,
                  )
                : null}
              <Area {...step0} dataKey="before" fill="var(--l-fp32)" fillOpacity={0.13} stroke="var(--l-ink2)" />
              <Area {...step0} dataKey="far" fill="var(--l-s4)" fillOpacity={1} stroke="none" />
              {reconstructed ? (
                <Area
                  {...step0}
                  data={reconstructed}
                  dataKey="before"
                  fill={color}
                  fillOpacity={0.2}
                  stroke={color}
                  strokeWidth={1.4}
                />
              ) : (
                <Scatter
                  data={stems}
                  dataKey="level"
                  isAnimationActive={false}
                  shape={(props: unknown) => <Stem {...(props as StemProps)} color={color} floor={floor} half={half} />}
                />
              )}
              {grid
                ? clippingLimits(preview).map((limit) => (
                    <ReferenceLine
                      key={limit}
                      x={limit}
                      stroke="var(--l-bad)"
                      strokeWidth={1.2}
                      strokeDasharray="3 3"
                    />
                  ))
                : null}
            </ComposedChart>
          );
        }}
      </Chart>
    </>
  );
});

const step0 = { type: 'stepAfter', strokeWidth: 1, isAnimationActive: false, activeDot: false } as const;

interface KeyProps {
  preview: Preview;
  weights: number;
  color: string;
  levels: number | null;
  follows: boolean;
}

/** What is drawn, over the drawing: no legend box. */
const Key = ({ preview, weights, color, levels, follows }: KeyProps) => (
  <figcaption className={look.key}>
    <span>
      <i className={look.before} />
      before, {compact(weights)} weights
    </span>
    <span>
      <i className={look.after} style={{ background: color }} />
      {levels ? `after, on ${plural(levels, 'level')}` : 'after'}
    </span>
    {preview.clipped > 0 ? <b className={look.clipped}>{percent(clippedShare(preview))} clipped</b> : null}
    <span className={look.keyNote}>
      {preview.sample
        ? `sample: ${count(preview.sample.rows)} of ${count(preview.sample.of)} rows${follows ? ', exact follows' : ''}`
        : 'root of counts'}
    </span>
  </figcaption>
);

interface StemProps {
  cx: number;
  cy: number;
  color: string;
  floor: number;
  half: number;
}

/** A level: a stem with a dot as high as what is rounded to it, in a 20 % box as wide as its catchment; ticked below the axis. */
function Stem({ cx, cy, color, floor, half }: StemProps) {
  if (!Number.isFinite(cx) || !Number.isFinite(cy)) return null;
  const height = Math.max(0, floor - cy);
  return (
    <g>
      <rect x={cx - half} y={cy} width={half * 2} height={height} fill={color} opacity={0.2} />
      <rect x={cx - 1} y={cy} width={2} height={height} fill={color} />
      <circle cx={cx} cy={cy} r={2.6} fill={color} />
      <rect x={cx - 0.75} y={floor} width={1.5} height={6} fill={color} />
    </g>
  );
}
