// DataTable: a real table with sort state, sticky head and first column, rows one can walk with the keyboard, virtual above 100 rows.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffect, useMemo, useRef } from 'react';
import look from './data-table.module.css';
import { type EvidenceKind, EvidenceMark } from './glyphs';
import { type Sorting, sortRows } from './sorting';

export interface Column<Row> {
  id: string;
  /** Sentence case, with the unit: *Size, MB*. */
  head: ReactNode;
  /** The head in plain text, where `head` is not. */
  title?: string;
  align?: 'left' | 'right';
  width?: number | string;
  /** The whole column is of one kind: its mark stands in the head. */
  evidence?: EvidenceKind;
  /** What to sort by; a column without it cannot be sorted. Null sorts last. */
  sort?: (row: Row) => number | string | null;
  cell: (row: Row) => ReactNode;
  /** Takes what room is left and shortens its text. */
  flexible?: boolean;
  /** No padding: the cell paints itself (heat). */
  bare?: boolean;
}

export interface DataTableProps<Row> {
  /** Spoken name of the table. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  sorting?: Sorting | null;
  onSort?: (sorting: Sorting) => void;
  /** A head was dragged in front of another. */
  onMoveColumn?: (column: string, before: string) => void;
  selected?: readonly string[];
  onSelect?: (key: string, keys: { add: boolean; extend: boolean }, order: readonly string[]) => void;
  /** Enter or double click. */
  onOpen?: (row: Row) => void;
  onHover?: (key: string | null) => void;
  hovered?: string | null;
  /** An edge at the row's left: rows the finding speaks of. */
  marked?: (row: Row) => boolean;
  /** 22 dense, 26 edit, 42 rich, 68 library. */
  rowHeight?: number;
  /** Below the last row, when there is nothing. */
  empty?: ReactNode;
}

const virtualAbove = 100;
const headPx = 28;
/** What a dragged head carries. */
const dragType = 'application/x-lathe-column';

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { columns, rows, rowKey, sorting, selected = [], onSelect, onOpen, rowHeight = 22 } = props;
  const frame = useRef<HTMLDivElement>(null);
  const sorted = useMemo(() => sortRows(rows, columns, sorting ?? null), [rows, columns, sorting]);
  const order = useMemo(() => sorted.map(rowKey), [sorted, rowKey]);
  const chosen = useMemo(() => new Set(selected), [selected]);
  const focus = selected[0];
  const virtual = sorted.length > virtualAbove;

  const virtualizer = useVirtualizer({
    count: virtual ? sorted.length : 0,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    // Rows begin below the head, which sticks.
    scrollMargin: headPx,
    scrollPaddingStart: headPx,
  });
  const windowed = virtualizer.getVirtualItems();
  const shown = virtual
    ? windowed.flatMap((item) => {
        const row = sorted[item.index];
        return row === undefined ? [] : [row];
      })
    : sorted;
  const before = virtual ? (windowed[0]?.start ?? headPx) - headPx : 0;
  const after = virtual ? virtualizer.getTotalSize() + headPx - (windowed.at(-1)?.end ?? headPx) : 0;

  // What was used last: a selection by key or from elsewhere scrolls into view, what is under the pointer stays.
  const pointing = useRef(false);
  useEffect(() => {
    const onKey = () => {
      pointing.current = false;
    };
    window.addEventListener('keydown', onKey, true);
    return () => window.removeEventListener('keydown', onKey, true);
  }, []);

  useEffect(() => {
    const at = focus === undefined ? -1 : order.indexOf(focus);
    const box = frame.current;
    if (at < 0 || !box || (pointing.current && box.matches(':hover'))) return;
    if (virtual) virtualizer.scrollToIndex(at, { align: 'auto' });
    else box.querySelector(`[data-row="${at}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [focus, order, virtual, virtualizer]);

  const walk = (event: KeyboardEvent) => {
    if (!onSelect || event.target !== frame.current) return;
    const at = focus === undefined ? -1 : order.indexOf(focus);
    const page = Math.max(1, Math.floor((frame.current?.clientHeight ?? 0) / rowHeight) - 2);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: order.length - 1,
    };
    const target = moves[event.key];
    if (target !== undefined && order.length > 0) {
      const next = order[Math.min(order.length - 1, Math.max(0, target))];
      if (next !== undefined) onSelect(next, { add: false, extend: event.shiftKey }, order);
      event.preventDefault();
    } else if (event.key === 'Enter' && at >= 0) {
      const row = sorted[at];
      if (row !== undefined) onOpen?.(row);
    }
  };

  return (
    <div className={look.hold}>
      {/* biome-ignore lint/a11y/useSemanticElements: a frame that scrolls, not a set of fields */}
      <div
        className={look.frame}
        ref={frame}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling frame must be reachable, and its rows are walked with arrow keys
        tabIndex={0}
        role="group"
        aria-label={props.label}
        onKeyDown={walk}
        onPointerMove={() => {
          pointing.current = true;
        }}
      >
        <table className={look.table} aria-rowcount={sorted.length + 1}>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head
                  key={column.id}
                  column={column}
                  sorting={sorting ?? null}
                  onSort={props.onSort}
                  onMove={props.onMoveColumn}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {before > 0 ? <tr style={{ height: before }} /> : null}
            {shown.map((row, index) => {
              const at = virtual ? (windowed[index]?.index ?? index) : index;
              const key = rowKey(row);
              return (
                <tr
                  key={key}
                  className={look.row}
                  data-row={at}
                  aria-rowindex={at + 2}
                  aria-selected={onSelect ? chosen.has(key) : undefined}
                  data-marked={props.marked?.(row) || undefined}
                  data-hovered={props.hovered === key || undefined}
                  data-clickable={onSelect || onOpen ? true : undefined}
                  style={{ height: rowHeight }}
                  onMouseEnter={props.onHover && (() => props.onHover?.(key))}
                  onMouseLeave={props.onHover && (() => props.onHover?.(null))}
                  onClick={(event: MouseEvent) =>
                    onSelect
                      ? onSelect(key, { add: event.ctrlKey || event.metaKey, extend: event.shiftKey }, order)
                      : onOpen?.(row)
                  }
                  onDoubleClick={onSelect && (() => onOpen?.(row))}
                >
                  {columns.map((column, place) =>
                    place === 0 ? (
                      <th
                        key={column.id}
                        scope="row"
                        data-align={column.align}
                        data-bare={column.bare || undefined}
                        data-flexible={column.flexible || undefined}
                      >
                        {column.cell(row)}
                      </th>
                    ) : (
                      <td
                        key={column.id}
                        data-align={column.align}
                        data-bare={column.bare || undefined}
                        data-flexible={column.flexible || undefined}
                      >
                        {column.cell(row)}
                      </td>
                    ),
                  )}
                </tr>
              );
            })}
            {after > 0 ? <tr style={{ height: after }} /> : null}
          </tbody>
        </table>
        {sorted.length === 0 ? props.empty : null}
      </div>
    </div>
  );
}

function Head<Row>(props: {
  column: Column<Row>;
  sorting: Sorting | null;
  onSort?: ((sorting: Sorting) => void) | undefined;
  onMove?: ((column: string, before: string) => void) | undefined;
}) {
  const { column, sorting, onSort, onMove } = props;
  const on = sorting?.column === column.id;
  const content = (
    <>
      {column.evidence ? <EvidenceMark kind={column.evidence} /> : null}
      {column.head}
    </>
  );
  return (
    <th
      scope="col"
      style={{ width: column.width }}
      data-align={column.align}
      draggable={onMove !== undefined}
      onDragStart={(event) => event.dataTransfer.setData(dragType, column.id)}
      onDragOver={(event) => {
        if (onMove && event.dataTransfer.types.includes(dragType)) event.preventDefault();
      }}
      onDrop={(event) => {
        const dragged = event.dataTransfer.getData(dragType);
        if (dragged) onMove?.(dragged, column.id);
      }}
      aria-sort={on ? (sorting.descending ? 'descending' : 'ascending') : undefined}
    >
      {column.sort && onSort ? (
        <button
          type="button"
          className={look.sort}
          data-on={on || undefined}
          onClick={() => onSort({ column: column.id, descending: on ? !sorting.descending : column.align === 'right' })}
        >
          {content}
          <span aria-hidden="true">{on ? (sorting.descending ? '↓' : '↑') : ''}</span>
        </button>
      ) : (
        <span className={look.plain}>{content}</span>
      )}
    </th>
  );
}
