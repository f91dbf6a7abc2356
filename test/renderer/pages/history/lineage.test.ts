// The lineage: models under their runs, branches by method, lanes that never cross where they need not.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LibraryModel } from '../../../../src/contract/words/model';
import type { RunRow } from '../../../../src/contract/words/run';
import { entriesOf, kinOf } from '../../../../src/renderer/pages/history/entries';
import { laneCount, lineage } from '../../../../src/renderer/pages/history/lineage';
import { parent } from '../../stand-in/models';
import { runRow } from '../run-row';

const model = (id: string): LibraryModel => ({ ...parent, id, name: id });
const models = new Map(['m', 'n'].map((id) => [id, model(id)]));
const by = (method: string) => ({ lathe: 1 as const, steps: [{ method, params: {} }] });

describe('entries', () => {
  it('puts each model under its oldest run', () => {
    const rows = [runRow(4), runRow(3, { modelId: 'n' }), runRow(2), runRow(1, { modelId: 'n' })];
    expect(entriesOf(rows, models).map((entry) => entry.id)).toEqual(['r4', 'r3', 'r2', 'm', 'r1', 'n']);
  });

  it('hangs a run of an artifact on the run that made it', () => {
    const rows = [runRow(3, { modelId: 'a1' }), runRow(2), runRow(1)];
    const entries = entriesOf(rows, new Map([...models, ['a1', model('a1')]]));
    expect(entries.map((entry) => [entry.id, entry.parent])).toEqual([
      ['r3', 'r1'],
      ['r2', 'm'],
      ['r1', 'm'],
      ['m', null],
    ]);
    expect([...kinOf(entries, 'r1')].sort()).toEqual(['m', 'r1', 'r3']);
    expect([...kinOf(entries, 'r3')].sort()).toEqual(['m', 'r1', 'r3']);
    expect([...kinOf(entries, 'm')].sort()).toEqual(['m', 'r1', 'r2', 'r3']);
  });

  it('shows the model itself where the maker is filtered away', () => {
    const entries = entriesOf([runRow(3, { modelId: 'a1' })], new Map([['a1', model('a1')]]), [
      runRow(3, { modelId: 'a1' }),
      runRow(1),
    ]);
    expect(entries.map((entry) => entry.id)).toEqual(['r3', 'a1']);
  });
});

describe('lanes', () => {
  const rows = [
    runRow(4, { recipe: by('weight-only') }),
    runRow(3, { recipe: by('float16'), artifactModelId: null }),
    runRow(2, { recipe: by('weight-only') }),
    runRow(1, { recipe: by('weight-only') }),
  ];
  const drawn = lineage(entriesOf(rows, models));

  it('gives the oldest branch the straight lane, the next one its own', () => {
    expect(drawn.map((row) => row.lane)).toEqual([0, 1, 0, 0, 0]);
    expect(drawn.map((row) => row.mark)).toEqual(['dot', 'ring', 'dot', 'dot', 'square']);
  });

  it('draws a branch from its newest run down to its parent', () => {
    expect(drawn[0]!.lines).toEqual([{ lane: 0, piece: 'lower' }]);
    expect(drawn[1]!.lines).toEqual(
      expect.arrayContaining([
        { lane: 0, piece: 'whole' },
        { lane: 1, piece: 'lower' },
      ]),
    );
    expect(drawn[4]!.lines).toEqual([{ lane: 0, piece: 'upper' }]);
    expect(drawn[4]!.joins).toEqual([1]);
  });

  it('has a line wherever a run has a parent, never two branches on a lane while there is room', () => {
    const method = fc.constantFrom('weight-only', 'float16', 'int8-dynamic');
    const history = fc.array(fc.record({ method, modelId: fc.constantFrom('m', 'n') }), {
      minLength: 1,
      maxLength: 14,
    });
    fc.assert(
      fc.property(history, (steps) => {
        const made: RunRow[] = steps
          .map(({ method: each, modelId }, at) => runRow(at + 1, { recipe: by(each), modelId }))
          .reverse();
        const entries = entriesOf(made, models);
        for (const [at, row] of lineage(entries).entries()) {
          expect(row.lane).toBeLessThan(laneCount);
          if (entries[at]!.parent !== null)
            expect(row.lines.some((line) => line.lane === row.lane && line.piece !== 'upper')).toBe(true);
          const wholes = row.lines.filter((line) => line.piece === 'whole').map((line) => line.lane);
          if (Math.max(...wholes, 0) < laneCount - 1) expect(new Set(wholes).size).toBe(wholes.length);
        }
      }),
    );
  });
});
