// The walk: a model is dropped in, inspected, cut, measured, compared and exported; the command line makes the same bytes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { hasTestData, testData } from '../data';
import { writeDataset } from '../datasets';
import { lathe } from '../lathe';
import { expect, openShapes, test } from './fixtures';

/** Drops files on the window as a person does: over it first, then let go. */
async function drop(page: Page, files: readonly { name: string; path: string }[]): Promise<void> {
  const parts = files.map(({ name, path }) => ({ name, base64: readFileSync(path).toString('base64') }));
  const transfer = await page.evaluateHandle((given) => {
    const data = new DataTransfer();
    for (const { name, base64 } of given)
      data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], name));
    return data;
  }, parts);
  for (const event of ['dragenter', 'dragover', 'drop'])
    await page.dispatchEvent('body', event, { dataTransfer: transfer });
}

const row = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) });

test.skip(!hasTestData, 'no test data');

test('from a dropped model to a verified bundle, with the bytes of the command line', async ({ bench }) => {
  const { page, workspace } = bench;
  const folder = mkdtempSync(join(tmpdir(), 'lathe-walk-'));
  const model = testData('models/mnist-cnn-ext/model.onnx');
  const data = writeDataset(join(folder, 'mnist'), 'mnist', 'mnist-cnn-ext');

  // Dropped, with its external data beside it.
  await drop(page, [
    { name: 'model.onnx', path: model },
    { name: 'model.onnx.data', path: `${model}.data` },
  ]);
  await expect(page).toHaveURL(/\/inspect\?/);
  await expect(row(page, 'node_Conv_18')).toBeVisible();

  // Histograms fill in; the selected layer shows its own.
  await row(page, 'node_linear').click();
  await expect(page.getByRole('heading', { name: 'node_linear' })).toBeVisible();
  await expect(page.locator('.recharts-surface').first()).toBeVisible();

  // The dataset, by its path on this machine.
  await page.getByRole('link', { name: 'Library' }).click();
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('menuitem', { name: /path on this machine/i }).click();
  await page.getByLabel('Path', { exact: true }).fill(join(folder, 'mnist'));
  await page.getByRole('button', { name: 'Go', exact: true }).click();
  await page.getByRole('button', { name: 'Open this folder' }).click();
  await expect(page.getByRole('button', { name: /mnist.*samples/ })).toBeVisible();

  // The recipe: 4 bits for every layer but the first convolution.
  await page.getByRole('link', { name: 'Recipe' }).click();
  const first = row(page, 'node_Conv_18');
  await first.getByRole('radio', { name: 'Keep as it is' }).click();
  await expect(page.locator('pre')).toContainText('"exclude": [ "node_Conv_18" ]');
  await row(page, 'node_linear').click();
  await expect(page.getByText(/dB/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Run', exact: true }).click();

  // Measured, then compared with its parent.
  await expect(page).toHaveURL(/\/runs\?/);
  await page.getByRole('button', { name: 'Compare run 1' }).click({ timeout: 120_000 });
  await expect(page.getByRole('heading', { level: 1 })).toContainText(
    /Run 1 (cannot be told from|is worse than|is better than) its parent/,
  );
  await expect(page.getByRole('row').filter({ hasText: '99.40' })).toBeVisible();
  await page.getByRole('button', { name: 'Deploy run 1' }).click();

  // Exported for the Raspberry Pi 5 and verified on the spot.
  await page
    .getByRole('button', { name: /Raspberry Pi 5/ })
    .first()
    .click();
  const out = join(folder, 'for-the-pi');
  await page.getByLabel('Folder, made new').fill(out);
  await page.getByRole('button', { name: 'Export for Raspberry Pi 5' }).click();
  await expect(page.getByRole('heading', { name: /Verified: \d+ of \d+ checks hold/ })).toBeVisible({
    timeout: 60_000,
  });

  // The same by the command line: the bundle verifies, and the same recipe gives the same bytes.
  const verified = await lathe(['verify', out, '--json'], { workspace });
  expect(verified.json?.ok, verified.stdout + verified.stderr).toBe(true);
  const recipe = join(folder, 'recipe.json');
  writeFileSync(
    recipe,
    JSON.stringify({
      lathe: 1,
      steps: [{ method: 'weight-only', params: { bits: 4 }, layers: { exclude: ['node_Conv_18'] } }],
    }),
  );
  const elsewhere = join(folder, 'elsewhere');
  const run = await lathe(['run', model, '--recipe', recipe, '--data', data, '--json'], { workspace: elsewhere });
  expect(run.code, run.stderr).toBe(0);
  const history = await lathe(['history', '--json'], { workspace });
  const onScreen = await lathe(['history', 'show', history.json.runs[0].id, '--json'], { workspace });
  expect(run.json.artifact.sha256).toBe(onScreen.json.artifact.sha256);
  expect(run.json.compressed.quality).toEqual(onScreen.json.compressed.quality);
  rmSync(folder, { recursive: true, force: true });
});

test('the sample needs nothing else', async ({ bench }) => {
  const { page } = bench;
  await openShapes(page);
  await page.getByRole('link', { name: 'Recipe' }).click();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('button', { name: 'Compare run 1' }).click({ timeout: 120_000 });
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Run 1');
});
