// The most memory this process held while something was measured.
import { ownMemoryBytes } from '../runtime/machine';

/** Sampled when told to and, in between, ten times a second; a run in progress holds the timer up, so tell it after each. */
export class PeakMemory {
  private peak = ownMemoryBytes();
  private last = performance.now();
  private readonly timer = setInterval(() => this.look(), 100).unref();

  /** Looks now, unless it did within the last 20 ms: reading it takes a tenth of one. */
  look(): void {
    const now = performance.now();
    if (now - this.last < 20) return;
    this.last = now;
    this.peak = Math.max(this.peak, ownMemoryBytes());
  }

  stop(): number {
    clearInterval(this.timer);
    return Math.max(this.peak, ownMemoryBytes());
  }
}
