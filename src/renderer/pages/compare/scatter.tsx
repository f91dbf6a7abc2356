// Quality against size or latency: the panel, its key, its table view.
import { useMemo } from 'react';
import { Chart } from '../../charts/chart';
import { bytes, count, milliseconds, plural } from '../../format';
import { qualityText } from '../../measures';
import { isGain, metricName } from '../../model-words';
import { Panel } from '../../parts/panel';
import { Segmented } from '../../parts/segmented';
import { useTight } from '../../window-size';
import look from './compare.module.css';
import { type Point, paretoFront } from './front';
import type { Comparison } from './points';
import { type Drawn, ScatterDrawing } from './scatter-drawing';
import { qualityAxis } from './ticks';

export type Cost = 'size' | 'latency';
export const costOf = (cost: Cost) => (point: Point) => (cost === 'size' ? point.bytes : point.latencyMs);

interface ScatterPanelProps {
  points: readonly Point[];
  metric: string;
  cost: Cost;
  onCost(cost: Cost): void;
  a: string | null;
  b: string | null;
  hovered: string | null;
  onHover(id: string | null): void;
  left: Comparison['left'];
  onPick(id: string, asA: boolean): void;
}

export function ScatterPanel(props: ScatterPanelProps) {
  const { points, metric, cost, onCost, a, b, hovered, onHover, left, onPick } = props;
  const tight = useTight();
  const price = costOf(cost);
  const front = useMemo(() => paretoFront(points, metric, costOf(cost)), [points, metric, cost]);
  const plotted = points.filter((point) => price(point) !== null && !point.reference);
  const reference = points.find((point) => point.reference) ?? null;
  const axis = qualityAxis(plotted, isGain(metric), reference ? [reference.value] : []);
  const drawn: Drawn[] = plotted.map((point) => ({
    ...point,
    x: price(point) ?? 0,
    interval: [point.value - point.low, point.high - point.value],
    onFront: front.includes(point),
    out: axis.out.includes(point.id),
    letter: point.id === a ? 'A' : point.id === b ? 'B' : '',
  }));
  const said = `${plural(drawn.length, 'point')}. On the front: ${front
    .map((point) => `${point.title} at ${qualityText(metric, point.value)} and ${bytes(point.bytes)}`)
    .join('; ')}.`;
  return (
    <Panel
      title={`Quality against ${cost}`}
      clause={clause(points, metric, left, drawn)}
      tools={
        <>
          {tight ? null : (
            <>
              <span className={look.key}>
                <i className={look.keyFront} /> front
              </span>
              <span className={look.key}>
                <i className={look.keyDominated} /> dominated
              </span>
            </>
          )}
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
            point.parent ? 'parent' : `${point.number} ${point.title}`,
            bytes(point.bytes),
            qualityText(metric, point.value),
            `${qualityText(metric, point.low)}–${qualityText(metric, point.high)}`,
            point.latencyMs === null ? 'not measured' : milliseconds(point.latencyMs),
          ]),
        })}
      >
        {(width, height) => (
          <ScatterDrawing
            width={width}
            height={height}
            drawn={drawn}
            front={front.map((point) => ({ x: price(point) ?? 0, value: point.value }))}
            metric={metric}
            cost={cost}
            axis={axis}
            reference={reference?.value ?? null}
            hovered={hovered}
            onHover={onHover}
            onPick={onPick}
          />
        )}
      </Chart>
    </Panel>
  );
}

/** *8 runs, 95 % intervals, n = 10,000; 2 not measured, 1 stopped* */
function clause(points: readonly Point[], metric: string, left: Comparison['left'], drawn: readonly Point[]): string {
  const runs = points.filter((point) => !point.parent);
  const samples = new Set(runs.map((point) => point.n));
  const [n] = samples;
  const untimed = points.filter((point) => !point.reference).length - drawn.length;
  const missing = [
    left.unmeasured > 0 ? `${left.unmeasured} not measured` : '',
    left.elsewhere > 0 ? `${left.elsewhere} on other data` : '',
    left.stopped > 0 ? `${left.stopped} without a result` : '',
    untimed > 0 ? `${untimed} not timed` : '',
  ].filter(Boolean);
  const measured = [
    `${plural(runs.length, 'run')}`,
    `${metricName(metric)} with 95 % intervals`,
    samples.size === 1 && n ? `n = ${count(n)}` : '',
  ].filter(Boolean);
  return [measured.join(', '), missing.join(', ')].filter(Boolean).join('; ');
}
