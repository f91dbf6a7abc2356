// The columns of the layer table. Only the column being looked at is filled; a column without data is not there.
import type { CSSProperties } from 'react';
import { Sparkline } from '../../charts/sparkline';
import { bytes, compact, count, fixed, percent, shape } from '../../format';
import type { Column } from '../../parts/data-table';
import { LayerName } from '../../parts/layer-name';
import { PrecisionTag } from '../../parts/precision-tag';
import { binOf, type Colouring, inkOn } from './colours';
import look from './inspect.module.css';
import { heavyKurtosis, type LayerRow } from './rows';

/** Width of the bar of the largest layer, px. */
const barPx = 44;

function Heat({
  value,
  text,
  by,
  filled,
  strong,
}: {
  value: number | null;
  text: string;
  by: 'kurtosis' | 'outliers';
  filled: boolean;
  strong?: boolean;
}) {
  const bin = binOf(value, by);
  if (filled)
    return (
      <span
        className={look.heat}
        style={{
          background: `var(--l-s${bin ?? 0})`,
          color: bin === 0 ? 'var(--l-ink3)' : inkOn(bin),
          fontWeight: (bin ?? 0) >= 3 ? 600 : 450,
        }}
      >
        {text}
      </span>
    );
  const square: CSSProperties = {
    background: `var(--l-s${bin ?? 0})`,
    borderColor: bin ? 'transparent' : 'var(--l-line)',
  };
  return (
    <span className={look.mild}>
      <i style={square} aria-hidden="true" />
      {strong ? <b>{text}</b> : text}
    </span>
  );
}

export function layerColumns(
  rows: readonly LayerRow[],
  colouring: Colouring,
  room: 'full' | 'tight' | 'narrow',
  sorted: string,
): Column<LayerRow>[] {
  const largest = rows.reduce((most, row) => Math.max(most, row.bytes), 1);
  const swept = rows.some((row) => row.stats);
  const timed = rows.some((row) => row.macs !== null);
  const mixed = rows.some((row) => row.bits !== rows[0]?.bits);
  const columns: Column<LayerRow>[] = [
    {
      id: 'layer',
      head: 'Layer',
      width: 170,
      sort: (row) => row.name,
      cell: (row) => <LayerName>{row.name}</LayerName>,
    },
    { id: 'op', head: 'Op', sort: (row) => row.op, cell: (row) => <span className={look.second}>{row.op}</span> },
    {
      id: 'shape',
      head: 'Shape',
      sort: (row) => row.parameters,
      cell: (row) => <span className={look.second}>{shape(row.shape)}</span>,
    },
    {
      id: 'parameters',
      head: 'Parameters',
      align: 'right',
      sort: (row) => row.parameters,
      cell: (row) => (row.tiedTo ? <span className={look.second}>tied</span> : count(row.parameters)),
    },
    {
      id: 'bytes',
      head: 'Bytes',
      width: 112,
      evidence: 'measured',
      sort: (row) => row.bytes,
      cell: (row) => (
        <span className={look.bytes}>
          <i style={{ width: Math.max(1, (row.bytes / largest) * barPx) }} aria-hidden="true" />
          {bytes(row.bytes)}
        </span>
      ),
    },
  ];
  // Where all are of one precision the tag says nothing.
  if (mixed)
    columns.push({
      id: 'precision',
      head: 'Precision',
      sort: (row) => row.bits,
      cell: (row) => <PrecisionTag bits={row.bits} dtype={row.dtype} />,
    });
  if (swept)
    columns.push(
      {
        id: 'weights',
        head: 'Weights',
        width: 84,
        cell: (row) => <Sparkline histogram={row.stats?.histogram ?? null} />,
      },
      {
        id: 'kurtosis',
        head: 'Kurtosis',
        align: 'right',
        evidence: 'measured',
        bare: colouring === 'kurtosis',
        width: 84,
        sort: (row) => row.stats?.kurtosis ?? null,
        cell: (row) => {
          const value = row.stats?.kurtosis ?? null;
          return value === null ? null : (
            <Heat
              by="kurtosis"
              value={value}
              text={fixed(value, 1)}
              filled={colouring === 'kurtosis'}
              strong={value > heavyKurtosis}
            />
          );
        },
      },
      {
        id: 'outliers',
        head: 'Beyond 6 σ, %',
        align: 'right',
        evidence: 'measured',
        bare: colouring === 'outliers',
        width: 104,
        sort: (row) => row.stats?.outliers ?? null,
        cell: (row) => {
          const value = row.stats?.outliers ?? null;
          return value === null ? null : (
            <Heat by="outliers" value={value} text={fixed(value * 100, 3)} filled={colouring === 'outliers'} />
          );
        },
      },
    );
  if (timed)
    columns.push({
      id: 'macs',
      head: 'Multiply-adds',
      align: 'right',
      sort: (row) => row.macs,
      cell: (row) => (row.macs === null ? <span className={look.second}>shape unknown</span> : compact(row.macs)),
    });
  if (room === 'full') return columns;
  if (room === 'tight') {
    const long = rows.some((row) => row.name.length > longName);
    const spared = new Set(long ? ['op', 'macs', 'shape'] : ['op', 'macs']);
    return columns.filter((column) => column.id === sorted || !spared.has(column.id));
  }
  // Little room: layer, bytes, the sorted column and one more.
  const kept = new Set(['layer', 'bytes', sorted, swept ? 'weights' : 'parameters']);
  return columns.filter((column) => kept.has(column.id));
}

/** Longer names push the shape out of a table of little width. */
export const longName = 24;

/** The table as CSV, for a spreadsheet. */
export function layersCsv(rows: readonly LayerRow[]): string {
  const heads = [
    'layer',
    'op',
    'shape',
    'dtype',
    'parameters',
    'bytes',
    'bits',
    'macs',
    'min',
    'max',
    'mean',
    'std',
    'kurtosis',
    'zeros',
    'outliers',
  ];
  const quote = (value: unknown) => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) =>
    [
      row.name,
      row.op,
      row.shape.join('x'),
      row.dtype,
      row.parameters,
      row.bytes,
      row.bits,
      row.macs,
      row.stats?.min,
      row.stats?.max,
      row.stats?.mean,
      row.stats?.std,
      row.stats?.kurtosis,
      row.stats?.zeros,
      row.stats?.outliers,
    ]
      .map(quote)
      .join(','),
  );
  return `${heads.join(',')}\n${lines.join('\n')}\n`;
}

/** The share column of the finding, said in per cent of the bytes. */
export const sharePercent = (share: number): string => percent(share, share < 0.001 ? 3 : share < 0.1 ? 1 : 0);
