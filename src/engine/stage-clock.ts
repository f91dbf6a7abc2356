// How long each stage of a run took.
import type { Stage } from '../contract/words/run';

/** Seconds of each stage that ran, in order of first entry. */
export class StageClock {
  private readonly seconds = new Map<Stage | 'hash', number>();
  private current: Stage | 'hash' | null = null;
  private since = 0;

  get stages(): { stage: Stage | 'hash'; seconds: number }[] {
    return [...this.seconds].map(([stage, seconds]) => ({ stage, seconds }));
  }

  /** Time from now on counts for this stage; null: for none. */
  enter(stage: Stage | 'hash' | null): void {
    if (stage === this.current) return;
    const now = performance.now();
    if (this.current) this.seconds.set(this.current, (this.seconds.get(this.current) ?? 0) + (now - this.since) / 1000);
    this.current = stage;
    this.since = now;
  }

  async time<T>(stage: Stage | 'hash', work: () => Promise<T>): Promise<T> {
    this.enter(stage);
    try {
      return await work();
    } finally {
      this.enter(null);
    }
  }
}
