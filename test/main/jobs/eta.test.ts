// ETA: shares never go back, nothing is said in the first seconds, and a steady rate is told truly.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Eta } from '../../../src/main/jobs/eta';

const step = (eta: Eta, stage: string, done: number, total: number, now: number) =>
  eta.progress({ stage, text: stage, done, total }, now);

describe('eta', () => {
  it('says nothing in the first three seconds', () => {
    const eta = new Eta(0);
    eta.stages([{ stage: 'apply', seconds: 10 }]);
    step(eta, 'apply', 1, 10, 1_000);
    expect(eta.show(1_000)).toMatchObject({ secondsLeft: null, secondsLeftBand: null, stage: 'apply' });
  });

  it('believes the measured rate more than what was announced', () => {
    const eta = new Eta(0);
    eta.stages([{ stage: 'apply', seconds: 10 }]);
    step(eta, 'apply', 0, 10, 0);
    for (let done = 1; done <= 5; done++) step(eta, 'apply', done, 10, done * 4_000);
    const { secondsLeft, share } = eta.show(20_000);
    expect(secondsLeft).toBeCloseTo(20, 5);
    expect(share).toBeCloseTo(0.5, 5);
  });

  it('scales the stages to come by the pace of those that are over', () => {
    const eta = new Eta(0);
    eta.stages([
      { stage: 'apply', seconds: 5 },
      { stage: 'evaluate', seconds: 10 },
    ]);
    step(eta, 'apply', 1, 1, 0);
    step(eta, 'evaluate', 0, 100, 10_000);
    const { secondsLeft, stages } = eta.show(10_000);
    expect(secondsLeft).toBeCloseTo(20, 1);
    expect(stages.map(({ state }) => state)).toEqual(['done', 'now']);
  });

  it('takes a stage that comes twice as two, and one that was not announced as one more', () => {
    const eta = new Eta(0);
    eta.stages([
      { stage: 'evaluate', seconds: 1 },
      { stage: 'apply', seconds: 1 },
      { stage: 'evaluate', seconds: 1 },
    ]);
    step(eta, 'evaluate', 9, 10, 1_000);
    step(eta, 'apply', 1, 1, 2_000);
    step(eta, 'reload', 1, 1, 3_000);
    step(eta, 'evaluate', 0, 10, 4_000);
    expect(eta.show(4_000).stages.map(({ stage, state }) => `${stage} ${state}`)).toEqual([
      'evaluate done',
      'apply done',
      'reload done',
      'evaluate now',
    ]);
  });

  it('keeps a training to come where another step cuts before it', () => {
    const eta = new Eta(0);
    eta.stages([
      { stage: 'fit', seconds: 1 },
      { stage: 'gather', seconds: 1 },
      { stage: 'train', seconds: 30 },
      { stage: 'apply', seconds: 1 },
      { stage: 'write', seconds: 1 },
    ]);
    step(eta, 'apply', 1, 2, 1_000);
    expect(eta.show(1_000).share).toBeLessThan(0.2);
    step(eta, 'gather', 1, 2, 2_000);
    step(eta, 'train', 10, 100, 5_000);
    expect(eta.show(5_000).stages.map(({ stage, state }) => `${stage} ${state}`)).toEqual([
      'fit done',
      'apply done',
      'gather done',
      'train now',
      'write todo',
    ]);
    expect(eta.show(5_000).secondsLeft).toBeGreaterThan(20);
  });

  it('reads a stage in parts as one where it was announced once', () => {
    const eta = new Eta(0);
    eta.stages([
      { stage: 'gather', seconds: 1 },
      { stage: 'train', seconds: 5 },
    ]);
    step(eta, 'gather', 9, 10, 500);
    step(eta, 'gather', 0, 10, 900);
    expect(eta.show(900).stages).toHaveLength(2);
  });

  it('never goes back, never promises less than nothing, whatever comes', () => {
    const event = fc.record({
      stage: fc.constantFrom('fit', 'apply', 'write'),
      done: fc.nat(20),
      after: fc.nat(5_000),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const eta = new Eta(0);
        eta.stages([
          { stage: 'fit', seconds: 1 },
          { stage: 'apply', seconds: 7 },
        ]);
        let now = 0;
        let share = 0;
        for (const { stage, done, after } of events) {
          now += after;
          step(eta, stage, done, 20, now);
          const shown = eta.show(now);
          expect(shown.share).toBeGreaterThanOrEqual(share);
          expect(shown.share).toBeLessThanOrEqual(1);
          expect(shown.secondsLeft ?? 0).toBeGreaterThanOrEqual(0);
          expect(shown.secondsLeftBand ?? 0).toBeGreaterThanOrEqual(0);
          share = shown.share;
        }
      }),
    );
  });
});
