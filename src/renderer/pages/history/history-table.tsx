// The table of History: lineage, recipe, cut, quality and size in columns. One row dragged on another compares the two.
import { type DragEvent, useMemo, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { Evaluation } from '../../../contract/words/quality';
import type { RunRow } from '../../../contract/words/run';
import { Cut } from '../../cut/cut';
import { cutOfModel, cutOfRun, stockOf } from '../../cut/layers';
import { ago, bytes, milliseconds, percent } from '../../format';
import { useNow } from '../../live';
import { isSelfAgreement, qualityFigure, qualityText } from '../../measures';
import { metricName } from '../../model-words';
import { type Column, DataTable } from '../../parts/data-table';
import { EmptyState } from '../../parts/empty-state';
import { Figure } from '../../parts/figure';
import type { Sorting } from '../../parts/sorting';
import { TextAction } from '../../parts/text-action';
import { sentenceOf } from '../../refusal-words';
import { useNarrow, useTight } from '../../window-size';
import { RunStatus } from '../runs/queue';
import { runTitle } from '../runs/words';
import { type Entry, kinOf } from './entries';
import look from './history.module.css';
import { lineage } from './lineage';
import { LineageMark, lineageWidth } from './lineage-mark';

const rowHeight = 42;
const idOf = (entry: Entry) => entry.id;

interface HistoryTableProps {
  entries: readonly Entry[];
  models: ReadonlyMap<string, LibraryModel>;
  cards: readonly MethodCard[];
  chosen: string | null;
  onChoose(id: string): void;
  onOpen(row: RunRow): void;
  onCompare(a: RunRow, b: RunRow): void;
  /** Takes the filter back, where one is set. */
  onClear: (() => void) | null;
}

export function HistoryTable(props: HistoryTableProps) {
  const { entries, models, cards, chosen, onChoose, onOpen, onCompare, onClear } = props;
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [hovered, setHovered] = useState<string | null>(null);
  const narrow = useNarrow();
  const tight = useTight();
  const now = useNow();
  const lanes = useMemo(() => new Map(lineage(entries).map((row, at) => [entries[at]?.id, row])), [entries]);
  const kin = useMemo(() => kinOf(entries, hovered), [entries, hovered]);
  const metric = oneMetric(entries);

  const dropped = (event: DragEvent, onto: RunRow) => {
    event.preventDefault();
    const id = event.dataTransfer.getData('text/x-lathe-run');
    const other = entries.find((entry) => entry.id === id);
    if (other?.kind === 'run' && other.row.id !== onto.id && other.row.modelId === onto.modelId)
      onCompare(other.row, onto);
  };

  const columns: (Column<Entry> | null)[] = [
    {
      id: 'lineage',
      head: sorting ? '' : 'Lineage',
      title: 'Lineage',
      width: sorting ? 10 : lineageWidth,
      bare: true,
      cell: (entry) =>
        sorting ? null : (
          <LineageMark
            row={lanes.get(entry.id)}
            height={rowHeight}
            chosen={entry.id === chosen}
            lit={kin.has(entry.id)}
          />
        ),
    },
    {
      id: 'run',
      head: 'Run',
      width: 44,
      align: 'right',
      sort: (entry) => (entry.kind === 'run' ? entry.row.number : null),
      cell: (entry) => (entry.kind === 'run' ? entry.row.number : ''),
    },
    {
      id: 'recipe',
      head: 'Recipe',
      sort: (entry) => titleOf(entry, cards),
      cell: (entry) =>
        entry.kind === 'model' ? (
          <span className={look.recipe}>
            <b>{entry.model.name}</b>
            <small>as it came</small>
          </span>
        ) : (
          // biome-ignore lint/a11y/noStaticElementInteractions: a second way to Compare; the sheet's button is the keyboard's
          <span
            className={look.recipe}
            draggable={entry.row.state === 'done'}
            onDragStart={(event) => event.dataTransfer.setData('text/x-lathe-run', entry.id)}
            onDragOver={(event) => event.dataTransfer.types.includes('text/x-lathe-run') && event.preventDefault()}
            onDrop={(event) => dropped(event, entry.row)}
          >
            <b>{titleOf(entry, cards)}</b>
            <small>{underTitle(entry.row)}</small>
          </span>
        ),
    },
    narrow
      ? null
      : { id: 'cut', head: 'The cut', width: 150, cell: (entry) => <RowCut entry={entry} models={models} /> },
    {
      id: 'size',
      head: 'Size',
      align: 'right',
      width: 84,
      evidence: 'measured',
      sort: (entry) => (entry.kind === 'run' ? entry.row.bytes : entry.model.summary.bytes),
      cell: (entry) => {
        const size = entry.kind === 'run' ? entry.row.bytes : entry.model.summary.bytes;
        return size === null ? null : <Figure kind="measured" size="table" text={bytes(size)} />;
      },
    },
    {
      id: 'quality',
      head: metric ? metricName(metric) : 'Quality',
      align: 'right',
      width: metric ? 118 : 148,
      evidence: 'measured',
      sort: (entry) => (entry.kind === 'run' ? entry.row.value : (entry.evaluation?.quality.value ?? null)),
      cell: (entry) => <Quality entry={entry} named={metric === null} />,
    },
    tight
      ? null
      : {
          id: 'latency',
          head: 'Here',
          align: 'right',
          width: 84,
          evidence: 'measured',
          sort: (entry) => measuredOf(entry)?.latencyMs?.p50 ?? null,
          cell: (entry) => {
            const latency = measuredOf(entry)?.latencyMs;
            return latency ? <Figure kind="measured" size="table" text={milliseconds(latency.p50)} /> : null;
          },
        },
    {
      id: 'state',
      head: 'State',
      width: 100,
      sort: (entry) => (entry.kind === 'run' ? entry.row.state : ''),
      cell: (entry) =>
        entry.kind === 'model' ? null : entry.row.state === 'running' ? (
          <b className={look.running}>{percent(entry.row.progress?.share ?? 0, 0)}</b>
        ) : (
          <RunStatus row={entry.row} word />
        ),
    },
    {
      id: 'when',
      head: 'When',
      align: 'right',
      width: 76,
      sort: (entry) => whenOf(entry),
      cell: (entry) => ago(whenOf(entry), now),
    },
  ];
  return (
    <DataTable
      label="Runs"
      columns={columns.filter((column) => column !== null)}
      rows={entries}
      rowKey={idOf}
      rowHeight={rowHeight}
      sorting={sorting}
      onSort={setSorting}
      selected={chosen ? [chosen] : []}
      onSelect={onChoose}
      onOpen={(entry) => entry.kind === 'run' && onOpen(entry.row)}
      hovered={hovered}
      onHover={setHovered}
      empty={
        <EmptyState
          title={onClear ? 'No run matches this filter.' : 'No run of this model yet.'}
          actions={onClear ? <TextAction onClick={onClear}>Take the filter back</TextAction> : null}
        >
          {onClear
            ? 'Words match names; size < 12 MB, top-1 > 94, latency < 5 ms and state = done match figures.'
            : null}
        </EmptyState>
      }
    />
  );
}

const titleOf = (entry: Entry, cards: readonly MethodCard[]): string =>
  entry.kind === 'run' ? runTitle(entry.row, cards) : entry.model.name;

const whenOf = (entry: Entry): string => (entry.kind === 'run' ? entry.row.createdAt : entry.model.openedAt);

/** Why nothing was written, else what it was made of and measured on. */
const underTitle = (row: RunRow): string =>
  row.error && row.state !== 'cancelled'
    ? `Nothing written: ${sentenceOf(row.error)}`
    : [row.model, row.dataset].filter(Boolean).join(' · ');

const measuredOf = (entry: Entry): Evaluation | null | undefined =>
  entry.kind === 'run' ? entry.row.document?.compressed : entry.evaluation;

/** The metric of the column, where all rows have the same; else each row names its own. */
function oneMetric(entries: readonly Entry[]): string | null {
  const metrics = new Set(
    entries.flatMap((entry) => (entry.kind === 'run' && entry.row.metric !== null ? [entry.row.metric] : [])),
  );
  return metrics.size === 1 ? ([...metrics][0] ?? null) : null;
}

function Quality({ entry, named }: { entry: Entry; named: boolean }) {
  const measured = measuredOf(entry);
  if (measured && !isSelfAgreement(measured))
    return (
      <>
        {named ? <span className={look.metric}>{metricName(measured.quality.metric)} </span> : null}
        <Figure {...qualityFigure(measured.quality)} size="table" />
      </>
    );
  if (entry.kind === 'model') return null;
  const { metric, value, state, kind } = entry.row;
  if (metric !== null && value !== null && !(kind === 'evaluate' && metric === 'agreement'))
    return (
      <>
        {named ? <span className={look.metric}>{metricName(metric)} </span> : null}
        <Figure kind="measured" size="table" text={qualityText(metric, value)} />
      </>
    );
  return state === 'done' ? <Figure kind="unknown" size="table" word="not measured" /> : null;
}

function RowCut({ entry, models }: { entry: Entry; models: ReadonlyMap<string, LibraryModel> }) {
  if (entry.kind === 'model')
    return <Cut size="row" layers={cutOfModel(entry.model.layers)} stock={stockOf(entry.model.layers)} />;
  const { row } = entry;
  if (row.kind === 'evaluate') return <span className={look.nothing}>measured as it is</span>;
  const model = models.get(row.modelId);
  return model && row.document && row.document.layers.length > 0 ? (
    <Cut size="row" layers={cutOfRun(row.document.layers, model.layers)} stock={stockOf(model.layers)} />
  ) : (
    <span className={look.stock} />
  );
}
