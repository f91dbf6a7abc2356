// The tray: what runs, how far, how long still, what waits; at the right the key to the evidence marks and the engine's memory.
import { ActionIcon } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useLocation } from 'wouter';
import type { RunRow } from '../../contract/words/run';
import { useAddress } from '../address';
import { api } from '../api';
import { percent, roughBytes, roughDuration } from '../format';
import { useUsage } from '../live';
import { EvidenceMark } from '../parts/glyphs';
import { ProgressBar } from '../parts/progress';
import { useActiveRuns } from '../queries';
import look from './tray.module.css';

/** *4 min 10 s left, ±40 s*; the first seconds say so. */
export function timeLeft(run: RunRow): string {
  const { progress } = run;
  if (!progress || progress.secondsLeft === null) return 'finding out how long';
  const band = progress.secondsLeftBand;
  return `${roughDuration(progress.secondsLeft)} left${band ? `, ±${roughDuration(band)}` : ''}`;
}

export function Tray() {
  const active = useActiveRuns();
  const now = active.find((run) => run.state === 'running') ?? null;
  const waiting = active.filter((run) => run.state === 'queued').length;
  const usage = useUsage(now !== null);
  return (
    <footer className={look.tray}>
      {now ? <Running run={now} /> : <Idle waiting={waiting} />}
      {now && waiting > 0 ? <span className={look.quiet}>{waiting} waiting</span> : null}
      <span className={look.grow} />
      <span className={look.key}>
        {(['measured', 'predicted', 'unknown'] as const).map((kind) => (
          <span key={kind}>
            <EvidenceMark kind={kind} />
            {kind}
          </span>
        ))}
      </span>
      {usage && usage.engineBytes > 0 ? (
        <span className={look.engine}>
          Engine {roughBytes(usage.engineBytes)} of {roughBytes(usage.engineBoundBytes)}
        </span>
      ) : null}
    </footer>
  );
}

const Idle = ({ waiting }: { waiting: number }) => (
  <span className={look.idle}>
    <IconCheck size={14} aria-hidden="true" />
    {waiting > 0 ? `Starting, ${waiting} waiting` : 'Nothing running'}
  </span>
);

function Running({ run }: { run: RunRow }) {
  const [, navigate] = useLocation();
  const { to } = useAddress();
  const { progress } = run;
  return (
    <>
      <button type="button" className={look.run} onClick={() => navigate(to('/runs', { run: run.id }))}>
        <b>Run {run.number}</b> {progress?.text ?? 'starting'}
      </button>
      <ProgressBar share={progress?.share ?? null} label={`Run ${run.number}`} width={190} />
      {progress ? <span>{percent(progress.share, 0)}</span> : null}
      <span className={look.quiet}>{timeLeft(run)}</span>
      <ActionIcon aria-label={`Cancel run ${run.number}`} onClick={() => void api.runs.cancel({ id: run.id })}>
        <IconX size={14} />
      </ActionIcon>
      {/* Announced when the stage changes, not at every step. */}
      <span className="sr" aria-live="polite">
        {progress ? `Run ${run.number}: ${progress.stage}` : ''}
      </span>
    </>
  );
}
