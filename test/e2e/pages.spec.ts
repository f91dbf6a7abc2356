// Every page, light and dark: no serious fault for axe, nothing asked from outside, first paint in time, refusals in words.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, openShapes, test } from './fixtures';

const pages = ['Library', 'Inspect', 'Recipe', 'Runs', 'Compare', 'Deploy', 'History', 'Settings'];

/** Opens the sample and cuts it, so that no page is empty. */
async function cutTheSample(page: Page): Promise<void> {
  await openShapes(page);
  await page.getByRole('link', { name: 'Recipe' }).click();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Compare run 1' })).toBeVisible({ timeout: 120_000 });
}

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`);
}

test('the server is ready within a second and paints within a second and a half', async ({ bench }) => {
  const { page, readyMs } = bench;
  await expect(page.getByRole('button', { name: 'Try a sample' })).toBeVisible();
  const paint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.POSITIVE_INFINITY,
  );
  console.log(`server ready in ${Math.round(readyMs)} ms, first contentful paint after ${Math.round(paint)} ms`);
  expect(readyMs).toBeLessThan(process.env.CI ? 5_000 : 2_000);
  expect(paint).toBeLessThan(process.env.CI ? 5_000 : 1_500);
});

test('axe finds no serious fault on an empty workbench', async ({ bench }) => {
  const { page } = bench;
  for (const name of pages) {
    await page.getByRole('link', { name }).click();
    await page.waitForTimeout(300);
    expect(await serious(page), `${name}, empty`).toEqual([]);
  }
});

for (const scheme of ['light', 'dark'] as const)
  test(`axe finds no serious fault on any page, ${scheme}`, async ({ bench }) => {
    const { page } = bench;
    await page.emulateMedia({ colorScheme: scheme });
    await cutTheSample(page);
    for (const name of pages) {
      await page.getByRole('link', { name }).click();
      await page.waitForLoadState('networkidle');
      await page.waitForTimeout(400);
      expect(await serious(page), `${name}, ${scheme}`).toEqual([]);
    }
  });
