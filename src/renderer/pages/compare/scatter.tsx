// Quality against size or latency: points with their 95 % intervals, the front, and what it beats in grey.
import { useMemo } from 'react';
import { CartesianGrid, ErrorBar, LabelList, Scatter, ScatterChart, XAxis, YAxis } from 'recharts';
import { axisTitle, horizontalGrid, xAxis, yAxis } from '../../charts/axes';
import { Chart } from '../../charts/chart';
import { bytes, milliseconds, percent, significant } from '../../format';
import { qualityText } from '../../measures';
import { metricName } from '../../model-words';
import { Panel } from '../../parts/panel';
import { Segmented } from '../../parts/segmented';
import { precisionOf } from '../../precision';

import look from './compare.module.css';
import { type Point, paretoFront } from './front';
import { costAxis, qualityAxis } from './ticks';

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

interface Drawn extends Point {
  x: number;
  interval: [number, number];
  onFront: boolean;
  letter: string;
}

export function ScatterPanel(props: ScatterPanelProps) {
  const { points, metric, cost, onCost, a, b, unmeasured, onPick } = props;
  const front = useMemo(() => paretoFront(points, metric, costOf(cost)), [points, metric, cost]);
  const price = costOf(cost);
  const drawn: Drawn[] = points
    .filter((point) => price(point) !== null)
    .map((point) => ({
      ...point,
      x: price(point) ?? 0,
      interval: [point.value - point.low, point.high - point.value],
      onFront: front.includes(point),
      letter: point.id === a ? 'A' : point.id === b ? 'B' : '',
    }));
  const missing = points.length - drawn.length;
  const n = points[0]?.n;
  const clause = [
    `${metricName(metric)}, 95 % intervals${n ? `, n = ${n.toLocaleString('en-US')}` : ''}`,
    unmeasured > 0 ? `${unmeasured} not measured` : '',
    missing > 0 ? `${missing} not timed` : '',
  ];
  const said = `${points.length} points. On the front: ${front
    .map((point) => `${point.title} at ${qualityText(metric, point.value)} and ${bytes(point.bytes)}`)
    .join('; ')}.`;
  return (
    <Panel
      title={`Quality against ${cost}`}
      clause={clause.filter(Boolean).join('; ')}
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
      <Chart
        summary={said}
        table={() => ({
          heads: ['Run', 'Size', metricName(metric), '95 % interval', 'Latency here'],
          rows: drawn.map((point) => [
            point.title,
            bytes(point.bytes),
            qualityText(metric, point.value),
            `${qualityText(metric, point.low)}–${qualityText(metric, point.high)}`,
            point.latencyMs === null ? 'not measured' : milliseconds(point.latencyMs),
          ]),
        })}
      >
        {(width, height) => (
          <Drawing
            width={width}
            height={height}
            drawn={drawn}
            front={front}
            metric={metric}
            cost={cost}
            onPick={onPick}
          />
        )}
      </Chart>
    </Panel>
  );
}

interface DrawingProps {
  width: number;
  height: number;
  drawn: readonly Drawn[];
  front: readonly Point[];
  metric: string;
  cost: Cost;
  onPick(id: string, asA: boolean): void;
}

function Drawing({ width, height, drawn, front, metric, cost, onPick }: DrawingProps) {
  const price = costOf(cost);
  const x = costAxis(drawn.map((point) => point.x));
  const y = qualityAxis(drawn);
  const asPercent = metric === 'accuracy' || metric === 'agreement' || metric === 'top5';
  const decimals = y.domain[1] - y.domain[0] < 0.04 ? 1 : 0;
  const line = front.map((point) => ({ x: price(point) ?? 0, value: point.value }));
  return (
    <ScatterChart width={width} height={height} margin={{ top: 18, right: 30, bottom: 8, left: 14 }}>
      <CartesianGrid {...horizontalGrid} />
      <XAxis
        {...xAxis}
        dataKey="x"
        type="number"
        scale={x.scale}
        domain={x.domain}
        ticks={x.ticks}
        height={40}
        tickFormatter={(value: number) => (cost === 'size' ? bytes(value) : milliseconds(value))}
        label={axisTitle(`${cost === 'size' ? 'Size' : 'Latency here, p50'}${x.scale === 'log' ? ' (log)' : ''}`)}
      />
      <YAxis
        {...yAxis}
        dataKey="value"
        type="number"
        width={56}
        domain={y.domain}
        ticks={y.ticks}
        tickFormatter={(value: number) => (asPercent ? percent(value, decimals) : significant(value, 3))}
      />
      <Scatter
        data={line}
        line={{ stroke: 'var(--l-ink)', strokeWidth: 1.8 }}
        shape={() => <g />}
        isAnimationActive={false}
        legendType="none"
      />
      <Scatter
        data={[...drawn]}
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
          content={(label) => <PointLabel {...(label as LabelProps)} points={drawn} right={width} />}
        />
      </Scatter>
    </ScatterChart>
  );
}

interface MarkProps {
  cx?: number;
  cy?: number;
  payload?: Drawn;
  onPick(id: string, asA: boolean): void;
}

/** Quantized: a circle in its main precision; grey where another run is both smaller and better; ringed when it is A or B. */
function Mark({ cx, cy, payload, onPick }: MarkProps) {
  if (cx === undefined || cy === undefined || !payload) return null;
  const shown = payload.onFront || payload.parent || payload.letter;
  const fill = shown ? `var(--l-${precisionOf(payload.bits)})` : 'var(--l-faint)';
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a second way for the pointer; the rows below are the keyboard's
    <g className={look.mark} onClick={(event) => onPick(payload.id, event.altKey)}>
      <circle cx={cx} cy={cy} r={12} fill="transparent" />
      {payload.letter ? <circle cx={cx} cy={cy} r={9} fill="none" stroke="var(--l-accent)" strokeWidth={2} /> : null}
      <circle cx={cx} cy={cy} r={5} fill={fill} opacity={shown ? 1 : 0.75} />
      <title>{payload.title}</title>
    </g>
  );
}

interface LabelProps {
  x?: number | string;
  y?: number | string;
  index?: number;
}

/** Beside its point, on the side where there is room. */
function PointLabel({ x, y, index, points, right }: LabelProps & { points: readonly Drawn[]; right: number }) {
  const point = points[index ?? -1];
  if (!point || x === undefined || y === undefined) return null;
  const strong = point.onFront || point.letter;
  const text = point.parent ? 'parent' : `${point.number} ${point.title}`;
  const left = Number(x) + 24 + text.length * 6 > right;
  return (
    <text
      x={Number(x) + (left ? -6 : 16)}
      y={Number(y) - 9}
      textAnchor={left ? 'end' : 'start'}
      fontSize={11}
      fontWeight={strong ? 580 : 400}
      fill={strong ? 'var(--l-ink)' : 'var(--l-ink3)'}
    >
      {point.letter ? (
        <tspan fill="var(--l-accent)" fontWeight={700}>
          {point.letter}{' '}
        </tspan>
      ) : null}
      {text}
    </text>
  );
}
