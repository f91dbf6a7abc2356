// Pruning on real models: perplexity of a small language model by method, before and after recovery; docs/evidence/pruning.json.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Recipe } from '../../src/contract/words/recipe';
import { runRecipe } from '../../src/engine/run';
import type { Work } from '../../src/engine/tasks';
import { hasTestData } from '../data';
import { storiesModel, storiesParagraphs } from '../stories';
import { record } from './evidence';
import { type Losses, type Step, Stories } from './language';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-pruning-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const methods = ['prune-magnitude', 'prune-wanda', 'prune-sparsegpt'] as const;
const patterns = ['unstructured', '4:8', '2:4'] as const;

describe.skipIf(!hasTestData)('pruning of stories260K', () => {
  it('perplexity before recovery', async () => {
    const stories = new Stories(folder);
    const perplexity = ({ selfgen, paragraphs }: Losses) => ({
      selfgen: Math.exp(selfgen),
      paragraphs: Math.exp(paragraphs),
    });
    const table: Record<string, Record<string, ReturnType<typeof perplexity>>> = {};
    for (const pattern of patterns) {
      table[pattern === 'unstructured' ? '50 % anywhere' : pattern] = Object.fromEntries(
        await Promise.all(
          methods.map(async (method) => {
            const step: Step = { method, params: { pattern } };
            return [method, perplexity(await stories.losses(await stories.cut([step])))];
          }),
        ),
      );
    }
    record('pruning', 'stories260K before recovery', {
      model: 'stories260K',
      calibration: 'odd paragraphs; tested on the even ones and on ids the model made itself',
      layers: 'every product of the blocks; the table of embeddings and the head that shares it stay whole',
      dense: perplexity(await stories.losses(storiesModel)),
      perplexity: table,
    });
    for (const found of Object.values(table)) {
      expect(found['prune-wanda']!.paragraphs).toBeLessThan(found['prune-magnitude']!.paragraphs);
      expect(found['prune-sparsegpt']!.paragraphs).toBeLessThan(found['prune-magnitude']!.paragraphs);
    }
  });

  it('perplexity after at most 200 steps of fine-tuning', { timeout: 1_200_000 }, async () => {
    const all = storiesParagraphs();
    const odd = all.filter((_, i) => i % 2 === 1);
    const parts = { train: odd.slice(0, 64), validation: odd.slice(64), test: all.filter((_, i) => i % 2 === 0) };
    const data = join(folder, 'recovery');
    mkdirSync(data);
    const splits: Record<string, { inputs: string }> = { calibration: { inputs: 'train.json' } };
    for (const [name, ids] of Object.entries(parts)) {
      writeFileSync(join(data, `${name}.json`), JSON.stringify(ids));
      splits[name] = { inputs: `${name}.json` };
    }
    const file = join(data, 'dataset.json');
    writeFileSync(file, JSON.stringify({ lathe: 1, name: 'recovery', task: 'language-modelling', splits }));
    const ran = async (name: string, steps: unknown[]) => {
      const own = join(folder, name);
      mkdirSync(own);
      const ask = { path: storiesModel, recipe: { lathe: 1, steps } as Recipe, seed: 7, folder: own };
      return runRecipe({ ...ask, dataset: { path: data } }, quiet);
    };
    const tune = { method: 'finetune', params: { epochs: 25, batch: 8, learningRate: 1e-3 } };
    const dense = await ran('dense', [tune]);
    const table: Record<string, unknown> = {};
    for (const pattern of ['unstructured', '2:4'] as const) {
      for (const method of methods) {
        const prune = { method, params: { pattern } };
        const before = await ran(`${method}-${pattern.replace(':', '-')}`, [prune]);
        const after = await ran(`${method}-${pattern.replace(':', '-')}-tuned`, [prune, tune]);
        const { steps, bestStep } = after.training![0]!;
        const sparsities = after.layers.flatMap(({ sparsity }) => sparsity ?? []);
        expect(Math.min(...sparsities)).toBeGreaterThan(0.49);
        table[`${method} ${pattern}`] = {
          before: before.compressed!.quality.value,
          after: after.compressed!.quality.value,
          ...{ steps, bestStep },
          sparsity: { least: Math.min(...sparsities), most: Math.max(...sparsities) },
        };
        expect(after.compressed!.quality.value).toBeLessThan(before.compressed!.quality.value);
      }
    }
    record('pruning', 'stories260K after recovery', {
      model: 'stories260K',
      samples: 'trained on 64 odd paragraphs (about 8,000 tokens), chosen by 16 others, tested on the 81 even ones',
      ...{ batch: 8, stepsAtMost: 200, learningRate: 1e-3 },
      dense: { before: dense.baseline!.quality.value, after: dense.compressed!.quality.value },
      perplexity: table,
    });
  });
});
