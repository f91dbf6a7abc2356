// One run: what it is doing and the time left, its stages, what happened, its memory; and what to do next.
import { Button } from '@mantine/core';
import { IconPlayerStop, IconX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { MethodCard } from '../../../contract/words/method';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { clock, duration, roughDuration } from '../../format';
import { RefusalCard } from '../../parts/card';
import { Stages } from '../../parts/progress';
import { keepDraft } from '../recipe/use-recipe';
import { MemoryPanel } from './memory-chart';
import look from './runs.module.css';
import { WhatHappened } from './what-happened';
import { findingOf, runTitle, stageName, wasRefused } from './words';

export function RunDetail({
  row,
  cards,
  boundBytes,
}: {
  row: RunRow;
  cards: readonly MethodCard[];
  boundBytes: number | null;
}) {
  const progress = row.progress;
  const stages = (progress?.stages ?? []).map((stage) => ({
    id: stage.stage,
    label: stageName(stage.stage),
    seconds: stage.seconds,
    state: row.state === 'done' ? ('done' as const) : stage.state,
    time: stage.state === 'todo' && row.state !== 'done' ? '' : duration(stage.seconds),
    share: stage.state === 'now' && progress && progress.total > 0 ? progress.done / progress.total : 0,
  }));
  const active = row.state === 'running' || row.state === 'queued';
  return (
    <div className={look.detail}>
      <section className={look.hero} aria-label="The run">
        <div className={look.heroHead}>
          <div className={look.heroWords}>
            <span className={look.heroNote}>
              <b>Run {row.number}</b> {row.startedAt ? `started ${clock(row.startedAt)} · ` : ''}seed {row.seed} ·{' '}
              {row.model}
              {row.dataset ? ` · ${row.dataset}` : ''}
            </span>
            <h1>{findingOf(row, cards)}</h1>
          </div>
          {row.state === 'running' ? <TimeLeft row={row} /> : null}
          <Actions row={row} active={active} />
        </div>
        {stages.length > 0 ? <Stages stages={stages} /> : null}
        {row.error && !active && row.state !== 'cancelled' ? <RefusalCard refusal={row.error} /> : null}
      </section>
      <div className={look.below}>
        <MemoryPanel row={row} boundBytes={boundBytes} />
        <WhatHappened row={row} />
      </div>
      <span className="sr" aria-live="polite">
        {progress ? `${runTitle(row, cards)}: ${stageName(progress.stage)}` : ''}
      </span>
    </div>
  );
}

function TimeLeft({ row }: { row: RunRow }) {
  const left = row.progress?.secondsLeft ?? null;
  const band = row.progress?.secondsLeftBand ?? null;
  return (
    <div className={look.left}>
      {left === null ? <b>…</b> : <b>{roughDuration(left)}</b>}
      <span>
        {left === null ? 'finding out how long' : `left${band && band >= 1 ? `, ±${roughDuration(band)}` : ''}`}
      </span>
    </div>
  );
}

function Actions({ row, active }: { row: RunRow; active: boolean }) {
  const { go } = useAddress();
  const cancel = useMutation(orpc.runs.cancel.mutationOptions());
  const stop = useMutation(orpc.runs.stop.mutationOptions());
  const refusal = cancel.error ?? stop.error;
  const again = () => {
    keepDraft(row.modelId, row.recipe);
    go('/recipe', { model: row.modelId });
  };
  return (
    <div className={look.actions}>
      {active ? (
        <>
          {row.state === 'running' && row.kind === 'compress' ? (
            <Button
              leftSection={<IconPlayerStop size={16} />}
              loading={stop.isPending}
              onClick={() => stop.mutate({ id: row.id })}
            >
              Stop, keep what was gained
            </Button>
          ) : null}
          <Button
            data-danger
            leftSection={<IconX size={16} />}
            loading={cancel.isPending}
            onClick={() => cancel.mutate({ id: row.id })}
          >
            Cancel
          </Button>
        </>
      ) : (
        <>
          {row.kind !== 'evaluate' ? (
            <Button onClick={again}>{wasRefused(row) ? 'Mend the recipe' : 'Open the recipe'}</Button>
          ) : null}
          {row.state === 'done' && row.document ? (
            <>
              <Button onClick={() => go('/deploy', { model: row.artifactModelId ?? row.modelId, run: row.id })}>
                Deploy
              </Button>
              <Button variant="filled" onClick={() => go('/compare', { model: row.modelId, b: row.id })}>
                Compare run {row.number}
              </Button>
            </>
          ) : null}
        </>
      )}
      {refusal ? <RefusalCard refusal={refusalOf(refusal)} /> : null}
    </div>
  );
}
