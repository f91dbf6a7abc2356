// The scatter itself: whiskers, marks in their precision, the front, names where they have room, arrows for what lies out of range.
import {
  CartesianGrid,
  Customized,
  ErrorBar,
  ReferenceLine,
  Scatter,
  ScatterChart,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import { axisTitle, horizontalGrid, tip, xAxis, yAxis } from '../../charts/axes';
import { ChartTip } from '../../charts/chart';
import { bytes, milliseconds, percent, significant } from '../../format';
import { qualityText } from '../../measures';
import { isFraction } from '../../model-words';
import { precisionOf } from '../../precision';
import look from './compare.module.css';
import type { Point } from './front';
import { boxesAlong, placeLabels } from './labels';
import type { Cost } from './scatter';
import { type Axis, along, costAxis, tickDecimals } from './ticks';

export interface Drawn extends Point {
  x: number;
  interval: [number, number];
  onFront: boolean;
  /** Beyond the axis: told by an arrow at its edge. */
  out: boolean;
  letter: string;
}

interface DrawingProps {
  width: number;
  height: number;
  drawn: readonly Drawn[];
  front: readonly { x: number; value: number }[];
  metric: string;
  cost: Cost;
  axis: Axis;
  /** Where the parent stands by definition, in a comparison without labels. */
  reference: number | null;
  hovered: string | null;
  onHover(id: string | null): void;
  onPick(id: string, asA: boolean): void;
}

const margin = { top: 16, right: 24, bottom: 4, left: 12 };
const yWidth = 56;
const xHeight = 36;

export function ScatterDrawing(props: DrawingProps) {
  const { width, height, drawn, front, metric, cost, axis, reference, hovered, onHover, onPick } = props;
  const x = costAxis(drawn.map((point) => point.x));
  const shown = drawn.filter((point) => !point.out);
  const frame = {
    x: margin.left + yWidth,
    y: margin.top,
    width: Math.max(1, width - margin.left - margin.right - yWidth),
    height: Math.max(1, height - margin.top - margin.bottom - xHeight),
  };
  const atX = (value: number) => frame.x + along(value, x.domain, x.scale, frame.width);
  const atY = (value: number) => frame.y + frame.height - along(value, axis.domain, 'linear', frame.height);
  const decimals = tickDecimals(axis.ticks);
  const printed = (value: number) => (cost === 'size' ? bytes(value) : milliseconds(value));
  return (
    <ScatterChart width={width} height={height} margin={margin}>
      <CartesianGrid {...horizontalGrid} syncWithTicks />
      <XAxis
        {...xAxis}
        dataKey="x"
        type="number"
        scale={x.scale}
        domain={x.domain}
        ticks={x.ticks}
        height={xHeight}
        tickFormatter={(value: number) => printed(value).replace(/\.00(?=\D)/, '')}
        label={axisTitle(`${cost === 'size' ? 'Size' : 'Latency here, p50'}${x.scale === 'log' ? ' (log)' : ''}`)}
      />
      <YAxis
        {...yAxis}
        dataKey="value"
        type="number"
        width={yWidth}
        domain={axis.domain}
        ticks={axis.ticks}
        tickFormatter={(value: number) => (isFraction(metric) ? percent(value, decimals) : significant(value, 3))}
      />
      {reference === null ? null : (
        <ReferenceLine
          y={reference}
          stroke="var(--l-ink)"
          strokeWidth={1.2}
          label={{
            value: 'the parent, by definition',
            position: 'insideTopRight',
            fontSize: 11,
            fill: 'var(--l-ink3)',
          }}
        />
      )}
      <Tooltip
        {...tip}
        cursor={false}
        content={({ active, payload }) => {
          const point = payload?.[0]?.payload as Drawn | undefined;
          return active && point?.title ? <PointTip point={point} metric={metric} /> : null;
        }}
      />
      <Scatter
        data={front.filter((each) => each.value >= axis.domain[0] && each.value <= axis.domain[1])}
        line={{ stroke: 'var(--l-ink)', strokeWidth: 1.8 }}
        shape={() => <g />}
        isAnimationActive={false}
        legendType="none"
        tooltipType="none"
      />
      <Scatter
        data={shown}
        isAnimationActive={false}
        shape={(shape: unknown) => (
          <Mark {...(shape as MarkProps)} hovered={hovered} onHover={onHover} onPick={onPick} />
        )}
      >
        <ErrorBar
          dataKey="interval"
          direction="y"
          width={7}
          strokeWidth={1.2}
          stroke="var(--l-ctl)"
          isAnimationActive={false}
        />
      </Scatter>
      <Customized
        component={() => (
          <g>
            <Names points={shown} front={front} atX={atX} atY={atY} frame={frame} />
            {drawn
              .filter((point) => point.out)
              .map((point) => (
                <Beyond
                  key={point.id}
                  point={point}
                  x={atX(point.x)}
                  y={point.value < axis.domain[0] ? frame.y + frame.height : frame.y}
                  below={point.value < axis.domain[0]}
                  text={qualityText(metric, point.value)}
                  onPick={onPick}
                />
              ))}
          </g>
        )}
      />
    </ScatterChart>
  );
}

const PointTip = ({ point, metric }: { point: Drawn; metric: string }) => (
  <ChartTip name={point.parent ? 'parent' : `${point.number} ${point.title}`}>
    <div>
      {qualityText(metric, point.value)}, {qualityText(metric, point.low)}–{qualityText(metric, point.high)}
    </div>
    <div>
      {bytes(point.bytes)}
      {point.latencyMs === null ? '' : `, ${milliseconds(point.latencyMs)} here`}
    </div>
  </ChartTip>
);

interface MarkProps {
  cx?: number;
  cy?: number;
  payload?: Drawn;
  hovered: string | null;
  onHover(id: string | null): void;
  onPick(id: string, asA: boolean): void;
}

/** Quantized: a circle in its main precision; grey where another run is both smaller and better; ringed when it is A or B. */
function Mark({ cx, cy, payload, hovered, onHover, onPick }: MarkProps) {
  if (cx === undefined || cy === undefined || !payload) return null;
  const shown = payload.onFront || payload.parent || payload.letter;
  const ring = payload.letter ? 'var(--l-accent)' : hovered === payload.id ? 'var(--l-accent-line)' : null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a second way for the pointer; the rows below are the keyboard's
    <g
      className={look.mark}
      onClick={(event) => onPick(payload.id, event.altKey)}
      onMouseEnter={() => onHover(payload.id)}
      onMouseLeave={() => onHover(null)}
    >
      <circle cx={cx} cy={cy} r={12} fill="transparent" />
      {ring ? <circle cx={cx} cy={cy} r={9} fill="none" stroke={ring} strokeWidth={2} /> : null}
      <circle
        cx={cx}
        cy={cy}
        r={5}
        fill={shown ? `var(--l-${precisionOf(payload.bits)})` : 'var(--l-faint)'}
        opacity={shown ? 1 : 0.75}
      />
    </g>
  );
}

/** Width of a character of the 11 px labels, px: regular and bold. */
const character = { plain: 5.7, strong: 6.1 } as const;

const nameOf = (point: Drawn): string =>
  `${point.letter ? `${point.letter} ` : ''}${point.parent ? 'parent' : `${point.number} ${point.title}`}`;

interface NamesProps {
  points: readonly Drawn[];
  front: readonly { x: number; value: number }[];
  atX(value: number): number;
  atY(value: number): number;
  frame: { x: number; y: number; width: number; height: number };
}

function Names({ points, front, atX, atY, frame }: NamesProps) {
  const strong = (point: Drawn) => point.onFront || point.parent || point.letter !== '';
  const placed = placeLabels(
    points.map((point) => ({
      id: point.id,
      x: atX(point.x),
      y: atY(point.value),
      top: atY(point.high),
      bottom: atY(point.low),
      width: nameOf(point).length * (strong(point) ? character.strong : character.plain) + 4,
      weight: point.letter ? 3 : point.onFront ? 2 : point.parent ? 1 : 0,
    })),
    frame,
    boxesAlong(front.map((each) => ({ x: atX(each.x), y: atY(each.value) }))),
  );
  return (
    <g className={look.names}>
      {placed.map(({ id, x, y }) => {
        const point = points.find((each) => each.id === id);
        if (!point) return null;
        const name = nameOf(point);
        return (
          <text key={id} x={x} y={y} data-strong={strong(point) || undefined}>
            {point.letter ? <tspan className={look.nameLetter}>{point.letter} </tspan> : null}
            {point.letter ? name.slice(2) : name}
          </text>
        );
      })}
    </g>
  );
}

interface BeyondProps {
  point: Drawn;
  x: number;
  y: number;
  below: boolean;
  text: string;
  onPick(id: string, asA: boolean): void;
}

/** A run far from the others: a labelled arrow at the edge, never a squashed axis. */
const Beyond = ({ point, x, y, below, text, onPick }: BeyondProps) => (
  // biome-ignore lint/a11y/noStaticElementInteractions: a second way for the pointer; the rows below are the keyboard's
  <g className={look.mark} onClick={(event) => onPick(point.id, event.altKey)}>
    <path
      d={below ? `M${x - 6} ${y - 12}h12l-6 10z` : `M${x - 6} ${y + 12}h12l-6 -10z`}
      fill={`var(--l-${precisionOf(point.bits)})`}
      {...(point.letter ? { stroke: 'var(--l-accent)', strokeWidth: 2 } : {})}
    />
    <text x={x + 11} y={below ? y - 4 : y + 12} className={look.beyond}>
      {nameOf(point)}, {text}: {below ? 'below' : 'above'} this chart
    </text>
  </g>
);
