// Sorting of table rows: numbers by size, words by alphabet, what is missing last whichever way.

export interface Sorting {
  column: string;
  descending: boolean;
}

interface Sortable<Row> {
  id: string;
  sort?: (row: Row) => number | string | null;
}

const words = new Intl.Collator('en', { numeric: true });

export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Sortable<Row>[],
  sorting: Sorting | null,
): readonly Row[] {
  const by = columns.find((column) => column.id === sorting?.column)?.sort;
  if (!by || !sorting) return rows;
  const sign = sorting.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: by(row) }))
    .sort((one, other) => {
      if (one.value === null || other.value === null) return Number(one.value === null) - Number(other.value === null);
      if (typeof one.value === 'number' && typeof other.value === 'number') return sign * (one.value - other.value);
      return sign * words.compare(String(one.value), String(other.value));
    })
    .map(({ row }) => row);
}
