// A training on screen: written as a recipe, watched while it learns, walked with the keys, stopped with what was gained, looked back on.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, openShapes, test } from './fixtures';

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`);
}

test('a training is watched, stopped with what was gained, and looked back on', async ({ bench }) => {
  const { page } = bench;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openShapes(page);
  await page.getByRole('link', { name: 'Recipe' }).click();
  await page.getByRole('button', { name: 'Remove this step' }).click();
  await page.getByRole('button', { name: 'Add a step' }).click();
  await page.getByRole('menuitem', { name: /^Fine-tune/ }).click();

  // What suits the samples, and what not to trust, stand there before the start; a click takes the suggestion.
  const batch = page.getByRole('slider', { name: /^Batch/ });
  await batch.focus();
  await page.keyboard.type('256');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Suggested: 32' }).click();
  await expect(batch).toHaveAttribute('aria-valuetext', '32 samples');
  await expect(page.getByText(/320 validation samples/).first()).toBeVisible();
  const epochs = page.getByRole('slider', { name: /^Epochs/ });
  await epochs.focus();
  await page.keyboard.type('400');
  await page.keyboard.press('Enter');
  await expect(page.locator('pre').first()).toContainText('"epochs": 400');
  expect(await serious(page), 'Recipe').toEqual([]);
  await page.getByRole('button', { name: 'Run', exact: true }).click();

  const steps = page.getByRole('slider', { name: 'Step of the training' });
  await expect(steps).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/alidation loss/);
  await steps.focus();
  await page.keyboard.press('Home');
  await expect(steps).toHaveAttribute('aria-valuetext', /^Step 0, Validation 0\.\d+/);
  await page.getByRole('button', { name: 'Stop and keep what was gained' }).click();
  await expect(page.getByRole('button', { name: 'Compare run 1' })).toBeVisible({ timeout: 60_000 });

  // The same picture, now from the document; as a table, and in History.
  await expect(page.getByText(/^It was stopped by hand after [\d,]+ of 36,000 steps\./)).toBeVisible();
  expect(await serious(page), 'Runs').toEqual([]);
  await page.getByRole('heading', { level: 1 }).click();
  await page.keyboard.press('t');
  await expect(page.getByRole('columnheader', { name: 'Validation loss' })).toBeVisible();
  await page.getByRole('link', { name: 'History' }).click();
  await expect(page.getByText(/^It was stopped by hand/)).toBeVisible();
});
