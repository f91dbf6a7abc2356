// ETA: how far a job is, how long it still takes, and how sure that is, from the stages it announced and the rate that is measured.
import type { Progress } from '../../contract/words/run';
import type { TaskEvent } from './engine-process';

/** Before this much has passed, an estimate would be a guess. */
const silentSeconds = 3;
/** Estimates of the last seconds; their spread is the uncertainty that is shown. */
const spreadSeconds = 12;
/** An estimate is never said to be surer than this share of itself. */
const leastBand = 0.08;

const comeWithTheirStep: ReadonlySet<string> = new Set(['gather', 'train']);

interface StageState {
  readonly stage: string;
  /** What was announced, seconds. */
  readonly expected: number;
  spent: number;
  /** 0…1 */
  share: number;
}

type Shown = Pick<
  Progress,
  'stage' | 'text' | 'done' | 'total' | 'share' | 'secondsLeft' | 'secondsLeftBand' | 'stages'
>;

export class Eta {
  readonly #begin: number;
  #stages: StageState[] = [];
  #current = -1;
  #entered: number;
  #text = 'Starting';
  #done = 0;
  #total = 0;
  #share = 0;
  #ends: { at: number; end: number }[] = [];

  constructor(now: number) {
    this.#begin = now;
    this.#entered = now;
  }

  stages(stages: Extract<TaskEvent, { kind: 'stages' }>['stages']): void {
    this.#stages = stages.map(({ stage, seconds }) => ({
      stage,
      expected: Math.max(seconds, 0.01),
      spent: 0,
      share: 0,
    }));
    this.#current = -1;
  }

  progress(event: Omit<Extract<TaskEvent, { kind: 'progress' }>, 'kind'>, now: number): void {
    const { stage, text, done, total } = event;
    const share = event.share ?? (total > 0 ? Math.min(1, done / total) : 0);
    const current = this.#stages[this.#current];
    // The same stage may come twice (before and after): beginning anew is the next one of that name, where one was announced.
    const anew = current !== undefined && share < current.share - 0.5 && this.#later(stage) >= 0;
    if (current?.stage !== stage || anew) this.#enter(stage, now);
    const entered = this.#stages[this.#current]!;
    entered.share = Math.max(share, entered.share);
    entered.spent = (now - this.#entered) / 1000;
    this.#text = text;
    this.#done = done;
    this.#total = total;
  }

  show(now: number): Shown {
    const current = this.#stages[this.#current];
    if (current) current.spent = (now - this.#entered) / 1000;
    const left = this.#secondsLeft();
    const elapsed = (now - this.#begin) / 1000;
    if (left !== null) this.#share = Math.max(this.#share, Math.min(0.999, elapsed / Math.max(elapsed + left, 0.001)));
    const told = left !== null && elapsed >= silentSeconds;
    return {
      stage: current?.stage ?? 'start',
      text: this.#text,
      done: this.#done,
      total: this.#total,
      share: this.#share,
      secondsLeft: told ? left : null,
      secondsLeftBand: told ? this.#band(left, now) : null,
      stages: this.#stages.map((stage, index) => ({
        stage: stage.stage,
        seconds: index <= this.#current ? stage.spent : stage.expected * this.#pace(),
        state: index < this.#current ? 'done' : index === this.#current ? 'now' : 'todo',
      })),
    };
  }

  #enter(stage: string, now: number): void {
    const current = this.#stages[this.#current];
    if (current) {
      current.spent = (now - this.#entered) / 1000;
      current.share = 1;
    }
    if (stage === 'apply') this.#putOff(this.#later(stage));
    const next = this.#later(stage);
    if (next >= 0) this.#current = next;
    else {
      this.#stages.splice(this.#current + 1, 0, { stage, expected: 0.01, spent: 0, share: 0 });
      this.#current += 1;
    }
    this.#entered = now;
  }

  /** Steps may cut before others gather or train: what was announced before the cutting is still to come then. */
  #putOff(cutting: number): void {
    if (cutting < 0) return;
    const passed = this.#stages.slice(this.#current + 1, cutting).filter(({ stage }) => comeWithTheirStep.has(stage));
    const isPassed = new Set(passed);
    const announced = this.#stages[cutting]!;
    const rest = this.#stages.filter((stage) => !isPassed.has(stage));
    rest.splice(rest.indexOf(announced) + 1, 0, ...passed);
    this.#stages = rest;
  }

  #later(stage: string): number {
    return this.#stages.findIndex((known, index) => index > this.#current && known.stage === stage);
  }

  /** Measured over announced seconds of the stages that are over. */
  #pace(): number {
    const over = this.#stages.slice(0, Math.max(0, this.#current));
    const expected = over.reduce((sum, stage) => sum + stage.expected, 0);
    const spent = over.reduce((sum, stage) => sum + stage.spent, 0);
    return expected > 0.5 ? Math.min(4, Math.max(0.25, spent / expected)) : 1;
  }

  #secondsLeft(): number | null {
    const current = this.#stages[this.#current];
    if (!current) return null;
    const pace = this.#pace();
    const announced = Math.max(0, current.expected * pace - current.spent);
    const measured = current.share > 0 ? (current.spent / current.share) * (1 - current.share) : announced;
    // The further the stage, the more its own rate counts against what was announced.
    const trust = Math.min(1, current.share * 4);
    const now = trust * measured + (1 - trust) * announced;
    return this.#stages.slice(this.#current + 1).reduce((sum, stage) => sum + stage.expected * pace, now);
  }

  /** Half the spread of the ends foretold lately; no end lies in the past, so it is never more than the time left. */
  #band(left: number, now: number): number {
    const end = now / 1000 + left;
    this.#ends = [...this.#ends.filter(({ at }) => now / 1000 - at < spreadSeconds), { at: now / 1000, end }];
    const ends = this.#ends.map((foretold) => foretold.end);
    const spread = (Math.max(...ends) - Math.min(...ends)) / 2;
    return Math.min(left, Math.max(spread, left * leastBand));
  }
}
