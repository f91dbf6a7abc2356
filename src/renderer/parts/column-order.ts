// The order of columns and which are hidden, as data.

export interface ColumnTaste {
  /** Ids in the user's order; those it does not name keep their place. */
  order: readonly string[];
  hidden: readonly string[];
}

/** Columns in the user's order without the hidden ones; the first stays first. */
export function arrange<Column extends { id: string }>(all: readonly Column[], taste: ColumnTaste): Column[] {
  const [first, ...rest] = all;
  if (!first) return [];
  const place = (column: Column, at: number) => {
    const wanted = taste.order.indexOf(column.id);
    return wanted < 0 ? at : wanted;
  };
  const ordered = rest
    .map((column, at) => ({ column, place: place(column, at) }))
    .sort((one, other) => one.place - other.place)
    .map(({ column }) => column);
  return [first, ...ordered.filter((column) => !taste.hidden.includes(column.id))];
}

/** Puts a column in front of another. */
export function moveColumn(taste: ColumnTaste, ids: readonly string[], column: string, before: string): ColumnTaste {
  const [first, ...rest] = ids;
  if (column === before || column === first || !rest.includes(column)) return taste;
  const others = rest.filter((id) => id !== column);
  const at = before === first ? 0 : others.indexOf(before);
  if (at < 0) return taste;
  return { ...taste, order: [...others.slice(0, at), column, ...others.slice(at)] };
}
