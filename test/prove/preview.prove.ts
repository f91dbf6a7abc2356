// The live preview under a dial, measured at the real desk process; the numbers go to docs/evidence/preview.json.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Desk } from '../../src/main/jobs/desk';
import { childForker } from '../../src/main/jobs/forkers';
import { writeLargeModel } from '../engine/models';
import { root } from '../lathe';
import { record } from './evidence';

const folder = mkdtempSync(join(tmpdir(), 'lathe-preview-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const turns = 40;
const groupSizes = [16, 32, 64, 128, 256];
const layer = '/layers.0/MatMul';

const round = (value: number) => Math.round(value * 10) / 10;
function quantiles(samples: readonly number[]) {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  return { p50: at(0.5), p95: at(0.95), n: samples.length };
}

describe('the live preview of 16.8 million weights', () => {
  it('at the desk: each rounding under a dial, the exact answer, a newer question', async () => {
    const { path } = await writeLargeModel({ folder: join(folder, 'model'), bytes: 2 ** 26 });
    const desk = new Desk(childForker(resolve(root, 'out/main/engine.js')), () => {});
    const ask = (rounding: string, turn: number, exact = false) =>
      desk.preview({
        path,
        layer,
        method: 'weight-only',
        params: { bits: turn % 2 ? 4 : 2, groupSize: groupSizes[turn % groupSizes.length]!, rounding },
        ...(exact ? { exact } : {}),
      });
    const timed = async <T>(work: () => Promise<T>): Promise<{ milliseconds: number; answer: T }> => {
      const started = performance.now();
      const answer = await work();
      return { milliseconds: performance.now() - started, answer };
    };
    // What else the machine was at: times count on a quiet one.
    const seen: Record<string, unknown> = { loadBefore: round(loadavg()[0]!) };
    try {
      const cold = await timed(() => ask('nearest', 1));
      seen.firstMs = round(cold.milliseconds);
      for (const rounding of ['nearest', 'mse', 'hqq', 'gptq']) {
        const samples: number[] = [];
        let last = await ask(rounding, 0);
        for (let turn = 0; turn < turns; turn++) {
          const { milliseconds, answer } = await timed(() => ask(rounding, turn));
          samples.push(milliseconds);
          last = answer;
        }
        const exact = await timed(() => ask(rounding, turns - 1, true));
        expect(exact.answer.sample).toBe(null);
        seen[rounding] = {
          ms: quantiles(samples),
          sample: last.sample,
          estimate: last.estimate,
          decibels: last.sqnrDb,
          exactMs: round(exact.milliseconds),
          exactDecibels: exact.answer.sqnrDb,
        };
      }
      // A newer question while the longest exact answer is being worked out.
      const behind: number[] = [];
      for (let turn = 0; turn < 10; turn++) {
        const replaced = ask('hqq', turn, true).then(
          () => 'answered',
          () => 'replaced',
        );
        await new Promise((wait) => setTimeout(wait, 60));
        const newer = await timed(() => ask('nearest', turn));
        behind.push(newer.milliseconds);
        expect(await replaced).toBe('replaced');
      }
      seen.newerOverExactMs = quantiles(behind);
      record('preview', 'atTheDesk', seen);
    } finally {
      await desk.close();
    }
  });
});
