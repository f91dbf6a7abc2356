// Before and after, one layer: the weights as they were, and the levels they are rounded to, in the units of the scale.
import { useMemo } from 'react';
import { Area, ComposedChart, ReferenceLine, Scatter, XAxis, YAxis } from 'recharts';
import type { Preview } from '../../../contract/words/recipe';
import { roundTicks, xAxis } from '../../charts/axes';
import { Chart } from '../../charts/chart';
import { count, percent, plural, significant } from '../../format';
import { precisionOf } from '../../precision';
import look from './recipe.module.css';

const side = 10;
const axisHeight = 24;

interface Bins {
  min: number;
  max: number;
  counts: readonly number[];
}

const root = (value: number, most: number) => (most > 0 ? Math.min(1.05, Math.sqrt(value / most)) : 0);

/**
 * A step outline: each bin's left edge carries its count. The end bins do not set the height: a grid laid through each
 * group's largest weight piles one weight per group on its first level.
 */
function outline(bins: Bins) {
  const most = Math.max(...bins.counts.slice(1, -1), 1);
  const width = (bins.max - bins.min) / bins.counts.length || 1;
  const points = bins.counts.map((each, at) => ({ x: bins.min + at * width, before: root(each, most) }));
  const last = points.at(-1);
  return last ? [...points, { x: bins.max, before: last.before }] : points;
}

/** Share of the weights looked at that lie beyond the last level. */
const clippedShare = (preview: Preview) =>
  preview.clipped /
  Math.max(
    1,
    preview.before.counts.reduce((sum, each) => sum + each, 0),
  );

/** Every second level of a small grid; round numbers elsewhere. */
function ticksOf(bins: Bins, isGrid: boolean): number[] {
  if (!isGrid) return roundTicks(bins.min, bins.max, 6);
  const first = Math.ceil(bins.min / 2) * 2;
  return Array.from({ length: Math.floor((bins.max - first) / 2) + 1 }, (_, at) => first + at * 2);
}

/** What the picture says, for readers. */
function summary(preview: Preview, weights: number): string {
  const levels = preview.levels ? `, rounded to ${plural(preview.levels.length, 'level')}` : '';
  return `${count(weights)} weights of ${preview.layer}${levels}; ${percent(clippedShare(preview))} clipped.`;
}

export function LevelChart({ preview, weights, height }: { preview: Preview; weights: number; height: number }) {
  const grid = preview.levels && preview.scaled && preview.levels.length <= 17 ? preview.levels : null;
  const bins: Bins = grid && preview.scaled ? preview.scaled : preview.before;
  const color = `var(--l-${precisionOf(preview.bits)})`;
  const area = useMemo(() => outline(bins), [bins]);
  const stems = useMemo(() => {
    const most = Math.max(...(grid ?? []).map((level) => level.count), 1);
    return (grid ?? []).map((level) => ({ x: level.value, level: root(level.count, most) }));
  }, [grid]);
  const reconstructed = useMemo(() => (grid ? null : outline(preview.after)), [grid, preview.after]);
  const span = bins.max - bins.min || 1;
  const step = stems.length > 1 ? Math.abs((stems[1]?.x ?? 0) - (stems[0]?.x ?? 0)) : span / 16;

  return (
    <figure className={look.chart}>
      <figcaption className={look.chartHead}>
        <span>
          <i className={look.swatchBefore} />
          before, {count(weights)} weights
        </span>
        <span>
          <i className={look.swatch} style={{ background: color }} />
          {grid ? `after, on ${plural(grid.length, 'level')}` : 'after'}
        </span>
        {preview.clipped > 0 ? <b className={look.clipped}>{percent(clippedShare(preview))} clipped</b> : null}
        <span className={look.chartNote}>
          {preview.sample
            ? `first look: ${count(preview.sample.rows)} of ${count(preview.sample.of)} rows`
            : 'square root of counts'}
        </span>
      </figcaption>
      <Chart
        height={height}
        summary={summary(preview, weights)}
        table={() => ({
          heads: grid ? ['Level', 'Weights'] : ['From', 'Before', 'After'],
          rows: grid
            ? grid.map((level) => [significant(level.value, 4), count(level.count)])
            : preview.before.counts.map((before, at) => [
                significant(bins.min + (at * span) / preview.before.counts.length, 4),
                count(before),
                count(preview.after.counts[at] ?? 0),
              ]),
        })}
      >
        {(width) => {
          // The plot inside margins and axis; a stem stands on its floor and is as wide as what is rounded to it.
          const floor = height - axisHeight;
          const half = Math.max(1, ((step / span) * (width - 2 * side)) / 2 - 1);
          return (
            <ComposedChart
              width={width}
              height={height}
              data={area}
              margin={{ top: 8, right: side, bottom: 0, left: side }}
            >
              <XAxis
                dataKey="x"
                type="number"
                domain={[bins.min, bins.max]}
                {...xAxis}
                ticks={ticksOf(bins, grid !== null)}
                tickFormatter={(value: number) =>
                  grid ? String(Math.round(value)).replace('-', '−') : significant(value, 2)
                }
                height={axisHeight}
              />
              <YAxis hide domain={[0, 1.06]} />
              <Area
                type="stepAfter"
                dataKey="before"
                fill="var(--l-fp32)"
                fillOpacity={0.13}
                stroke="var(--l-ink2)"
                strokeWidth={1}
                isAnimationActive={false}
                activeDot={false}
              />
              {reconstructed ? (
                <Area
                  data={reconstructed}
                  type="stepAfter"
                  dataKey="before"
                  fill={color}
                  fillOpacity={0.2}
                  stroke={color}
                  strokeWidth={1.4}
                  isAnimationActive={false}
                  activeDot={false}
                />
              ) : (
                <Scatter
                  data={stems}
                  dataKey="level"
                  isAnimationActive={false}
                  shape={(props: unknown) => <Stem {...(props as StemProps)} color={color} floor={floor} half={half} />}
                />
              )}
              {bins.min < 0 && bins.max > 0 ? <ReferenceLine x={0} stroke="var(--l-hair)" /> : null}
            </ComposedChart>
          );
        }}
      </Chart>
    </figure>
  );
}

interface StemProps {
  cx: number;
  cy: number;
  color: string;
  floor: number;
  half: number;
}

/** A level: a stem with a dot as high as what is rounded to it, in a 20 % box as wide as its catchment. */
function Stem({ cx, cy, color, floor, half }: StemProps) {
  if (!Number.isFinite(cx) || !Number.isFinite(cy)) return null;
  const height = Math.max(0, floor - cy);
  return (
    <g>
      <rect x={cx - half} y={cy} width={half * 2} height={height} fill={color} opacity={0.2} />
      <rect x={cx - 1} y={cy} width={2} height={height} fill={color} />
      <circle cx={cx} cy={cy} r={2.6} fill={color} />
      <rect x={cx - 0.75} y={floor} width={1.5} height={5} fill={color} />
    </g>
  );
}
