// Where the bytes are: a treemap whose colour is chosen in its head.
import { useMemo } from 'react';
import { Treemap } from '../../charts/treemap';
import { bytes } from '../../format';
import { Panel } from '../../parts/panel';
import { Segmented } from '../../parts/segmented';
import { precisions } from '../../precision';
import { type Colouring, colourings, colourLine, fillOf, legendEnds } from './colours';
import look from './inspect.module.css';
import type { LayerRow } from './rows';

export interface BytesPanelProps {
  rows: readonly LayerRow[];
  colouring: Colouring;
  onColouring(colouring: Colouring): void;
  selected: readonly string[];
  hovered: string | null;
  onSelect(name: string, keys: { add: boolean; extend: boolean }): void;
  onHover(name: string | null): void;
  height: number;
}

export function BytesPanel(props: BytesPanelProps) {
  const { rows, colouring, onColouring } = props;
  const tiles = useMemo(
    () =>
      rows
        .filter((row) => row.bytes > 0)
        .map((row) => ({
          name: row.name,
          bytes: row.bytes,
          ...fillOf(row, colouring),
          lines: [bytes(row.bytes), colourLine(row, colouring)].filter((line) => line !== null),
        })),
    [rows, colouring],
  );
  return (
    <Panel
      title="Where the bytes are"
      clause="area = bytes"
      style={{ height: props.height, flex: 'none' }}
      tools={
        <>
          <span className={look.label}>Colour</span>
          <Segmented label="Colour" segments={colourings} value={colouring} onChange={onColouring} />
          <Legend colouring={colouring} />
        </>
      }
    >
      <div className={look.treemap}>
        <Treemap
          tiles={tiles}
          selected={props.selected}
          hovered={props.hovered}
          onSelect={props.onSelect}
          onHover={props.onHover}
        />
      </div>
    </Panel>
  );
}

function Legend({ colouring }: { colouring: Colouring }) {
  if (colouring === 'bytes') return null;
  if (colouring === 'precision')
    return (
      <span className={look.legend}>
        {precisions.map((precision) => (
          <span key={precision} className={look.legend}>
            <i style={{ background: `var(--l-${precision})` }} />
            {precision}
          </span>
        ))}
      </span>
    );
  const [low, high] = legendEnds(colouring);
  return (
    <span className={look.legend}>
      {low}
      {[0, 1, 2, 3, 4].map((bin) => (
        <i key={bin} style={{ background: `var(--l-s${bin})` }} />
      ))}
      {high}
    </span>
  );
}
