// How long one run takes here: warm-ups first, then the median and the 95th percentile, with what they were taken under.
import type { Latency } from '../../contract/words/quality';
import type { Feeds, Session } from '../runtime/session';

export interface LatencyRequest {
  readonly batch: number;
  readonly threads: number;
  readonly warmup?: number;
  readonly runs?: number;
  /** Told before each run; throws to end the measurement. */
  readonly onRun?: (done: number, total: number) => void;
}

/** A model so slow that all its runs would take longer is timed by fewer of them, and the record says how many. */
const longestMs = 30_000;
const fewest = { warmup: 1, runs: 5 };

export async function measureLatency(session: Session, feeds: Feeds, request: LatencyRequest): Promise<Latency> {
  let warmup = request.warmup ?? 10;
  let runs = request.runs ?? 50;
  const times: number[] = [];
  let warmed = 0;
  let warmingMs = 0;
  while (warmed < warmup) {
    request.onRun?.(warmed, warmup + runs);
    warmingMs += await timed(session, feeds);
    warmed++;
    const affordable = Math.floor((longestMs * warmed) / Math.max(warmingMs, 1e-3));
    warmup = Math.min(warmup, Math.max(fewest.warmup, Math.floor(affordable / 6)));
    runs = Math.min(runs, Math.max(fewest.runs, affordable));
  }
  while (times.length < runs) {
    request.onRun?.(warmed + times.length, warmed + runs);
    times.push(await timed(session, feeds));
  }
  times.sort((a, b) => a - b);
  return {
    p50: percentile(times, 0.5),
    p95: percentile(times, 0.95),
    p50ci95: medianInterval(times),
    batch: request.batch,
    threads: request.threads,
    runs,
    warmup: warmed,
  };
}

/**
 * 95 % interval of the median from its order statistics: the ranks n/2 ± 1.96·√n/2 of a binomial with p = ½
 * (Conover, Practical Nonparametric Statistics, §3.2). `sorted` ascends and is not empty.
 */
export function medianInterval(sorted: readonly number[]): [number, number] {
  const n = sorted.length;
  const reach = (1.96 * Math.sqrt(n)) / 2;
  const low = Math.max(0, Math.floor(n / 2 - reach) - 1);
  const high = Math.min(n - 1, Math.ceil(n / 2 + reach));
  return [sorted[low]!, sorted[high]!];
}

async function timed(session: Session, feeds: Feeds): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}

/** Between the two nearest ranks, linearly. `sorted` ascends and is not empty. */
export function percentile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}
