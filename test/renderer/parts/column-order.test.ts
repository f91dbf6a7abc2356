// Columns: the user's order and hiding, with the first always first.
import { describe, expect, it } from 'vitest';
import { arrange, moveColumn } from '../../../src/renderer/parts/column-order';

const all = ['name', 'a', 'b', 'c'].map((id) => ({ id }));
const ids = all.map(({ id }) => id);
const plain = { order: [], hidden: [] };
const shown = (taste: Parameters<typeof arrange>[1]) => arrange(all, taste).map(({ id }) => id);

describe('columns', () => {
  it('are as given until moved', () => expect(shown(plain)).toEqual(ids));
  it('move in front of another', () => {
    expect(shown(moveColumn(plain, ids, 'c', 'a'))).toEqual(['name', 'c', 'a', 'b']);
    expect(shown(moveColumn(plain, ids, 'a', 'c'))).toEqual(['name', 'b', 'a', 'c']);
  });
  it('never pass the first, and the first never moves', () => {
    expect(shown(moveColumn(plain, ids, 'b', 'name'))).toEqual(['name', 'b', 'a', 'c']);
    expect(moveColumn(plain, ids, 'name', 'c')).toBe(plain);
  });
  it('hide, but not the first', () => {
    expect(shown({ order: [], hidden: ['b', 'name'] })).toEqual(['name', 'a', 'c']);
  });
});
