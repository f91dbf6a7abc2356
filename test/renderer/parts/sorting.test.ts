// Sorting: what is missing stands last whichever way, and names count as people do.
import { expect, it } from 'vitest';
import { sortRows } from '../../../src/renderer/parts/sorting';

const rows = [
  { n: 'layer10', v: 2 },
  { n: 'layer9', v: null },
  { n: 'layer2', v: 7 },
];
const columns = [
  { id: 'n', sort: (row: (typeof rows)[number]) => row.n },
  { id: 'v', sort: (row: (typeof rows)[number]) => row.v },
];
const names = (column: string, descending: boolean) =>
  sortRows(rows, columns, { column, descending }).map((row) => row.n);

it('sorts numbers by size, the missing last', () => {
  expect(names('v', true)).toEqual(['layer2', 'layer10', 'layer9']);
  expect(names('v', false)).toEqual(['layer10', 'layer2', 'layer9']);
});
it('sorts names by their numbers', () => expect(names('n', false)).toEqual(['layer2', 'layer9', 'layer10']));
it('leaves rows alone without a known column', () => expect(sortRows(rows, columns, null)).toBe(rows));
