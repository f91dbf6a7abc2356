// Columns of a table as the user wants them: shown, hidden, dragged into another order, remembered per table.
import { ActionIcon, Menu } from '@mantine/core';
import { IconCheck, IconColumns } from '@tabler/icons-react';
import { type ReactNode, useCallback, useMemo, useState } from 'react';
import { remembered } from '../remembered';
import { arrange, type ColumnTaste, moveColumn } from './column-order';
import type { Column } from './data-table';

function read(id: string): ColumnTaste {
  try {
    const kept = JSON.parse(remembered.get(`columns.${id}`) ?? '{}') as Partial<ColumnTaste>;
    return { order: kept.order ?? [], hidden: kept.hidden ?? [] };
  } catch {
    return { order: [], hidden: [] };
  }
}

export interface Columns<Row> {
  columns: Column<Row>[];
  /** For the panel's head: which columns are shown. */
  menu: ReactNode;
  /** For `<DataTable onMoveColumn>`. */
  move(column: string, before: string): void;
}

/** The first column names the row: it stays first and is never hidden. */
export function useColumns<Row>(id: string, all: readonly Column<Row>[]): Columns<Row> {
  const [taste, setTaste] = useState(() => read(id));
  const keep = useCallback(
    (next: ColumnTaste) => {
      setTaste(next);
      remembered.set(`columns.${id}`, JSON.stringify(next));
    },
    [id],
  );
  const columns = useMemo(() => arrange(all, taste), [all, taste]);
  const move = (column: string, before: string) =>
    keep(
      moveColumn(
        taste,
        arrange(all, { ...taste, hidden: [] }).map((each) => each.id),
        column,
        before,
      ),
    );
  const toggle = (column: string) =>
    keep({
      ...taste,
      hidden: taste.hidden.includes(column)
        ? taste.hidden.filter((each) => each !== column)
        : [...taste.hidden, column],
    });
  const menu = (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label="Columns">
          <IconColumns size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Columns; drag a head to move it</Menu.Label>
        {all.slice(1).map((column) => (
          <Menu.Item
            key={column.id}
            onClick={() => toggle(column.id)}
            role="menuitemcheckbox"
            aria-checked={!taste.hidden.includes(column.id)}
            leftSection={<IconCheck size={14} opacity={taste.hidden.includes(column.id) ? 0 : 1} />}
          >
            {column.title ?? column.head}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
  return { columns, menu, move };
}
