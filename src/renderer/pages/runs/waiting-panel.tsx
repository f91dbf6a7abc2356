// A run that waits: what is before it, and what it will cut.
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { cutOfModel, stockOf } from '../../cut/layers';
import { percent, plural } from '../../format';
import { Panel } from '../../parts/panel';
import look from './detail.module.css';
import { WideCut } from './wide-cut';
import { isActive, runTitle, timeLeft } from './words';

interface WaitingPanelProps {
  row: RunRow;
  rows: readonly RunRow[];
  model: LibraryModel | null;
  cards: readonly MethodCard[];
}

export function WaitingPanel({ row, rows, model, cards }: WaitingPanelProps) {
  const before = rows.filter((each) => isActive(each) && each.number < row.number).sort((a, b) => a.number - b.number);
  return (
    <Panel
      title="Waiting"
      clause={before.length === 0 ? 'starts in a moment' : `${plural(before.length, 'run')} before it`}
      padded
    >
      {model && row.kind !== 'evaluate' ? (
        <WideCut layers={cutOfModel(model.layers)} stock={stockOf(model.layers)} height={82} turned={0} />
      ) : null}
      <ol className={look.before}>
        {before.map((each) => (
          <li key={each.id}>
            <span>{each.number}</span>
            <b>{runTitle(each, cards)}</b>
            <span>
              {each.state === 'running'
                ? `${percent(each.progress?.share ?? 0, 0)}, ${timeLeft(each.progress)}`
                : 'waiting'}
            </span>
          </li>
        ))}
      </ol>
      <p className={look.quiet}>
        One run at a time: each has all cores and the whole memory to itself, so that what it measures can be compared.
      </p>
    </Panel>
  );
}
