// `--preset`: one model's own preparation over a dataset that says another, or none.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../../data';
import { preparation, writeDataset } from '../../datasets';
import { lathe } from '../../lathe';

const folder = mkdtempSync(join(tmpdir(), 'lathe-preset-'));
const workspace = join(folder, 'workspace');
const model = testData('models/mnist-cnn-ext/model.onnx');
const file = (name: string, value: unknown) => {
  writeFileSync(join(folder, name), JSON.stringify(value));
  return join(folder, name);
};
const wanted = { '*': preparation['mnist-cnn-ext'] };

describe.skipIf(!hasTestData)('a preset', () => {
  it('prepares samples as the model wants them, alone or under `inputs`', async () => {
    const described = await lathe(
      ['evaluate', model, '--data', writeDataset(folder, 'mnist', 'mnist-cnn-ext'), '--limit', '1000', '--json'],
      { workspace },
    );
    for (const preset of [file('bare.json', wanted), file('named.json', { lathe: 1, inputs: wanted })]) {
      const args = [
        'evaluate',
        model,
        '--data',
        testData('data/mnist'),
        '--preset',
        preset,
        '--limit',
        '1000',
        '--json',
      ];
      const { code, json, stderr } = await lathe(args, { workspace });
      expect(code, stderr).toBe(0);
      expect(json.quality).toEqual(described.json.quality);
    }
  });

  it.each([
    ['names what is wrong in it', { '*': { scael: 1 } }, 3, 'bad-dataset', 'inputs.*'],
    ['is an object', [1], 3, 'bad-dataset', ''],
  ])('%s', async (_, value, code, expected, place) => {
    const args = ['evaluate', model, '--data', testData('data/mnist'), '--preset', file('bad.json', value), '--json'];
    const answer = await lathe(args, { workspace });
    expect([answer.code, answer.json.error.code]).toEqual([code, expected]);
    expect(answer.json.error.sentence).toContain(place);
  });

  it('is nothing without data', async () => {
    const recipe = file('recipe.json', { lathe: 1, steps: [{ method: 'float16' }] });
    const args = ['run', model, '--recipe', recipe, '--preset', file('bare.json', wanted), '--json'];
    const { code, json } = await lathe(args, { workspace });
    expect([code, json.error.code]).toEqual([2, 'usage']);
  });
});
