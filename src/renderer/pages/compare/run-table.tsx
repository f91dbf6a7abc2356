// Every run of the model beside its parent, in figures; differences coloured only where what was measured tells them apart.
import { IconPin } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { RunRow } from '../../../contract/words/run';
import { bytes, count, fixed, milliseconds, significant } from '../../format';
import { qualityText } from '../../measures';
import { isFraction, metricName } from '../../model-words';
import { type Column, DataTable } from '../../parts/data-table';
import { Figure } from '../../parts/figure';
import { PrecisionTag } from '../../parts/precision-tag';
import type { Sorting } from '../../parts/sorting';
import { useNarrow, useTight } from '../../window-size';
import look from './compare.module.css';
import type { Point } from './front';
import { parentId } from './points';
import { type Difference, difference, latencyDifference } from './verdict';

interface RunTableProps {
  points: readonly Point[];
  rows: readonly RunRow[];
  /** Differences are to this one. */
  pinned: Point | null;
  metric: string;
  a: string | null;
  b: string | null;
  hovered: string | null;
  onHover(id: string | null): void;
  onPick(id: string, asA: boolean): void;
  onOpen(id: string): void;
}

const idOf = (point: Point) => point.id;

/** Half the width of an interval, as printed beside its figure. */
const half = (point: Point, metric: string) =>
  isFraction(metric) ? fixed(((point.high - point.low) / 2) * 100, 2) : significant((point.high - point.low) / 2, 2);

export function RunTable(props: RunTableProps) {
  const { points, rows, pinned, metric, a, b, hovered, onHover, onPick, onOpen } = props;
  const [sorting, setSorting] = useState<Sorting | null>({ column: 'size', descending: true });
  const narrow = useNarrow();
  const tight = useTight();
  const columns = useMemo(() => {
    const fused = (point: Point) => {
      const row = rows.find((each) => each.id === point.id);
      return row?.document ? Object.entries(row.document.fused) : [];
    };
    const to = `to ${pinned?.parent === false ? `run ${pinned.number}` : 'parent'}`;
    const all: (Column<Point> | null)[] = [
      {
        id: 'mark',
        head: '',
        title: 'Mark',
        width: 30,
        cell: (point) =>
          point.id === a || point.id === b ? (
            <b className={look.letter}>{point.id === a ? 'A' : 'B'}</b>
          ) : point.id === pinned?.id ? (
            <IconPin size={14} aria-label="Pinned: differences are to it" />
          ) : null,
      },
      {
        id: 'run',
        head: 'Run',
        width: 44,
        align: 'right',
        sort: (point) => point.number,
        cell: (point) => (point.parent ? '' : point.number),
      },
      {
        id: 'recipe',
        head: 'Recipe',
        sort: (point) => point.title,
        cell: (point) => <b className={look.name}>{point.title}</b>,
      },
      narrow
        ? null
        : {
            id: 'precision',
            head: 'Precision',
            width: 74,
            sort: (point) => point.bits,
            cell: (point) => <PrecisionTag bits={point.bits} />,
          },
      {
        id: 'size',
        head: 'Size',
        align: 'right',
        width: 84,
        evidence: 'measured',
        sort: (point) => point.bytes,
        cell: (point) => <Figure kind="measured" size="table" text={bytes(point.bytes)} />,
      },
      {
        id: 'quality',
        head: metricName(metric),
        align: 'right',
        width: 118,
        evidence: 'measured',
        sort: (point) => (point.reference ? null : point.value),
        cell: (point) =>
          point.reference ? (
            <span className={look.reference}>the reference</span>
          ) : (
            <Figure
              kind="measured"
              size="table"
              text={qualityText(metric, point.value)}
              half={half(point, metric)}
              how={`n = ${count(point.n)}`}
            />
          ),
      },
      {
        id: 'change',
        head: to,
        align: 'right',
        width: 74,
        cell: (point) =>
          pinned && pinned.id !== point.id && !pinned.reference && !point.reference ? (
            <Change {...difference(point, pinned, metric)} />
          ) : null,
      },
      {
        id: 'latency',
        head: 'Latency here',
        align: 'right',
        width: 96,
        evidence: 'measured',
        sort: (point) => point.latencyMs,
        cell: (point) =>
          point.latencyMs === null ? (
            <Figure kind="unknown" size="table" word="not measured" />
          ) : (
            <Figure kind="measured" size="table" text={milliseconds(point.latencyMs)} />
          ),
      },
      narrow
        ? null
        : {
            id: 'faster',
            head: to,
            align: 'right',
            width: 82,
            cell: (point) => {
              const change = pinned && pinned.id !== point.id ? latencyDifference(point, pinned) : null;
              return change ? <Change {...change} /> : null;
            },
          },
      tight
        ? null
        : {
            id: 'fused',
            head: 'Fused',
            width: 180,
            cell: (point) => (
              <span className={look.fused}>
                {fused(point)
                  .map(([op, times]) => `${op.replace('com.microsoft:', '')} ${times}`)
                  .join(', ')}
              </span>
            ),
          },
    ];
    return all.filter((column) => column !== null);
  }, [rows, pinned, metric, a, b, narrow, tight]);
  return (
    <DataTable
      label="Runs compared"
      columns={columns}
      rows={points}
      rowKey={idOf}
      rowHeight={26}
      sorting={sorting}
      onSort={setSorting}
      selected={b ? [b] : []}
      onSelect={(id, keys) => onPick(id, keys.add)}
      onOpen={(point) => point.id !== parentId && onOpen(point.id)}
      hovered={hovered}
      onHover={onHover}
    />
  );
}

const Change = ({ text, tone }: Difference) => (
  <span className={look.change} data-tone={tone} title={tone === 'same' ? 'not told apart' : undefined}>
    {text}
    {tone === 'same' ? <span className="sr">, not told apart</span> : null}
  </span>
);
