// Seven billion parameters in half precision, weight-only int4: memory, time, the foretold end, cancel, kill and resume; docs/evidence/quantization-large.json.
// The model takes 13.5 GB of disk while it runs, and the runs as much again; LATHE_LARGE_MODEL names one that is there already.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../src/contract/words/run';
import { lathe } from '../lathe';
import { llama7B, writeLlamaShaped } from '../llama-shaped';
import { enginesOf } from '../main/jobs/processes';
import { record } from './evidence';

const folder = mkdtempSync(join(tmpdir(), 'lathe-large-'));
const workspace = join(folder, 'workspace');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipe = join(folder, 'recipe.json');
writeFileSync(
  recipe,
  JSON.stringify({ lathe: 1, steps: [{ method: 'weight-only', params: { bits: 4, groupSize: 32 } }] }),
);

interface Seen {
  readonly at: number;
  readonly share: number;
  readonly secondsLeft: number | null;
}

/** What the newest run tells of itself, read twice a second from the workspace's history. */
function watch(): { seen: Seen[]; end(): void } {
  const seen: Seen[] = [];
  let history: Database.Database | null = null;
  const timer = setInterval(() => {
    try {
      const name = readdirSync(workspace).find((file) => /\.(db|sqlite)$/.test(file));
      history ??= name ? new Database(join(workspace, name), { readonly: true }) : null;
      const text = history?.prepare('SELECT progress FROM runs ORDER BY number DESC LIMIT 1').pluck().get();
      if (typeof text !== 'string') return;
      const { share, secondsLeft } = JSON.parse(text) as Progress;
      if (seen.at(-1)?.share !== share) seen.push({ at: performance.now() / 1000, share, secondsLeft });
    } catch {
      // It is being made.
    }
  }, 500);
  return {
    seen,
    end() {
      clearInterval(timer);
      history?.close();
    },
  };
}

/** From a tenth of the true time on: how far the foretold end was from the true one, as a share of the whole. */
function misses(seen: readonly Seen[], started: number, ended: number): { worst: number; mean: number; told: number } {
  const off = seen
    .filter(({ at, secondsLeft }) => secondsLeft !== null && (at - started) / (ended - started) >= 0.1)
    .map(({ at, secondsLeft }) => Math.abs(at + secondsLeft! - ended) / (ended - started));
  const mean = off.reduce((sum, one) => sum + one, 0) / Math.max(1, off.length);
  return { worst: round(Math.max(0, ...off)), mean: round(mean), told: off.length };
}

const round = (value: number) => Math.round(value * 1000) / 1000;

/** Starts a command and sends a signal to it or to its bench after a while. */
async function interrupted(args: readonly string[], after: number, target: 'command' | 'engine') {
  let pid = 0;
  const outcome = lathe([...args, '--json'], { workspace, started: (child) => (pid = child.pid!) });
  await sleep(after);
  if (target === 'command') process.kill(pid, 'SIGINT');
  else for (const engine of enginesOf(pid)) process.kill(engine, 'SIGKILL');
  return outcome;
}

describe('seven billion parameters', () => {
  it('are cut in bounded memory, foretold, cancelled, killed and resumed', async () => {
    const given = process.env.LATHE_LARGE_MODEL;
    const path = given ?? (await writeLlamaShaped(join(folder, 'model'), llama7B)).path;
    const bytes = statSync(`${path}.data`).size;
    const run = ['run', path, '--recipe', recipe];

    // What else the machine was at: times and what was foretold of them count on a quiet one.
    const loadBefore = round(loadavg()[0]!);
    const watched = watch();
    const started = performance.now() / 1000;
    const whole = await lathe([...run, '--json'], { workspace });
    const ended = performance.now() / 1000;
    watched.end();
    expect(whole.code, whole.stderr + whole.stdout.slice(0, 400)).toBe(0);
    const { artifact, peakBytes, seconds, stages, fused } = whole.json;
    const apply = stages.find(({ stage }: { stage: string }) => stage === 'apply').seconds;
    record('quantization-large', 'run', {
      loadBefore,
      loadAfter: round(loadavg()[0]!),
      bytes,
      artifactBytes: artifact.bytes,
      seconds,
      stages,
      gigabytesPerSecond: { wholeRun: round(bytes / 1e9 / seconds), cutting: round(bytes / 1e9 / apply) },
      peakBytes,
      fused,
      endForetoldFromATenthOn: misses(watched.seen, started, ended),
    });
    expect(peakBytes).toBeLessThan(2e9);

    const cancelled = await interrupted(run, 12_000, 'command');
    expect(cancelled.code).toBe(130);
    expect(readdirSync(join(workspace, 'jobs'))).toEqual([]);

    const killed = await interrupted(run, (seconds * 1000) / 3, 'engine');
    expect(killed.json.error.code).toBe('engine-died');
    const [id] = readdirSync(join(workspace, 'jobs'));
    const resumed = await lathe(['resume', id!, '--json'], { workspace });
    expect(resumed.code, resumed.stderr + resumed.stdout.slice(0, 400)).toBe(0);
    expect(resumed.json.artifact.sha256).toBe(artifact.sha256);
    const kept = resumed.json.stages.find(({ stage }: { stage: string }) => stage === 'apply').seconds;
    record('quantization-large', 'interrupted', {
      cancel: { code: cancelled.code, left: 0 },
      kill: { afterSeconds: round(seconds / 3), sameBytes: true, applySeconds: kept, of: apply },
    });
  });
});
