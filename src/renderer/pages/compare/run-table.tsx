// Every run of the model beside its parent, in figures; differences coloured only where intervals leave each other.
import { IconPin } from '@tabler/icons-react';
import { useState } from 'react';
import type { RunRow } from '../../../contract/words/run';
import { bytes, fixed, milliseconds } from '../../format';
import { qualityText } from '../../measures';
import { metricName } from '../../model-words';
import { type Column, DataTable } from '../../parts/data-table';
import { Figure } from '../../parts/figure';
import { PrecisionTag } from '../../parts/precision-tag';
import type { Sorting } from '../../parts/sorting';

import look from './compare.module.css';
import type { Point } from './front';
import { parentId } from './points';
import { difference, latencyDifference } from './verdict';

interface RunTableProps {
  points: readonly Point[];
  rows: readonly RunRow[];
  parent: Point | null;
  metric: string;
  a: string | null;
  b: string | null;
  onPick(id: string, asA: boolean): void;
  onOpen(id: string): void;
}

/** Half the width of an interval, as printed beside its figure. */
const half = (point: Point, metric: string) =>
  metric === 'perplexity' || metric === 'rmse' || metric === 'psnr'
    ? fixed((point.high - point.low) / 2, 2)
    : fixed(((point.high - point.low) / 2) * 100, 2);

export function RunTable({ points, rows, parent, metric, a, b, onPick, onOpen }: RunTableProps) {
  const [sorting, setSorting] = useState<Sorting | null>({ column: 'size', descending: true });
  const fused = (point: Point) => {
    const row = rows.find((each) => each.id === point.id);
    return row?.document ? Object.entries(row.document.fused) : [];
  };
  const columns: Column<Point>[] = [
    {
      id: 'mark',
      head: '',
      title: 'Mark',
      width: 30,
      cell: (point) => (
        <>
          <b className={look.letter}>{point.id === a ? 'A' : point.id === b ? 'B' : ''}</b>
          {point.parent && point.id !== a && point.id !== b ? (
            <IconPin size={14} aria-label="Pinned: the parent" />
          ) : null}
        </>
      ),
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
    {
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
      width: 120,
      evidence: 'measured',
      sort: (point) => point.value,
      cell: (point) => (
        <Figure
          kind="measured"
          size="table"
          text={qualityText(metric, point.value)}
          half={half(point, metric)}
          how={`n = ${point.n.toLocaleString('en-US')}`}
        />
      ),
    },
    {
      id: 'change',
      head: 'to parent',
      align: 'right',
      width: 74,
      cell: (point) => (parent && !point.parent ? <Change {...difference(point, parent, metric)} /> : null),
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
    {
      id: 'faster',
      head: 'to parent',
      align: 'right',
      width: 82,
      cell: (point) => {
        const change = parent && !point.parent ? latencyDifference(point, parent) : null;
        return change ? <Change {...change} /> : null;
      },
    },
    {
      id: 'fused',
      head: 'Fused',
      width: 190,
      cell: (point) => (
        <span className={look.fused}>
          {fused(point)
            .map(([op, times]) => `${op.replace('com.microsoft:', '')} ${times}`)
            .join(', ')}
        </span>
      ),
    },
  ];
  return (
    <DataTable
      label="Runs compared"
      columns={columns}
      rows={points}
      rowKey={(point) => point.id}
      rowHeight={26}
      sorting={sorting}
      onSort={setSorting}
      selected={b ? [b] : []}
      onSelect={(id, keys) => onPick(id, keys.add)}
      onOpen={(point) => point.id !== parentId && onOpen(point.id)}
    />
  );
}

const Change = ({ text, tone }: { text: string; tone: 'good' | 'bad' | 'same' }) => (
  <span className={look.change} data-tone={tone} title={tone === 'same' ? 'not told apart' : undefined}>
    {text}
  </span>
);
