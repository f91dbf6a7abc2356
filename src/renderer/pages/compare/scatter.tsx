// Quality against size or latency: points with their 95 % intervals, the front, and what it beats in grey.
import { useMemo, useState } from 'react';
import { CartesianGrid, ErrorBar, LabelList, ResponsiveContainer, Scatter, ScatterChart, XAxis, YAxis } from 'recharts';
import { bytes, milliseconds, percent, significant } from '../../format';
import { useShortcut } from '../../keys';
import { Panel } from '../../parts/panel';
import { Segmented } from '../../parts/segmented';
import { precisionOf } from '../../precision';
import { metricNames, metricText } from '../runs/words';
import look from './compare.module.css';
import { type Point, paretoFront } from './front';

export type Cost = 'size' | 'latency';
export const costOf = (cost: Cost) => (point: Point) => (cost === 'size' ? point.bytes : point.latencyMs);

interface ScatterPanelProps {
  points: readonly Point[];
  metric: string;
  cost: Cost;
  onCost(cost: Cost): void;
  a: string | null;
  b: string | null;
  unmeasured: number;
  onPick(id: string, asA: boolean): void;
}

const axisText = { fontSize: 11, fill: 'var(--l-ink3)' };

export function ScatterPanel(props: ScatterPanelProps) {
  const { points, metric, cost, onCost, a, b, unmeasured, onPick } = props;
  const [asTable, setAsTable] = useState(false);
  useShortcut('t', 'Show the chart as a table', () => setAsTable((on) => !on));
  const price = costOf(cost);
  const front = useMemo(() => paretoFront(points, metric, costOf(cost)), [points, metric, cost]);
  const priced = points.filter((point) => price(point) !== null);
  const n = points[0]?.n;
  const data = priced.map((point) => ({
    ...point,
    x: price(point) ?? 0,
    interval: [point.value - point.low, point.high - point.value] as [number, number],
    onFront: front.includes(point),
    letter: point.id === a ? 'A' : point.id === b ? 'B' : '',
  }));
  const line = front.map((point) => ({ x: price(point) ?? 0, value: point.value }));
  const missing = points.length - priced.length;
  const asPercent = metric === 'accuracy' || metric === 'agreement' || metric === 'top5';
  const spread = domainOf(points);
  const said = `${points.length} points. On the front: ${front.map((point) => `${point.title} at ${metricText(metric, point.value)} and ${bytes(point.bytes)}`).join('; ')}.`;
  return (
    <Panel
      title={`Quality against ${cost}`}
      clause={[
        `95 % intervals${n ? `, n = ${n.toLocaleString('en-US')}` : ''}`,
        unmeasured > 0 ? `${unmeasured} not measured` : '',
        missing > 0 ? `${missing} not timed` : '',
      ]
        .filter(Boolean)
        .join('; ')}
      tools={
        <>
          <span className={look.key}>
            <i className={look.keyFront} /> front
          </span>
          <span className={look.key}>
            <i className={look.keyDominated} /> dominated
          </span>
          <Segmented
            label="Quality against"
            segments={[
              { value: 'size', label: 'size' },
              { value: 'latency', label: 'latency', disabled: !points.some((point) => point.latencyMs !== null) },
            ]}
            value={cost}
            onChange={onCost}
          />
        </>
      }
    >
      {asTable ? (
        <ChartTable points={priced} metric={metric} />
      ) : (
        <div className={look.chart} role="img" aria-label={said}>
          <ResponsiveContainer width="100%" height="100%">
            <ScatterChart margin={{ top: 18, right: 40, bottom: 22, left: 12 }}>
              <CartesianGrid stroke="var(--l-hair)" vertical={false} />
              <XAxis
                dataKey="x"
                type="number"
                scale={wide(priced.map((point) => price(point) ?? 1)) ? 'log' : 'linear'}
                domain={padded(priced.map((point) => price(point) ?? 1))}
                tick={axisText}
                tickLine={{ stroke: 'var(--l-ink3)' }}
                axisLine={{ stroke: 'var(--l-ink2)' }}
                tickFormatter={(value: number) => (cost === 'size' ? bytes(value) : milliseconds(value))}
                label={{
                  value: cost === 'size' ? 'Size' : 'Latency here, p50',
                  position: 'insideBottomRight',
                  offset: -14,
                  ...axisText,
                }}
              />
              <YAxis
                dataKey="value"
                type="number"
                domain={spread}
                tick={axisText}
                tickLine={false}
                axisLine={false}
                width={52}
                tickFormatter={(value: number) =>
                  asPercent ? percent(value, spread[1] - spread[0] < 0.03 ? 1 : 0) : significant(value, 3)
                }
                label={{
                  value: metricNames[metric] ?? metric,
                  position: 'insideTopLeft',
                  offset: -14,
                  dy: -8,
                  ...axisText,
                  fontWeight: 600,
                  fill: 'var(--l-ink2)',
                }}
              />
              <Scatter
                data={line}
                line={{ stroke: 'var(--l-ink)', strokeWidth: 1.8 }}
                shape={() => <g />}
                isAnimationActive={false}
                legendType="none"
              />
              <Scatter
                data={data}
                isAnimationActive={false}
                shape={(shape: unknown) => <Mark {...(shape as MarkProps)} onPick={onPick} />}
              >
                <ErrorBar
                  dataKey="interval"
                  direction="y"
                  width={7}
                  strokeWidth={1.2}
                  stroke="var(--l-ctl)"
                  isAnimationActive={false}
                />
                <LabelList
                  dataKey="title"
                  content={(label) => <PointLabel {...(label as LabelProps)} points={data} />}
                />
              </Scatter>
            </ScatterChart>
          </ResponsiveContainer>
        </div>
      )}
    </Panel>
  );
}

interface MarkProps {
  cx?: number;
  cy?: number;
  payload?: Point & { onFront: boolean; letter: string };
  onPick(id: string, asA: boolean): void;
}

/** Quantized: a circle in its main precision; grey where another run is both smaller and better; ringed when it is A or B. */
function Mark({ cx, cy, payload, onPick }: MarkProps) {
  if (cx === undefined || cy === undefined || !payload) return null;
  const shown = payload.onFront || payload.parent || payload.letter;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a second way for the pointer; the rows below are the keyboard's
    <g className={look.mark} onClick={(event) => onPick(payload.id, event.altKey)}>
      <circle cx={cx} cy={cy} r={12} fill="transparent" />
      {payload.letter ? <circle cx={cx} cy={cy} r={9} fill="none" stroke="var(--l-accent)" strokeWidth={2} /> : null}
      <circle
        cx={cx}
        cy={cy}
        r={5}
        fill={shown ? `var(--l-${precisionOf(payload.bits)})` : 'var(--l-faint)'}
        opacity={shown ? 1 : 0.75}
      />
      <title>{payload.title}</title>
    </g>
  );
}

interface LabelProps {
  x?: number | string;
  y?: number | string;
  index?: number;
}

function PointLabel({
  x,
  y,
  index,
  points,
}: LabelProps & { points: readonly (Point & { letter: string; onFront: boolean })[] }) {
  const point = points[index ?? -1];
  if (!point || x === undefined || y === undefined) return null;
  const strong = point.onFront || point.letter;
  return (
    <text
      x={Number(x) + 14}
      y={Number(y) + 1}
      fontSize={11}
      fontWeight={strong ? 580 : 400}
      fill={strong ? 'var(--l-ink)' : 'var(--l-ink3)'}
    >
      {point.letter ? (
        <tspan fill="var(--l-accent)" fontWeight={700}>
          {point.letter}{' '}
        </tspan>
      ) : null}
      {point.parent ? 'parent' : `${point.number} ${point.title}`}
    </text>
  );
}

const wide = (values: readonly number[]) => values.length > 1 && Math.max(...values) / Math.min(...values) > 4;

function padded(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  return wide(values)
    ? [low * 0.75, high * 1.5]
    : [low - (high - low) * 0.1 || low * 0.9, high + (high - low) * 0.3 || high * 1.1];
}

/** Room for every whisker, a tenth on either side. */
function domainOf(points: readonly Point[]): [number, number] {
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  const room = (high - low) * 0.1 || 0.01;
  return [low - room, high + room];
}

function ChartTable({ points, metric }: { points: readonly Point[]; metric: string }) {
  return (
    <table className={look.plain}>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">Size</th>
          <th scope="col">{metricNames[metric] ?? metric}</th>
          <th scope="col">95 % interval</th>
          <th scope="col">Latency</th>
        </tr>
      </thead>
      <tbody>
        {points.map((point) => (
          <tr key={point.id}>
            <th scope="row">{point.title}</th>
            <td>{bytes(point.bytes)}</td>
            <td>{metricText(metric, point.value)}</td>
            <td>
              {metricText(metric, point.low)}–{metricText(metric, point.high)}
            </td>
            <td>{point.latencyMs === null ? 'not measured' : milliseconds(point.latencyMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
