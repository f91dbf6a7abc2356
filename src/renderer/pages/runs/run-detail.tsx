// One run: what it is doing and the time left, its stages, what came of it or why nothing did, its memory, what happened.
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { clock, day, roughDuration } from '../../format';
import { Stages } from '../../parts/progress';
import look from './detail.module.css';
import { EndedPanel } from './ended-panel';
import { MemoryPanel } from './memory-panel';
import { MeasuredPanel, OutcomePanel } from './outcome-panel';
import { RunActions } from './run-actions';
import { stagesOf } from './run-stages';
import { TurningPanel } from './turning-panel';
import { WaitingPanel } from './waiting-panel';
import { WhatHappened } from './what-happened';
import { findingOf, runTitle, tookWords } from './words';

interface RunDetailProps {
  row: RunRow;
  rows: readonly RunRow[];
  model: LibraryModel | null;
  cards: readonly MethodCard[];
}

export function RunDetail({ row, rows, model, cards }: RunDetailProps) {
  const stages = stagesOf(row);
  return (
    <div className={look.detail}>
      <section className={look.hero} aria-label="The run">
        <div className={look.head}>
          <div className={look.words}>
            <span className={look.note}>
              <b>Run {row.number}</b> {[runTitle(row, cards), ...facts(row)].join(' · ')}
            </span>
            <h1>{findingOf(row, cards, model?.summary.bytes ?? null)}</h1>
          </div>
          {row.state === 'running' ? <TimeLeft row={row} /> : null}
          <RunActions row={row} model={model} />
        </div>
        {stages.length > 0 ? <Stages stages={stages} /> : null}
      </section>
      <Main row={row} rows={rows} model={model} cards={cards} />
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

function Main({ row, rows, model, cards }: RunDetailProps) {
  switch (row.state) {
    case 'queued':
      return <WaitingPanel row={row} rows={rows} model={model} cards={cards} />;
    case 'running':
      return <TurningPanel row={row} model={model} />;
    case 'done':
      return row.document ? (
        <OutcomePanel row={row} document={row.document} rows={rows} model={model} />
      ) : (
        <MeasuredPanel row={row} />
      );
    case 'failed':
    case 'cancelled':
    case 'interrupted':
      return <EndedPanel row={row} model={model} cards={cards} />;
    default:
      return row.state satisfies never;
  }
}
