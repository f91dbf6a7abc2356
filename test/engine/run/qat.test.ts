// Runs that train through rounding: the file is as large as was told, and what an interruption left is gone on from.
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { forecast } from '../../../src/engine/forecast';
import { encode } from '../../../src/engine/formats/onnx';
import { runRecipe } from '../../../src/engine/run';
import type { TaskEvent } from '../../../src/engine/tasks';
import { blobNet, blobs } from '../train/blobs';

let home: string;
let path: string;
const counts = { train: 220, validation: 60, test: 60 } as const;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lathe-run-qat-'));
  path = join(home, 'model.onnx');
  await writeFile(path, await encode(blobNet()));
  const splits: Record<string, object> = {};
  for (const split of ['train', 'validation', 'test'] as const) {
    const rows = ['a,b,c,d,e,f,g,h,label'];
    for await (const { feeds, labels } of blobs(counts).batches(split, [], { batch: 1 }))
      rows.push([...(feeds.x!.data as Float32Array), labels![0]].join());
    await writeFile(join(home, `${split}.csv`), `${rows.join('\n')}\n`);
    splits[split] = { inputs: `${split}.csv`, labels: 'label' };
  }
  await writeFile(
    join(home, 'dataset.json'),
    JSON.stringify({ lathe: 1, name: 'points', task: 'classification', splits }),
  );
});

const ask = async (name: string, params: object) => {
  const folder = join(home, name);
  await mkdir(folder, { recursive: true });
  const recipe = {
    lathe: 1 as const,
    steps: [{ method: 'qat', params: { learningRate: 0.02, epochs: 8, ...params } as never }],
  };
  return { path, recipe, folder, dataset: { path: home }, seed: 7 };
};

/** `interrupt`: the event at which the run is cut off. */
async function run(name: string, params: object, interrupt: (event: TaskEvent) => boolean = () => false) {
  const cut = new AbortController();
  const emit = (event: TaskEvent): void => {
    if (interrupt(event)) cut.abort();
  };
  const asked = await ask(name, params);
  const result = await runRecipe(asked, { emit, stopping: false, signal: cut.signal });
  return { ...result, bytes: await readFile(join(asked.folder, 'artifact', result.files[0]!.path)) };
}

it.each([{ weightBits: 4 }, { weightBits: 2, activationBits: 0, groupSize: 0 }])('learns with %o', async (params) => {
  const told = await forecast(await ask('told', params), {
    emit: () => {},
    stopping: false,
    signal: new AbortController().signal,
  });
  const { bytes, training, compressed, baseline, fused } = await run(`learns-${params.weightBits}`, params);
  expect(bytes.length).toBe(told.bytesAfter);
  expect(training![0]!.bestLevel!).toBeLessThan(training![0]!.parentLevel!);
  expect(compressed!.quality.value).toBeGreaterThan(baseline!.quality.value + 0.2);
  expect(Object.values(fused).reduce((a, b) => a + b, 0)).toBe(2);
});

it('goes on from what was trained when it is interrupted behind the training', async () => {
  const whole = await run('whole', { weightBits: 4 });
  const behind = (event: TaskEvent): boolean => event.kind === 'progress' && event.stage === 'evaluate';
  await expect(run('cut', { weightBits: 4 }, behind)).rejects.toThrow();
  const resumed = await run('cut', { weightBits: 4 });
  expect(resumed.training![0]!.resumedAt).toBe(whole.training![0]!.steps);
  expect(resumed.bytes.equals(whole.bytes)).toBe(true);
});
