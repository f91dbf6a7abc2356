// The one undo of the recipe: steps back and forward, a dragged dial as one.
import { describe, expect, it } from 'vitest';
import type { Recipe } from '../../../../src/contract/words/recipe';
import { change, redo, startHistory, undo } from '../../../../src/renderer/pages/recipe/undo';

const of = (bits: number): Recipe => ({ lathe: 1, steps: [{ method: 'weight-only', params: { bits } }] });

describe('undo', () => {
  it('goes back and forward one change at a time', () => {
    const history = change(change(startHistory(of(8)), of(4)), of(2));
    expect(undo(history).now).toEqual(of(4));
    expect(undo(undo(history)).now).toEqual(of(8));
    expect(redo(undo(history)).now).toEqual(of(2));
  });

  it('takes changes with one key as one, and a new key as another', () => {
    const history = change(change(change(startHistory(of(8)), of(4), 'dial'), of(2), 'dial'), of(16), 'other');
    expect(undo(history).now).toEqual(of(2));
    expect(undo(undo(history)).now).toEqual(of(8));
  });

  it('begins anew after an undo: the same key is a new change', () => {
    const history = change(undo(change(startHistory(of(8)), of(4), 'dial')), of(2), 'dial');
    expect(history.past).toEqual([of(8)]);
    expect(history.future).toEqual([]);
  });

  it('forgets nothing for a change that changes nothing', () => {
    const history = undo(change(startHistory(of(8)), of(4)));
    expect(change(history, of(8))).toBe(history);
  });

  it('stays where there is nothing to take back', () => {
    expect(undo(startHistory(of(8))).now).toEqual(of(8));
    expect(redo(startHistory(of(8))).now).toEqual(of(8));
  });
});
