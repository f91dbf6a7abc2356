// kill -9 of the host and of the engine at random moments of runs and exports: what is there afterwards is whole.
// LATHE_KILLS sets the number of moments (10 by default; 50 for the full proof), LATHE_KILL_SEED their sequence.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../../data';
import { writeDataset } from '../../datasets';
import { randomNumbers } from '../../engine/models';
import { lathe, type Outcome } from '../../lathe';
import { record } from '../../prove/evidence';
import { temporaryFolder } from '../workspace';
import { enginesOf } from './processes';

const kills = Number(process.env.LATHE_KILLS ?? 10);
const seed = Number(process.env.LATHE_KILL_SEED ?? Date.now() % 2 ** 31);
const sweptWithinMs = 5_000;

const recipe = {
  lathe: 1,
  name: 'four',
  seed: 7,
  steps: [{ method: 'weight-only', params: { bits: 4, groupSize: 32 } }],
};

/** Runs a command and ends it, or its engine, with SIGKILL after a while; answers when all processes of ours are gone. */
async function killDuring(args: string[], workspace: string, target: 'host' | 'engine', afterMs: number) {
  let pid = 0;
  const ended = lathe(args, {
    workspace,
    started: (child) => {
      pid = child.pid!;
    },
  });
  let over = false;
  const outcome = ended.finally(() => {
    over = true;
  });
  await Promise.race([sleep(afterMs), outcome]);
  let hit = false;
  if (target === 'host') {
    hit = !over;
    if (hit) process.kill(pid, 'SIGKILL');
  } else {
    while (!over && !hit) {
      for (const engine of enginesOf(pid)) {
        process.kill(engine, 'SIGKILL');
        hit = true;
      }
      await sleep(5);
    }
  }
  const result = await outcome;
  const begin = performance.now();
  while (enginesOf(pid).length > 0 && performance.now() - begin < sweptWithinMs) await sleep(20);
  return { hit, result, left: enginesOf(pid), goneMs: performance.now() - begin };
}

/** Every artifact holds exactly the content that its name says. */
function assertLibraryIsWhole(workspace: string): number {
  const root = join(workspace, 'library/sha256');
  let artifacts = 0;
  for (const shelf of existsSync(root) ? readdirSync(root) : []) {
    for (const name of readdirSync(join(root, shelf))) {
      const files = readdirSync(join(root, shelf, name));
      expect(files).toEqual(['model.onnx']);
      expect(
        createHash('sha256')
          .update(readFileSync(join(root, shelf, name, 'model.onnx')))
          .digest('hex'),
      ).toBe(name);
      artifacts++;
    }
  }
  return artifacts;
}

function assertEndedHonestly({ code, json, stderr }: Outcome, target: string, hit: boolean): void {
  if (code === 0) return;
  expect(hit, `it failed without being killed: ${JSON.stringify(json)} ${stderr}`).toBe(true);
  if (target === 'host') expect(code).toBeNull();
  else
    expect(json).toMatchObject({
      error: { code: 'engine-died', sentence: expect.stringMatching(/^The engine stopped /) },
    });
}

describe.skipIf(!hasTestData || process.platform !== 'linux')('kill -9', () => {
  it(
    `at ${kills} random moments of runs and exports leaves nothing half-done (seed ${seed})`,
    async () => {
      const random = randomNumbers(seed);
      const workspace = await temporaryFolder();
      const outside = await temporaryFolder();
      const model = testData('models/mnist-cnn-ext');
      const data = writeDataset(join(outside, 'data'), 'mnist', 'mnist-cnn-ext');
      const recipeFile = join(outside, 'recipe.json');
      writeFileSync(recipeFile, JSON.stringify(recipe));
      const json = (...args: string[]) => [...args, '--json'];
      const commands = (seed: number, out: string) => ({
        run: json('run', model, '--recipe', recipeFile, '--seed', String(seed)),
        'run with data': json(
          'run',
          model,
          '--recipe',
          recipeFile,
          '--seed',
          String(seed),
          '--data',
          data,
          '--limit',
          '2000',
        ),
        export: json('bundle', id, '--device', 'raspberry-pi-5', '--out', out),
      });
      let id = '';
      // Once undisturbed, to know how long each takes; the moments are spread over that.
      const takes: Record<string, number> = {};
      for (const what of ['run', 'run with data', 'export'] as const) {
        const whole = await lathe(commands(7, join(outside, 'whole'))[what], { workspace });
        expect(whole.code, whole.stdout + whole.stderr).toBe(0);
        id ||= whole.json.run.id;
        takes[what] = whole.milliseconds;
      }
      const moments: string[] = [];
      for (let moment = 0; moment < kills; moment++) {
        const target = random() < 0.5 ? 'host' : 'engine';
        const what = (['run', 'run with data', 'export'] as const)[Math.floor(random() * 3)]!;
        const out = join(outside, `bundle-${moment}`);
        const command = commands(moment, out)[what];
        const afterMs = random() * takes[what]!;
        const { hit, result, left, goneMs } = await killDuring(command, workspace, target, afterMs);
        const word = hit ? `${what}: ${target} killed after ${afterMs.toFixed(0)} ms` : `${what}: ended before`;
        moments.push(`${word}, processes gone after ${goneMs.toFixed(0)} ms`);
        expect(left, word).toEqual([]);
        assertEndedHonestly(result, target, hit);
        const history = await lathe(json('history'), { workspace });
        expect(history.code, `${word}: ${history.stdout} ${history.stderr}`).toBe(0);
        const states = new Set(history.json.runs.map((run: { state: string }) => run.state));
        expect(
          [...states].filter((state) => state === 'queued' || state === 'running'),
          word,
        ).toEqual([]);
        expect(readdirSync(join(workspace, 'jobs')), word).toEqual([]);
        assertLibraryIsWhole(workspace);
        expect(
          readdirSync(outside).filter((name) => name.startsWith('.')),
          word,
        ).toEqual([]);
        if (existsSync(out)) {
          const verified = await lathe(json('verify', out), { workspace });
          expect(verified.json, word).toMatchObject({ ok: true });
        }
      }
      const replay = await lathe(json('replay', id), { workspace });
      expect(replay.json).toMatchObject({ identical: true });
      console.log(moments.join('\n'));
      if (process.env.LATHE_PROVE) record('road', 'kills', { seed, moments });
    },
    kills * 30_000 + 60_000,
  );
});
