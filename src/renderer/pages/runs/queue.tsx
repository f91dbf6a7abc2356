// The queue: what runs, what waits, what ran lately; each row with its cut.
import { IconHandStop } from '@tabler/icons-react';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { Cut } from '../../cut/cut';
import { cutOfModel, cutOfRun, stockOf } from '../../cut/layers';
import { day, duration, percent } from '../../format';
import { Panel } from '../../parts/panel';
import { ProgressBar } from '../../parts/progress';
import { Status } from '../../parts/status';
import look from './runs.module.css';
import { outcome, runTitle, secondsOf, stageName, stateWords, timeLeft, wasRefused } from './words';

interface QueueProps {
  rows: readonly RunRow[];
  models: ReadonlyMap<string, LibraryModel>;
  cards: readonly MethodCard[];
  chosen: string | null;
  onChoose(id: string): void;
}

export function Queue({ rows, models, cards, chosen, onChoose }: QueueProps) {
  const active = rows.filter((row) => row.state === 'running' || row.state === 'queued').sort(runningFirst);
  const ended = rows.filter((row) => row.state !== 'running' && row.state !== 'queued');
  const days = new Map<string, RunRow[]>();
  for (const row of ended) {
    const key = day(row.createdAt);
    days.set(key, [...(days.get(key) ?? []), row]);
  }
  const today = day(new Date().toISOString());
  const item = (row: RunRow) => (
    <QueueRow
      key={row.id}
      row={row}
      model={models.get(row.modelId) ?? null}
      cards={cards}
      chosen={row.id === chosen}
      onChoose={onChoose}
    />
  );
  return (
    <Panel title="Queue" clause="one at a time, on this machine" scroll style={{ flex: 1 }}>
      <ul className={look.queue}>
        {active.map(item)}
        {[...days].map(([title, members]) => (
          <li key={title}>
            <h3 className={look.day}>{title === today ? 'Today' : title}</h3>
            <ul className={look.queue}>{members.map(item)}</ul>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const runningFirst = (a: RunRow, b: RunRow) =>
  Number(b.state === 'running') - Number(a.state === 'running') || a.number - b.number;

interface QueueRowProps {
  row: RunRow;
  model: LibraryModel | null;
  cards: readonly MethodCard[];
  chosen: boolean;
  onChoose(id: string): void;
}

function QueueRow({ row, model, cards, chosen, onChoose }: QueueRowProps) {
  const running = row.state === 'running';
  const seconds = secondsOf(row);
  return (
    <li>
      <button type="button" className={look.row} aria-current={chosen || undefined} onClick={() => onChoose(row.id)}>
        <span className={look.rowNumber}>{row.number}</span>
        <span className={look.rowBody}>
          <span className={look.rowHead}>
            <b>{runTitle(row, cards)}</b>
            <span className={look.rowState}>
              {running ? (
                <>
                  <b>{percent(row.progress?.share ?? 0, 0)}</b> {timeLeft(row.progress)}
                </>
              ) : (
                <State row={row} seconds={seconds} />
              )}
            </span>
          </span>
          <span className={look.rowNote}>
            {running && row.progress
              ? `${row.model} · ${stageName(row.progress.stage)}`
              : row.state === 'done'
                ? outcome(row)
                : row.model}
          </span>
          {row.error && row.state !== 'done' ? <span className={look.rowError}>{row.error.sentence}</span> : null}
          {model && running && row.kind === 'compress' ? (
            <Cut
              layers={cutOfModel(model.layers)}
              stock={stockOf(model.layers)}
              size="side"
              width={300}
              height={30}
              turned={turnedLayers(row, model)}
            />
          ) : null}
          {model && row.document && row.state === 'done' && row.document.layers.length > 0 ? (
            <Cut
              layers={cutOfRun(row.document.layers, model.layers)}
              stock={stockOf(model.layers)}
              size="row"
              width={300}
            />
          ) : null}
          {running ? <ProgressBar share={row.progress?.share ?? null} label={`Run ${row.number}`} /> : null}
        </span>
      </button>
    </li>
  );
}

/** How far the tool has come along the layers, while it cuts. */
function turnedLayers(row: RunRow, model: LibraryModel): number {
  const progress = row.progress;
  if (!progress) return 0;
  if (progress.stage === 'fit' || progress.stage === 'gather' || progress.stage === 'open') return 0;
  if (progress.stage !== 'apply' || progress.total === 0) return model.layers.length;
  return Math.round((progress.done / progress.total) * model.layers.length);
}

function State({ row, seconds }: { row: RunRow; seconds: number | null }) {
  if (wasRefused(row))
    return (
      <Status tone="warn" icon={IconHandStop}>
        refused
      </Status>
    );
  const { word, tone } = stateWords[row.state];
  const text = row.state === 'done' && seconds !== null ? duration(seconds) : word;
  return tone ? <Status tone={tone}>{text}</Status> : <span className={look.quiet}>{text}</span>;
}
