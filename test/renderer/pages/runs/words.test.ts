// What a run says of itself in each of its states.
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../../src/contract/words/run';
import { stagesOf, turnedLayers } from '../../../../src/renderer/pages/runs/run-stages';
import {
  coverage,
  culpritOf,
  findingOf,
  noteOf,
  originalOf,
  outcome,
  timeLeft,
  wasRefused,
} from '../../../../src/renderer/pages/runs/words';
import { document, evaluation, runRow } from '../run-row';

const progress: Progress = {
  stage: 'apply',
  text: 'Weight-only, layer 6 of 24',
  done: 6,
  total: 24,
  share: 0.2,
  secondsLeft: 250,
  secondsLeftBand: 40,
  stages: [
    { stage: 'fit', seconds: 0.03, state: 'done' },
    { stage: 'apply', seconds: 12, state: 'now' },
    { stage: 'write', seconds: 5, state: 'todo' },
  ],
  memoryBytes: 1,
  peakBytes: 2,
};
const measured = runRow(3, {
  metric: 'accuracy',
  value: 0.9411,
  document: document({ baseline: evaluation(0.9452, 1e6), compressed: evaluation(0.9411, 250_000) }),
});

describe('the finding', () => {
  it('says what is left and what it cost', () => {
    expect(findingOf(measured, [])).toBe('25\u202f% of the bytes, 94.11\u202f% top-1; the parent has 94.52\u202f%.');
    expect(findingOf(runRow(1, { document: document() }), [], 1e6)).toBe('25\u202f% of the bytes are left.');
  });
  it('speaks of agreement where there are no labels', () => {
    const compressed = evaluation(0.9989, 250_000);
    const agreed = { ...compressed, quality: { ...compressed.quality, metric: 'agreement' as const } };
    expect(findingOf(runRow(1, { document: document({ compressed: agreed }) }), [], 1e6)).toBe(
      '25\u202f% of the bytes; 99.89\u202f% of the answers agree with the parent’s.',
    );
  });
  it('says plainly that nothing was written', () => {
    const error = {
      code: 'bad-recipe' as const,
      sentence: 'steps[0].params.bits: 3 is not one of 2, 4, 8',
      place: 'steps[0].params.bits',
    };
    const refused = runRow(1, { state: 'failed', error });
    expect(wasRefused(refused)).toBe(true);
    expect(findingOf(refused, [])).toBe('weight-only cannot be run as it is.');
    expect(noteOf(refused)).toBe('3 is not one of 2, 4, 8.');
    expect(wasRefused(runRow(1, { state: 'failed', error: { code: 'engine-died', sentence: 'It stopped.' } }))).toBe(
      false,
    );
    expect(findingOf(runRow(1, { state: 'cancelled' }), [])).toMatch(/Nothing was written/);
    expect(findingOf(runRow(1, { state: 'interrupted' }), [])).toMatch(/Nothing half-written is in the library/);
    expect(findingOf(runRow(1, { state: 'queued' }), [])).toMatch(/waits for its turn/);
    expect(findingOf(runRow(1, { state: 'running', progress }), [])).toBe('Weight-only, layer 6 of 24.');
  });
});

describe('stages', () => {
  it('shows where the seconds of a finished run went', () => {
    const done = runRow(1, {
      document: document({
        stages: [
          { stage: 'fit', seconds: 0.004 },
          { stage: 'evaluate', seconds: 12.3 },
        ],
      }),
    });
    expect(stagesOf(done).map(({ label, state, time }) => [label, state, time])).toEqual([
      ['Fit', 'done', '4\u202fms'],
      ['Evaluate', 'done', '12\u202fs'],
    ]);
    expect(stagesOf(runRow(1, { document: document() }))).toEqual([]);
  });
  it('follows one under way', () => {
    const bars = stagesOf(runRow(1, { state: 'running', progress }));
    expect(bars.map(({ state }) => state)).toEqual(['done', 'now', 'todo']);
    expect(bars[1]).toMatchObject({ label: 'Cut', share: 0.25 });
    expect(bars[2]!.time).toBe('');
  });
  it('turns the cut layer by layer', () => {
    const at = (stage: string, done = 0, total = 0) =>
      turnedLayers(runRow(1, { state: 'running', progress: { ...progress, stage, done, total } }), 20);
    expect([at('fit'), at('apply', 6, 24), at('write'), at('evaluate', 5, 10)]).toEqual([0, 5, 20, 20]);
    expect(turnedLayers(runRow(1, { state: 'queued' }), 20)).toBe(0);
  });
});

describe('words', () => {
  it('says how long it still takes once that is known', () => {
    expect(timeLeft(progress)).toBe('4\u202fmin 10\u202fs left');
    expect(timeLeft({ ...progress, secondsLeft: null })).toBe('finding out how long');
    expect(timeLeft(null)).toBe('finding out how long');
  });
  it('puts what came of it on one line', () =>
    expect(outcome(measured)).toBe('250\u202fkB · 94.11\u202f% · 2.00\u202fms'));
  it('accounts for every layer', () => {
    const layer = (name: string, methods: string[]) => ({
      name,
      methods,
      shapeBefore: [1],
      shapeAfter: [1],
      bytesBefore: 4,
      bytesAfter: 4,
    });
    const layers = [layer('a', ['weight-only']), layer('b', [])];
    expect(coverage(runRow(1, { document: document({ layers }) }))).toBe('1 of 2 layers cut; 1 kept');
    expect(coverage(runRow(1))).toBeNull();
  });
  it('finds the layer a failure names, the longest name that fits', () => {
    const failed = runRow(1, {
      state: 'failed',
      error: { code: 'engine-died', sentence: 'The engine stopped at conv_31.' },
    });
    expect(culpritOf(failed, [{ name: 'conv_3' }, { name: 'conv_31' }, { name: 'fc' }])).toBe('conv_31');
    expect(culpritOf(failed, [{ name: 'fc' }])).toBeNull();
  });
  it('knows which run a replay repeats', () => {
    const rows = [runRow(5, { kind: 'replay' }), runRow(4, { seed: 9 }), runRow(3), runRow(2, { modelId: 'other' })];
    expect(originalOf(rows[0]!, rows)?.number).toBe(3);
    expect(originalOf(rows[2]!, rows)).toBeNull();
  });
});
