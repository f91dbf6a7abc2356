// One run: what it is doing and the time left, its stages, what came of it or why nothing did, its memory, what happened.
import { useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { clock, day, roughDuration } from '../../format';
import { Stages } from '../../parts/progress';
import { Segmented } from '../../parts/segmented';
import { useWide } from '../../window-size';
import look from './detail.module.css';
import { EndedPanel } from './ended-panel';
import type { Learning } from './learning';
import { LearningPanel } from './learning-panel';
import { learningFinding } from './learning-words';
import { MemoryPanel } from './memory-panel';
import { MeasuredPanel, OutcomePanel } from './outcome-panel';
import { RunActions } from './run-actions';
import { stagesOf } from './run-stages';
import { TurningPanel } from './turning-panel';
import { useLearning } from './use-learning';
import { WaitingPanel } from './waiting-panel';
import { WhatHappened } from './what-happened';
import { findingOf, runTitle, tookWords } from './words';

interface RunDetailProps {
  row: RunRow;
  rows: readonly RunRow[];
  model: LibraryModel | null;
  cards: readonly MethodCard[];
}

export function RunDetail(props: RunDetailProps) {
  const { row, model, cards } = props;
  const stages = stagesOf(row);
  const learnings = useLearning(row);
  return (
    <div className={look.detail} data-learns={learnings.length > 0 || undefined}>
      <section className={look.hero} aria-label="The run">
        <div className={look.head}>
          <div className={look.words}>
            <span className={look.note}>
              <b>Run {row.number}</b> {[runTitle(row, cards), ...facts(row)].join(' · ')}
            </span>
            <h1>{findingNow(row, learnings) ?? findingOf(row, cards, model?.summary.bytes ?? null)}</h1>
          </div>
          {row.state === 'running' ? <TimeLeft row={row} /> : null}
          <RunActions row={row} model={model} />
        </div>
        {stages.length > 0 ? <Stages stages={stages} /> : null}
      </section>
      <Main {...props} learnings={learnings} />
      <div className={look.below}>
        <MemoryPanel row={row} />
        <WhatHappened row={row} />
      </div>
    </div>
  );
}

/** *started 16:31*, *took 4 min*, *seed 7*, the model and the dataset. */
function facts(row: RunRow): string[] {
  const took = row.state === 'done' ? tookWords(row) : '';
  return [
    row.startedAt ? `started ${day(row.startedAt)}, ${clock(row.startedAt)}` : `asked for at ${clock(row.createdAt)}`,
    ...(took ? [`took ${took}`] : []),
    ...(row.kind === 'evaluate' ? [] : [`seed ${row.seed}`]),
    row.model,
    ...(row.dataset ? [row.dataset] : []),
  ];
}

function TimeLeft({ row }: { row: RunRow }) {
  const left = row.progress?.secondsLeft ?? null;
  const band = row.progress?.secondsLeftBand ?? null;
  return (
    <div className={look.left}>
      {left === null ? null : <b>{roughDuration(left)}</b>}
      <span>
        {left === null
          ? 'finding out how long'
          : `left${band !== null && band >= 1 ? `, ±${roughDuration(band)}` : ''}`}
      </span>
    </div>
  );
}

/** While it trains, what that has come to; the step it is at stands in the queue and the tray. */
function findingNow(row: RunRow, learnings: readonly Learning[]): string | null {
  const last = learnings.at(-1);
  return row.state === 'running' && row.progress?.stage === 'train' && last ? learningFinding(last) : null;
}

type View = 'learning' | 'cut';

/** One picture beside the other where there is room, else one of them at a time. What was watched live stays in sight at the end. */
function Main({ row, rows, model, cards, learnings }: RunDetailProps & { learnings: readonly Learning[] }) {
  const wide = useWide();
  const [view, setView] = useState<View>(row.state === 'done' ? 'cut' : 'learning');
  const learns = learnings.length > 0;
  const both = learns && wide && row.state === 'done';
  const tools =
    learns && !both ? (
      <Segmented<View>
        label="Show"
        segments={[
          { value: 'learning', label: 'Learning' },
          { value: 'cut', label: row.state === 'done' ? 'What came of it' : 'The cut' },
        ]}
        value={view}
        onChange={setView}
      />
    ) : null;
  const learning = learns ? (
    <LearningPanel
      row={row}
      learnings={learnings}
      cards={cards}
      live={row.state === 'running' && row.progress?.stage === 'train'}
      tools={tools}
    />
  ) : null;
  if (learning && view === 'learning' && !both) return learning;
  switch (row.state) {
    case 'queued':
      return <WaitingPanel row={row} rows={rows} model={model} cards={cards} />;
    case 'running':
      return <TurningPanel row={row} model={model} tools={tools} />;
    case 'done': {
      if (!row.document) return <MeasuredPanel row={row} />;
      const outcome = <OutcomePanel row={row} document={row.document} rows={rows} model={model} tools={tools} />;
      return both ? (
        <div className={look.both}>
          {outcome}
          {learning}
        </div>
      ) : (
        outcome
      );
    }
    case 'failed':
    case 'cancelled':
    case 'interrupted':
      return <EndedPanel row={row} model={model} cards={cards} />;
    default:
      return row.state satisfies never;
  }
}
