// Memory of the engine while a run goes on: now, peak, and the course of it since this page looks.
import { useEffect, useRef, useState } from 'react';
import { Area, AreaChart, ReferenceLine, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import type { RunRow } from '../../../contract/words/run';
import { bytes } from '../../format';
import { Fact, Facts } from '../../parts/fact';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import look from './runs.module.css';

interface Sample {
  at: number;
  bytes: number;
}

const keptSamples = 600;

export function MemoryPanel({ row, boundBytes }: { row: RunRow; boundBytes: number | null }) {
  const samples = useSamples(row);
  const peak = row.document?.peakBytes ?? row.progress?.peakBytes ?? null;
  const now = row.state === 'running' ? (row.progress?.memoryBytes ?? null) : null;
  const top = Math.max(boundBytes ?? 0, peak ?? 0, 1);
  return (
    <Panel title="Memory of the engine" clause="not file-backed" padded>
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
              how="Summed over our processes, sampled every 100 ms, from the start to the written artifact."
            />
          )}
        </Fact>
      </Facts>
      {samples.length > 1 ? (
        <div className={look.memory} role="img" aria-label={`Memory over the run; peak ${bytes(peak ?? 0)}.`}>
          <ResponsiveContainer width="100%" height="100%">
            <AreaChart data={samples} margin={{ top: 14, right: 0, bottom: 0, left: 0 }}>
              <XAxis dataKey="at" type="number" domain={['dataMin', 'dataMax']} hide />
              <YAxis hide domain={[0, top * 1.08]} />
              {boundBytes ? (
                <ReferenceLine
                  y={boundBytes}
                  stroke="var(--l-bad)"
                  strokeDasharray="3 3"
                  label={{
                    value: `bound ${bytes(boundBytes)}`,
                    position: 'insideTopRight',
                    fontSize: 11,
                    fill: 'var(--l-ink3)',
                  }}
                />
              ) : null}
              <Area
                dataKey="bytes"
                type="stepAfter"
                stroke="var(--l-ctl)"
                fill="var(--l-line)"
                isAnimationActive={false}
              />
            </AreaChart>
          </ResponsiveContainer>
        </div>
      ) : null}
    </Panel>
  );
}

function useSamples(row: RunRow): Sample[] {
  const kept = useRef<{ id: string; samples: Sample[] }>({ id: row.id, samples: [] });
  const [samples, setSamples] = useState<Sample[]>([]);
  const memory = row.progress?.memoryBytes;
  useEffect(() => {
    if (kept.current.id !== row.id) kept.current = { id: row.id, samples: [] };
    if (row.state === 'running' && memory)
      kept.current.samples = [...kept.current.samples, { at: Date.now(), bytes: memory }].slice(-keptSamples);
    setSamples(kept.current.samples);
  }, [row.id, row.state, memory]);
  return samples;
}
