// From the turn of a dial to the redrawn preview, in a browser, on a layer of 16.8 million weights; LATHE_PROVE=1 records it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { writeLargeModel } from '../engine/models';
import { record } from '../prove/evidence';
import { expect, openFolder, readRecipe, test } from './fixtures';

const round = (value: number) => Math.round(value * 10) / 10;
function quantiles(samples: readonly number[]) {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  return { p50: at(0.5), p95: at(0.95), n: samples.length };
}

/** Presses a key on the dial; milliseconds until the frame in which the figures of its new value are drawn. */
const turn = (page: Page, dial: string, key: string): Promise<number> =>
  page.evaluate(
    ([dial, key]) =>
      new Promise<number>((drawn, late) => {
        const slider = document.querySelector<HTMLElement>(`[role=slider][aria-labelledby="${dial}"]`)!;
        // Until the answer is there the figures stay as they were; bits a weight change with each stop up to groups of 128.
        const figures = () =>
          [...document.querySelectorAll('[data-size=readout]')].map((figure) => figure.textContent).join(' ');
        const before = figures();
        const started = performance.now();
        const watch = () => {
          const milliseconds = performance.now() - started;
          if (figures() !== before) drawn(milliseconds);
          else if (milliseconds > 20_000)
            late(new Error(`Still ${before} at ${slider.getAttribute('aria-valuetext')}`));
          else requestAnimationFrame(watch);
        };
        slider.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        requestAnimationFrame(watch);
      }),
    [dial, key] as const,
  );

const settled = async (page: Page) => {
  await expect(page.getByText(/exact follows/)).toBeHidden();
  await expect(page.locator('[data-size=readout][data-stale]')).toHaveCount(0);
};

test.skip(!process.env.LATHE_PROVE, 'a measurement');

test('the preview follows the dial', async ({ bench }) => {
  test.setTimeout(600_000);
  const { page } = bench;
  const folder = mkdtempSync(join(tmpdir(), 'lathe-dial-'));
  const measured: Record<string, unknown> = { weights: 2 ** 24, loadBefore: round(loadavg()[0]!) };
  try {
    await writeLargeModel({ folder: join(folder, 'large'), bytes: 2 ** 26 });
    await openFolder(page, join(folder, 'large'));
    await page.getByRole('link', { name: 'Recipe' }).click();
    const recipe = join(folder, 'recipe.json');
    for (const rounding of ['nearest', 'mse', 'hqq']) {
      const samples: number[] = [];
      // HQQ has zero points of its own, and the runtime takes them in 2 and 4 bits only.
      const ways =
        rounding === 'hqq' ? [[4], [2]] : [4, 8, 2].flatMap((bits) => [[bits, true] as const, [bits, false] as const]);
      for (const [bits, symmetric] of ways) {
        const params = { bits, groupSize: 16, rounding, symmetric };
        writeFileSync(recipe, JSON.stringify({ lathe: 1, steps: [{ method: 'weight-only', params }] }));
        await readRecipe(page, recipe);
        const group = page.getByRole('slider', { name: /group/i });
        await expect(group).toHaveAttribute('aria-valuenow', '16');
        const dial = (await group.getAttribute('aria-labelledby'))!;
        await settled(page);
        for (let i = 0; i < 3; i++) {
          samples.push(await turn(page, dial, 'ArrowRight'));
          await settled(page);
        }
      }
      measured[rounding] = quantiles(samples);
    }
    measured.loadAfter = round(loadavg()[0]!);
    record('preview', 'dialToRedraw', measured);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
