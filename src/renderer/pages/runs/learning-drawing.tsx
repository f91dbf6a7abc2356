// The picture of a training: validation loss with its whiskers beside the parent's level, training loss raw and smoothed, the learning rate as a strip.
import { type KeyboardEvent, type PointerEvent, useMemo, useRef, useState } from 'react';
import { ChartTip } from '../../charts/chart';
import { compact, count, short, significant } from '../../format';
import { type Learning, type Point, stepsTold } from './learning';
import look from './learning.module.css';
import { geometryOf, type LearningGeometry, lineOf, nearest, type Plot, stepsOf } from './learning-geometry';
import { lossText } from './learning-words';

interface DrawingProps {
  learning: Learning;
  /** It goes on: where it is now, and where it is going. */
  live: boolean;
  width: number;
  height: number;
}

export function LearningDrawing({ learning, live, width, height }: DrawingProps) {
  const box = useRef<HTMLDivElement>(null);
  const [looked, setLooked] = useState<number | null>(null);
  const geometry = useMemo(() => geometryOf(learning, width, height), [learning, width, height]);
  const steps = useMemo(() => stepsOf(learning), [learning]);
  const now = stepsTold(learning);
  const at = looked ?? now;

  const follow = (event: PointerEvent) => {
    const left = box.current?.getBoundingClientRect().left ?? 0;
    setLooked(steps.length > 0 ? nearestStep(steps, geometry.stepAt(event.clientX - left)) : null);
  };
  const walk = (event: KeyboardEvent) => {
    const place = steps.indexOf(nearestStep(steps, at));
    const moves: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    const move = (moves[event.key] ?? 0) * (event.shiftKey ? 10 : 1);
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? steps.length - 1 : move === 0 ? null : place + move;
    if (event.key === 'Escape' && looked !== null) setLooked(null);
    else if (next === null) return;
    else setLooked(steps[Math.min(steps.length - 1, Math.max(0, next))] ?? null);
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={box}
      className={look.drawing}
      role="slider"
      tabIndex={0}
      aria-label="Step of the training"
      aria-valuemin={0}
      aria-valuemax={learning.planned}
      aria-valuenow={at}
      aria-valuetext={spokenAt(learning, at)}
      onKeyDown={walk}
      onBlur={() => setLooked(null)}
      onPointerMove={follow}
      onPointerLeave={() => setLooked(null)}
    >
      <svg width={width} height={height} aria-hidden="true">
        <Axes geometry={geometry} />
        {geometry.validation ? <Validation learning={learning} geometry={geometry} plot={geometry.validation} /> : null}
        <Training learning={learning} geometry={geometry} />
        <Rate learning={learning} geometry={geometry} />
        {live ? (
          <Now learning={learning} geometry={geometry} step={now} />
        ) : (
          <Best learning={learning} geometry={geometry} />
        )}
        {looked === null ? null : <Looked learning={learning} geometry={geometry} step={looked} />}
      </svg>
      {looked === null ? null : (
        <div
          className={look.tip}
          data-left={geometry.x(looked) > width * 0.6 || undefined}
          style={{ left: geometry.x(looked) }}
        >
          <ChartTip name={`Step ${count(looked)}`}>
            {valuesAt(learning, looked).map(({ name, text }) => (
              <span key={name} className={look.tipLine}>
                <span>{name}</span>
                <b>{text}</b>
              </span>
            ))}
          </ChartTip>
        </div>
      )}
    </div>
  );
}

const nearestStep = (steps: readonly number[], step: number): number =>
  steps.reduce((best, each) => (Math.abs(each - step) < Math.abs(best - step) ? each : best), steps[0] ?? 0);

const pointNear = (points: readonly Point[], step: number): Point | undefined => points[nearest(points, step)];

/** What is known at a step: the point itself, or of the training loss the one that covers it. */
export function valuesAt(learning: Learning, step: number): { name: string; text: string }[] {
  const judged = learning.validation.find((point) => point.step === step);
  const train = step > 0 ? pointNear(learning.train, step) : undefined;
  const rate = step > 0 ? pointNear(learning.rate, step) : undefined;
  return [
    ...(judged
      ? [{ name: 'Validation', text: `${lossText(judged.value)}${judged.band ? ` ±${lossText(judged.band)}` : ''}` }]
      : []),
    ...(train ? [{ name: 'Training', text: lossText(train.value) }] : []),
    ...(rate ? [{ name: 'Learning rate', text: short(rate.value) }] : []),
  ];
}

const spokenAt = (learning: Learning, step: number): string =>
  [`Step ${count(step)}`, ...valuesAt(learning, step).map(({ name, text }) => `${name} ${text}`)].join(', ');

interface PartProps {
  learning: Learning;
  geometry: LearningGeometry;
}

function Axes({ geometry }: { geometry: LearningGeometry }) {
  const { left, right, bottom, xTicks, x, validation, train, rate } = geometry;
  return (
    <>
      {[validation, train].map((plot) => plot && <Grid key={plot.top} plot={plot} left={left} right={right} />)}
      {rate ? (
        <>
          <text className={look.label} x={left - 8} y={rate.top + 4} textAnchor="end">
            {short(rate.domain[1])}
          </text>
          <line className={look.hair} x1={left} x2={right} y1={rate.top} y2={rate.top} />
          <Name plot={rate} left={left} text="Learning rate" />
        </>
      ) : null}
      <line className={look.base} x1={left} x2={right} y1={bottom + 0.5} y2={bottom + 0.5} />
      {xTicks.map((step) => (
        <g key={step}>
          <line className={look.base} x1={x(step)} x2={x(step)} y1={bottom} y2={bottom + 4} />
          <text className={look.label} x={x(step)} y={bottom + 17} textAnchor="middle">
            {count(step)}
          </text>
        </g>
      ))}
      <text className={look.label} x={right + 14} y={bottom + 17}>
        steps
      </text>
      {validation ? <Name plot={validation} left={left} text="Validation loss" /> : null}
      <Name plot={train} left={left} text="Training loss" />
    </>
  );
}

const Name = ({ plot, left, text }: { plot: Plot; left: number; text: string }) => (
  <text className={look.name} x={left} y={plot.top - 7}>
    {text}
  </text>
);

function Grid({ plot, left, right }: { plot: Plot; left: number; right: number }) {
  return (
    <>
      {plot.ticks.map((value) => (
        <g key={value}>
          <line className={look.hair} x1={left} x2={right} y1={plot.y(value)} y2={plot.y(value)} />
          <text className={look.label} x={left - 8} y={plot.y(value) + 4} textAnchor="end">
            {tickText(value, plot.ticks)}
          </text>
        </g>
      ))}
    </>
  );
}

/** As many decimals as tell the ticks apart. */
function tickText(value: number, ticks: readonly number[]): string {
  if (Math.max(...ticks.map(Math.abs)) >= 1e4) return compact(value);
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) || 1;
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const enough = Number.isInteger(Number((step * 10 ** decimals).toFixed(6))) ? decimals : decimals + 1;
  return value.toFixed(enough);
}

function Validation({ learning, geometry, plot }: PartProps & { plot: Plot }) {
  const { left, right, x, tail } = geometry;
  const { validation, parent } = learning;
  const last = validation.at(-1);
  const places = placesOf(plot, parent, tail);
  return (
    <>
      {parent ? (
        <>
          {parent.band ? (
            <rect
              className={look.band}
              x={left}
              width={right - left}
              y={plot.y(parent.value + parent.band)}
              height={Math.max(0, plot.y(parent.value - parent.band) - plot.y(parent.value + parent.band))}
            />
          ) : null}
          <line className={look.parent} x1={left} x2={right} y1={plot.y(parent.value)} y2={plot.y(parent.value)} />
          <text className={look.label} x={right + 8} y={places.parent}>
            parent
          </text>
        </>
      ) : null}
      {tail && last ? <Tail geometry={geometry} plot={plot} tail={tail} place={places.tail} /> : null}
      {validation.map(({ step, value, band }) =>
        band ? (
          <path
            key={step}
            className={look.whisker}
            d={`M${x(step)} ${plot.y(value + band)}V${plot.y(value - band)}M${x(step) - 3} ${plot.y(value + band)}h6M${x(step) - 3} ${plot.y(value - band)}h6`}
          />
        ) : null,
      )}
      <path className={look.validation} d={lineOf(validation, x, plot.y)} />
      {validation.map(({ step, value }) => (
        <circle
          key={step}
          className={look.point}
          cx={x(step)}
          cy={plot.y(value)}
          r={validation.length > 60 ? 2 : 3.5}
        />
      ))}
    </>
  );
}

/** Base lines of the words at the right: what would overlap is moved apart, the higher value upwards. */
function placesOf(plot: Plot, parent: Point | null, tail: LearningGeometry['tail']): { parent: number; tail: number } {
  const parentAt = plot.y(parent?.value ?? 0);
  const end = tail?.points.at(-1);
  if (!end) return { parent: parentAt + 4, tail: 0 };
  const tailAt = plot.y(end.value);
  const apart = Math.max(0, (26 - Math.abs(tailAt - parentAt)) / 2);
  const up = tailAt < parentAt ? -1 : 1;
  return { parent: parentAt + 4 - up * apart, tail: tailAt + 4 + up * apart };
}

interface TailProps {
  geometry: LearningGeometry;
  plot: Plot;
  tail: NonNullable<LearningGeometry['tail']>;
  /** Base line of its words. */
  place: number;
}

function Tail({ geometry, plot, tail, place }: TailProps) {
  const { x, right } = geometry;
  const { points, band } = tail;
  const end = points.at(-1);
  if (!end) return null;
  const edge = (sign: number) =>
    points.map(({ step, value }, i) => `${x(step)} ${plot.y(value + (sign * band * i) / (points.length - 1))}`);
  return (
    <>
      <path className={look.tailBand} d={`M${[...edge(1), ...edge(-1).reverse()].join('L')}Z`} />
      <path className={look.tail} d={lineOf(points, x, plot.y)} />
      <circle className={look.ring} cx={right} cy={plot.y(end.value)} r={4} />
      <path className={look.approx} transform={`translate(${right + 8} ${place - 9})`} d={approx} />
      <text className={look.expected} x={right + 18} y={place}>
        {significant(end.value, 2)}
      </text>
      <text className={look.label} x={right + 8} y={place + 13}>
        expected
      </text>
    </>
  );
}

/** ≈, which the typeface lacks. */
const approx = 'M.6 4.1c.9-1.5 1.9-1.5 2.9-.7s2 .8 2.9-.7M.6 7.3c.9-1.5 1.9-1.5 2.9-.7s2 .8 2.9-.7';

function Training({ learning, geometry }: PartProps) {
  const { x, train, smooth } = geometry;
  return (
    <>
      <path className={look.raw} d={lineOf(learning.train, x, train.y)} />
      <path className={look.smooth} d={lineOf(smooth, x, train.y)} />
    </>
  );
}

function Rate({ learning: { rate }, geometry }: PartProps) {
  const { x, rate: plot } = geometry;
  const first = rate[0];
  const last = rate.at(-1);
  if (!plot || !first || !last) return null;
  const line = lineOf(rate, x, plot.y);
  const floor = plot.top + plot.height;
  return (
    <>
      <path className={look.rateArea} d={`${line}L${x(last.step)} ${floor}L${x(first.step)} ${floor}Z`} />
      <path className={look.rate} d={line} />
    </>
  );
}

/** The vertical line of now with the tool point, and the last judgement in words. */
function Now({ learning, geometry, step }: PartProps & { step: number }) {
  const { x, bottom, right, validation: plot } = geometry;
  const last = learning.validation.at(-1);
  const at = x(step);
  const isNearEnd = at > right - 60;
  return (
    <>
      <line className={look.now} x1={at} x2={at} y1={12} y2={bottom} />
      <path className={look.tool} d={`M${at - 6} 2h12v4l-6 7-6-7z`} />
      <text className={look.nowWord} x={isNearEnd ? at - 11 : at + 11} y={12} textAnchor={isNearEnd ? 'end' : 'start'}>
        now
      </text>
      {plot && last && last.step > 0 ? (
        <text
          className={look.value}
          x={x(last.step) > right - 90 ? x(last.step) - 8 : x(last.step) + 8}
          y={plot.y(last.value) + (plot.y(last.value) > plot.top + plot.height - 22 ? -9 : 18)}
          textAnchor={x(last.step) > right - 90 ? 'end' : 'start'}
        >
          {lossText(last.value)}
        </text>
      ) : null}
    </>
  );
}

/** After the end: which point was kept. */
function Best({ learning, geometry }: PartProps) {
  const { x, bottom, right, validation: plot } = geometry;
  const { best, parent } = learning;
  if (!best || !plot) return null;
  const at = x(best.step);
  const y = plot.y(best.value);
  const isNearEnd = at > right - 110;
  const words = best.step === 0 && parent ? 'kept as it was' : `kept, ${lossText(best.value)}`;
  return (
    <>
      <line className={look.kept} x1={at} x2={at} y1={y + 7} y2={bottom} />
      <circle className={look.keptRing} cx={at} cy={y} r={6.5} />
      <text
        className={look.value}
        x={isNearEnd ? at - 10 : at + 10}
        y={y > plot.top + plot.height - 22 ? y - 10 : y + 20}
        textAnchor={isNearEnd ? 'end' : 'start'}
      >
        {words}
      </text>
    </>
  );
}

function Looked({ learning, geometry, step }: PartProps & { step: number }) {
  const { x, bottom, validation: plot, train, smooth } = geometry;
  const judged = learning.validation.find((point) => point.step === step);
  const mean = step > 0 ? pointNear(smooth, step) : undefined;
  return (
    <>
      <line className={look.looked} x1={x(step)} x2={x(step)} y1={plot?.top ?? train.top} y2={bottom} />
      {judged && plot ? <circle className={look.lookedPoint} cx={x(step)} cy={plot.y(judged.value)} r={5} /> : null}
      {mean ? <circle className={look.lookedPoint} cx={x(mean.step)} cy={train.y(mean.value)} r={4} /> : null}
    </>
  );
}
