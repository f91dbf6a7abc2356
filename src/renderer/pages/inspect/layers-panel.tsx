// The layer table: sortable, filtered, walked with the arrow keys; its rows are the tiles and the right panel.
import { ActionIcon, TextInput } from '@mantine/core';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { saveText } from '../../download';
import { count } from '../../format';
import { useShortcut } from '../../keys';
import { useColumns } from '../../parts/columns';
import { DataTable } from '../../parts/data-table';
import { EmptyState } from '../../parts/empty-state';
import { Panel } from '../../parts/panel';
import { type Sorting, sortRows } from '../../parts/sorting';
import { TextAction } from '../../parts/text-action';
import { useNarrow, useTight, useWide } from '../../window-size';
import type { Colouring } from './colours';
import { layerColumns, layersCsv, longName } from './columns';
import { filterLayers } from './filter';
import type { LayerRow } from './rows';

export interface LayersPanelProps {
  name: string;
  rows: readonly LayerRow[];
  colouring: Colouring;
  sorting: Sorting;
  onSort(sorting: Sorting): void;
  marked: ReadonlySet<string>;
  selected: readonly string[];
  hovered: string | null;
  onSelect(name: string, keys: { add: boolean; extend: boolean }, order: readonly string[]): void;
  onHover(name: string | null): void;
}

const keyOf = (row: LayerRow) => row.name;

export function LayersPanel(props: LayersPanelProps) {
  const { rows, colouring, sorting, selected, onSelect } = props;
  const narrow = useNarrow();
  const tight = useTight();
  const wide = useWide();
  const crowded = tight || (!wide && rows.some((row) => row.name.length > longName));
  const room = narrow ? 'narrow' : crowded ? 'tight' : 'full';
  const [filter, setFilter] = useState('');
  const settled = useDeferredValue(filter);
  const field = useRef<HTMLInputElement>(null);
  useShortcut('/', 'Filter', () => field.current?.focus());

  const all = useMemo(
    () => layerColumns(rows, colouring, room, sorting.column),
    [rows, colouring, room, sorting.column],
  );
  const { columns, menu, move } = useColumns('layers', all);
  const shown = useMemo(() => filterLayers(rows, settled), [rows, settled]);

  const walk = (step: 1 | -1) => {
    const order = sortRows(shown, columns, sorting).map(keyOf);
    const at = order.indexOf(selected[0] ?? '');
    const next = order[Math.min(order.length - 1, Math.max(0, at + step))];
    if (next) onSelect(next, { add: false, extend: false }, order);
  };
  useShortcut('arrowdown', 'Layer below', () => walk(1));
  useShortcut('arrowup', 'Layer above', () => walk(-1));

  const sortedBy = columns.find((column) => column.id === sorting.column)?.head;
  return (
    <Panel
      title="Layers"
      clause={`${shown.length === rows.length ? count(rows.length) : `${count(shown.length)} of ${count(rows.length)}`}${
        typeof sortedBy === 'string' ? `, by ${sortedBy.replace(/, %$/, '').toLowerCase()}` : ''
      }`}
      style={{ flex: 1 }}
      tools={
        <>
          <TextInput
            ref={field}
            aria-label="Filter layers"
            placeholder="Filter, e.g. conv > 1 MB"
            size="xs"
            w={176}
            leftSection={<IconSearch size={14} aria-hidden="true" />}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          {menu}
          <ActionIcon
            aria-label="Save the table as CSV"
            onClick={() => saveText(`${props.name}-layers.csv`, layersCsv(rows), 'text/csv')}
          >
            <IconDownload size={16} />
          </ActionIcon>
        </>
      }
    >
      <DataTable
        label="Layers"
        columns={columns}
        rows={shown}
        rowKey={keyOf}
        sorting={sorting}
        onSort={props.onSort}
        onMoveColumn={move}
        selected={selected}
        onSelect={onSelect}
        hovered={props.hovered}
        onHover={props.onHover}
        marked={(row) => props.marked.has(row.name)}
        empty={
          rows.length === 0 ? (
            <EmptyState title="No layers.">This model has no weights that a method can act on.</EmptyState>
          ) : (
            <EmptyState
              title="No layer matches."
              actions={<TextAction onClick={() => setFilter('')}>Clear the filter</TextAction>}
            />
          )
        }
      />
    </Panel>
  );
}
