// The queue: what runs, what waits, what ran lately.
import { IconBoltOff, IconHandStop } from '@tabler/icons-react';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { Cut } from '../../cut/cut';
import { cutOfModel, stockOf } from '../../cut/layers';
import { day, percent, plural } from '../../format';
import { Panel } from '../../parts/panel';
import { ProgressBar } from '../../parts/progress';
import { Status } from '../../parts/status';
import { TextAction } from '../../parts/text-action';
import look from './queue.module.css';
import { turnedLayers } from './run-stages';
import { isActive, noteOf, runTitle, stateWords, timeLeft, tookWords, wasRefused } from './words';

interface QueueProps {
  rows: readonly RunRow[];
  models: ReadonlyMap<string, LibraryModel>;
  cards: readonly MethodCard[];
  chosen: string | null;
  onChoose(id: string): void;
}

/** Older runs are History's. */
const mostEnded = 80;

export function Queue({ rows, models, cards, chosen, onChoose }: QueueProps) {
  const { to } = useAddress();
  const active = rows.filter(isActive).sort(runningFirst);
  const ended = rows.filter((row) => !isActive(row));
  const days = new Map<string, RunRow[]>();
  for (const row of ended.slice(0, mostEnded)) {
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
      {ended.length > mostEnded ? (
        <p className={look.more}>
          {plural(ended.length - mostEnded, 'older run')} in <TextAction href={to('/history')}>History</TextAction>
        </p>
      ) : null}
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

const cutWidth = 308;

function QueueRow({ row, model, cards, chosen, onChoose }: QueueRowProps) {
  const running = row.state === 'running';
  return (
    <li>
      <button
        type="button"
        className={look.row}
        aria-current={chosen || undefined}
        data-state={row.state}
        onClick={() => onChoose(row.id)}
      >
        <span className={look.number}>{row.number}</span>
        <span className={look.body}>
          <span className={look.head}>
            <b>{runTitle(row, cards)}</b>
            <span className={look.state}>
              {running ? (
                <>
                  <b>{percent(row.progress?.share ?? 0, 0)}</b> {timeLeft(row.progress)}
                </>
              ) : (
                <RunStatus row={row} />
              )}
            </span>
          </span>
          <span className={look.note}>{noteOf(row)}</span>
          {model && isActive(row) && row.kind !== 'evaluate' ? (
            <Cut
              layers={cutOfModel(model.layers)}
              stock={stockOf(model.layers)}
              width={cutWidth}
              height={26}
              turned={turnedLayers(row, model.layers.length)}
            />
          ) : null}
          {running ? <ProgressBar share={row.progress?.share ?? null} label={`Run ${row.number}`} /> : null}
        </span>
      </button>
    </li>
  );
}

/** How it ended, with its icon; a finished run says how long it took. */
export function RunStatus({ row, word }: { row: RunRow; word?: boolean }) {
  if (wasRefused(row))
    return (
      <Status tone="warn" icon={IconHandStop}>
        refused
      </Status>
    );
  const said = stateWords[row.state];
  const text = row.state === 'done' && !word ? tookWords(row) || said.word : said.word;
  if (row.state === 'interrupted')
    return (
      <Status tone="warn" icon={IconBoltOff}>
        {text}
      </Status>
    );
  return said.tone ? <Status tone={said.tone}>{text}</Status> : <span className={look.quiet}>{text}</span>;
}
