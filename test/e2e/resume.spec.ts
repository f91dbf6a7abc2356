// A run whose engine is killed under way: its page offers to resume it, and it comes to its end; or what it kept is discarded.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { writeLargeModel } from '../engine/models';
import { enginesOf } from '../main/jobs/processes';
import { expect, openFolder, readRecipe, test } from './fixtures';

/** Long enough for a checkpoint: 168 million weights, searched for the best range of two bits. */
const steps = [{ method: 'weight-only', params: { bits: 2, groupSize: 64, rounding: 'mse' } }];

/** Starts the recipe that is open, and kills the engine when its first checkpoint is there. */
async function killUnderWay(page: Page, workspace: string, host: number): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(page).toHaveURL(/\/runs\?/);
  const jobs = join(workspace, 'jobs');
  const hasCheckpoint = () => readdirSync(jobs).some((job) => existsSync(join(jobs, job, 'checkpoint.json')));
  while (!hasCheckpoint()) await sleep(50);
  for (const engine of enginesOf(host)) process.kill(engine, 'SIGKILL');
  await expect(page.getByText(/of what it made until .* are kept/)).toBeVisible();
}

test.skip(process.platform !== 'linux', 'engines are found in /proc');

test('a run whose engine dies is resumed by its button; what another one kept is discarded', async ({ bench }) => {
  const { page, workspace, host } = bench;
  test.skip(host === null, 'the host is another process tree');
  const folder = mkdtempSync(join(tmpdir(), 'lathe-resume-'));
  try {
    await writeLargeModel({ folder: join(folder, 'large'), bytes: 10 * 2 ** 26 });
    const recipe = join(folder, 'recipe.json');
    writeFileSync(recipe, JSON.stringify({ lathe: 1, steps }));
    await openFolder(page, join(folder, 'large'));
    await page.getByRole('link', { name: 'Recipe' }).click();
    await readRecipe(page, recipe);
    await expect(page.locator('pre')).toContainText('"rounding": "mse"');

    await killUnderWay(page, workspace, host!);
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Compare run 2' })).toBeVisible({ timeout: 120_000 });

    await page.getByRole('button', { name: 'Open the recipe' }).click();
    await killUnderWay(page, workspace, host!);
    await page.getByRole('button', { name: 'Discard what is kept' }).click();
    await expect(page.getByText(/are free again/)).toBeVisible();
    await expect(page.getByRole('button', { name: 'Resume', exact: true })).toBeHidden();
    expect(readdirSync(join(workspace, 'jobs'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
