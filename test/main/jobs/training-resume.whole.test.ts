// A training whose engine is killed with kill -9 goes on from its last checkpoint and comes to the same bytes.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../../data';
import { preparation } from '../../datasets';
import { lathe } from '../../lathe';
import { temporaryFolder } from '../workspace';
import { enginesOf } from './processes';

describe.skipIf(!hasTestData || process.platform !== 'linux')('a training', () => {
  it('that is killed is resumed to the same weights', { timeout: 900_000 }, async () => {
    const [workspace, outside] = [await temporaryFolder(), await temporaryFolder()];
    const images = testData('data/mnist/t10k-images-idx3-ubyte.gz');
    const labels = testData('data/mnist/t10k-labels-idx1-ubyte.gz');
    const splits = { train: { inputs: images, labels, to: 4000 }, test: { inputs: images, labels, from: 9000 } };
    const data = join(outside, 'mnist');
    mkdirSync(data);
    const input = { '*': preparation['mnist-cnn-ext'] };
    writeFileSync(
      join(data, 'dataset.json'),
      JSON.stringify({ lathe: 1, task: 'classification', inputs: input, splits }),
    );
    const recipe = join(outside, 'recipe.json');
    const steps = [{ method: 'finetune', params: { epochs: 3, learningRate: 1e-4, patience: 0 } }];
    writeFileSync(recipe, JSON.stringify({ lathe: 1, steps }));
    const run = ['run', testData('models/mnist-cnn-ext'), '--recipe', recipe, '--data', data, '--json'];

    const whole = await lathe(run, { workspace });
    expect(whole.code, whole.stderr + whole.stdout).toBe(0);
    const [training] = whole.json.training;
    expect(training).toMatchObject({ title: 'Fine-tune', ending: 'done', steps: training.plannedSteps });
    expect(training.curves.map(({ series }: { series: string }) => series)).toEqual([
      'train',
      'validation',
      'learningRate',
    ]);

    let pid = 0;
    const ending = lathe(run, {
      workspace,
      started: (child) => {
        pid = child.pid!;
      },
    });
    const jobs = join(workspace, 'jobs');
    const checkpoints = () =>
      readdirSync(jobs, { recursive: true }).filter((path) => /step-\d+\.checkpoint$/.test(String(path)));
    let over = false;
    void ending.finally(() => {
      over = true;
    });
    while (!over && checkpoints().length === 0) await sleep(50);
    for (const engine of enginesOf(pid)) process.kill(engine, 'SIGKILL');
    const killed = await ending;
    expect(killed.json?.error, 'the training was over before it was killed').toMatchObject({ code: 'engine-died' });
    const [id] = readdirSync(jobs);

    const resumed = await lathe(['resume', id!, '--json'], { workspace });
    expect(resumed.code, resumed.stderr + resumed.stdout).toBe(0);
    expect(resumed.json.artifact.sha256).toBe(whole.json.artifact.sha256);
    expect(resumed.json.training[0].resumedAt).toBeGreaterThan(0);
    expect(resumed.json.training[0].curves).toEqual(training.curves);
  });
});
