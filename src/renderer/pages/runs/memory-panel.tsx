// Memory of the engine while a run goes on: now, peak under its bound, and its course since this window looks.
import { useEffect, useState } from 'react';
import { Area, AreaChart, ReferenceLine, XAxis, YAxis } from 'recharts';
import type { RunRow } from '../../../contract/words/run';
import { roundTicks, xAxis } from '../../charts/axes';
import { Chart } from '../../charts/chart';
import { bytes, duration, roughBytes } from '../../format';
import { useUsage } from '../../live';
import { Fact, Facts } from '../../parts/fact';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import look from './detail.module.css';
import { addSample, courseOf, type Sample } from './memory-course';

/** The bound is drawn where it is near; far above, it would press the course flat, so it is said instead. */
const nearBound = 3;

export function MemoryPanel({ row }: { row: RunRow }) {
  const usage = useUsage(row.state === 'running');
  const samples = useCourse(row);
  const bound = usage?.engineBoundBytes ?? null;
  const peak = row.document?.peakBytes ?? row.progress?.peakBytes ?? null;
  const now = row.state === 'running' ? (row.progress?.memoryBytes ?? null) : null;
  const near = bound !== null && peak !== null && bound < peak * nearBound;
  return (
    <Panel
      title="Memory of the engine"
      clause={bound !== null && !near ? `bound ${roughBytes(bound)}` : ''}
      className={look.memoryPanel ?? ''}
      padded
    >
      <Facts columns={2}>
        <Fact label="Now">
          {now === null ? (
            <Figure kind="unknown" word="not running" />
          ) : (
            <Figure kind="measured" size="readout" text={bytes(now)} figures={8} />
          )}
        </Fact>
        <Fact label="Peak">
          {peak === null ? (
            <Figure kind="unknown" word="not measured" />
          ) : (
            <Figure
              kind="measured"
              size="readout"
              text={bytes(peak)}
              figures={8}
              how="Memory that is not file-backed, summed over our processes, every 100 ms from the start to the written artifact."
            />
          )}
        </Fact>
      </Facts>
      {samples.length > 1 ? (
        <Course samples={samples} bound={near ? bound : null} />
      ) : (
        <p className={look.noCourse}>Its course is drawn for runs this window has watched.</p>
      )}
    </Panel>
  );
}

function Course({ samples, bound }: { samples: readonly Sample[]; bound: number | null }) {
  const highest = Math.max(...samples.map((sample) => sample.bytes));
  const last = samples.at(-1)?.seconds ?? 1;
  const top = Math.max(highest, bound ?? 0) * 1.12;
  return (
    <Chart
      summary={`Memory over ${duration(last)}; at most ${bytes(highest)}.`}
      table={() => ({
        heads: ['After', 'Memory'],
        rows: samples.map((sample) => [duration(sample.seconds), bytes(sample.bytes)]),
      })}
    >
      {(width, height) => (
        <AreaChart width={width} height={height} data={[...samples]} margin={{ top: 8, right: 4, bottom: 0, left: 4 }}>
          <XAxis
            {...xAxis}
            dataKey="seconds"
            type="number"
            domain={[0, Math.max(1, last)]}
            ticks={roundTicks(0, Math.max(1, last), 3)}
            tickFormatter={(seconds: number) => duration(seconds).replace('.0', '')}
            height={22}
          />
          <YAxis hide domain={[0, top]} />
          {bound === null ? null : (
            <ReferenceLine
              y={bound}
              stroke="var(--l-bad)"
              strokeWidth={1.2}
              strokeDasharray="3 3"
              label={{
                value: `bound ${roughBytes(bound)}`,
                position: 'insideTopRight',
                fontSize: 11,
                fill: 'var(--l-ink3)',
              }}
            />
          )}
          <Area
            dataKey="bytes"
            type="stepAfter"
            stroke="var(--l-ctl)"
            fill="var(--l-line)"
            fillOpacity={1}
            isAnimationActive={false}
            activeDot={false}
          />
        </AreaChart>
      )}
    </Chart>
  );
}

function useCourse(row: RunRow): readonly Sample[] {
  const [samples, setSamples] = useState(() => courseOf(row.id));
  const memory = row.state === 'running' ? row.progress?.memoryBytes : undefined;
  // Every progress is a new object: equal readings are samples, too.
  const progress = row.progress;
  useEffect(() => {
    if (progress && memory) setSamples(addSample(row.id, memory));
  }, [row.id, progress, memory]);
  return samples;
}
