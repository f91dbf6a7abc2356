// Runs that distil, on points and networks of a few hundred weights: students of every kind, with labels and without, told beforehand and repeated.
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { forecast } from '../../../src/engine/forecast';
import { encode, open } from '../../../src/engine/formats/onnx';
import { readFloats } from '../../../src/engine/graph/tensor';
import { runRecipe } from '../../../src/engine/run';
import type { Work } from '../../../src/engine/tasks';
import { blobNet, blobs } from '../train/blobs';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const counts = { train: 220, validation: 60, test: 60 } as const;
let home: string;
/** A network that has learnt the points. */
let teacher: string;
let runs = 0;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lathe-run-distill-'));
  for (const labelled of [true, false]) {
    const folder = join(home, labelled ? 'labelled' : 'bare');
    await mkdir(folder);
    const splits: Record<string, object> = {};
    for (const split of ['train', 'validation', 'test'] as const) {
      const rows = ['a,b,c,d,e,f,g,h,label'];
      for await (const { feeds, labels } of blobs(counts).batches(split, [], { batch: 1 }))
        rows.push([...(feeds.x!.data as Float32Array), labels![0]].join());
      const hasLabels = labelled || split === 'test';
      const text = hasLabels ? rows : rows.map((row) => row.slice(0, row.lastIndexOf(',')));
      await writeFile(join(folder, `${split}.csv`), `${text.join('\n')}\n`);
      splits[split] = { inputs: `${split}.csv`, ...(hasLabels ? { labels: 'label' } : {}) };
    }
    await writeFile(
      join(folder, 'dataset.json'),
      JSON.stringify({ lathe: 1, name: 'points', task: 'classification', splits }),
    );
  }
  const start = join(home, 'start.onnx');
  await writeFile(start, await encode(blobNet()));
  const { path } = await run([{ method: 'finetune', params: { learningRate: 0.02, epochs: 8 } }], { path: start });
  teacher = path;
});

async function run(steps: readonly unknown[], { path = teacher, dataset = 'labelled', seed = 7 } = {}) {
  const folder = join(home, `run-${++runs}`);
  await mkdir(folder);
  const recipe = { lathe: 1 as const, steps: steps as never };
  const result = await runRecipe({ path, recipe, seed, folder, dataset: { path: join(home, dataset) } }, quiet);
  expect(await readdir(folder)).toEqual(['artifact']);
  const made = join(folder, 'artifact', result.files[0]!.path);
  const { model } = await open(made);
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of model.graph.initializers)
    if (tensor.dtype === 'float32') weights.set(name, await readFloats(tensor));
  return { result, path: made, weights };
}

const distill = (params: object = {}) => ({
  method: 'distill',
  params: { student: 'thinner', learningRate: 0.02, epochs: 8, ...params },
});

it('a thinner student learns; its size is told beforehand; the same seed gives the same bytes', async () => {
  const { result, weights } = await run([distill()]);
  expect(result.layers.map(({ shapeAfter }) => shapeAfter)).toEqual([
    [8, 8],
    [3, 8],
  ]);
  const [{ parentLevel, bestLevel }] = result.training as [(typeof result.training & object)[number]];
  expect(bestLevel!).toBeLessThan(0.8 * parentLevel!);
  expect(result.compressed!.quality.value).toBeGreaterThan(result.baseline!.quality.value - 0.1);
  expect(result.notes.join('\n')).toContain('the channels of its teacher that have the largest weights, in 1 layer.');

  const folder = join(home, 'foretold');
  await mkdir(folder);
  const dataset = { path: join(home, 'labelled') };
  const told = await forecast({ path: teacher, recipe: { lathe: 1, steps: [distill()] }, dataset, folder }, quiet);
  expect(told.layers.map(({ bytesAfter }) => bytesAfter)).toEqual(result.layers.map(({ bytesAfter }) => bytesAfter));

  expect((await run([distill()])).weights).toEqual(weights);
  expect((await run([distill()], { seed: 8 })).weights).not.toEqual(weights);
});

it('learns from the teacher alone where samples have no labels, and says so', async () => {
  const { result } = await run([distill({ alpha: 0.3 })], { dataset: 'bare' });
  expect(result.notes.join('\n')).toContain('has no labels: the teacher’s share of the loss is all of it.');
  const [{ parentLevel, bestLevel }] = result.training as [(typeof result.training & object)[number]];
  expect(bestLevel!).toBeLessThan(0.8 * parentLevel!);
  const same = await run([distill({ alpha: 1 })], { dataset: 'bare' });
  expect(same.result.notes.join('\n')).not.toContain('no labels');
});

it('compares hidden values, of the teacher’s width and of another', async () => {
  const thin = await run([distill({ features: 1 })]);
  expect(thin.result.notes.join('\n')).toContain('Compared with the teacher inside: a.');
  expect([...thin.weights.keys()].sort()).toEqual(['a.bias', 'a.weight', 'b.bias', 'b.weight']);
  const plain = await run([distill()]);
  expect(thin.weights).not.toEqual(plain.weights);
  await run([distill({ student: 'child', features: 1 })]);
});

it('a child that is its teacher stays what it is', async () => {
  const steps = [distill({ student: 'child', alpha: 1, epochs: 1, weightDecay: 0 })];
  const { result, weights } = await run(steps);
  expect(Math.abs(result.training![0]!.parentLevel!)).toBeLessThan(1e-5);
  const { model } = await open(teacher);
  for (const [name, values] of weights) {
    const before = await readFloats(model.graph.initializers.get(name)!);
    expect(Math.max(...values.map((one, i) => Math.abs(one - before[i]!)))).toBeLessThan(0.1);
  }
});

it('leaves what is quantized as it is, and refuses it as a copy', async () => {
  const half = { method: 'weight-only', params: { bits: 4, groupSize: 16 }, layers: { include: ['Gemm_a'] } };
  const { result } = await run([half, distill({ student: 'child' })]);
  expect(result.layers.map(({ methods }) => methods)).toEqual([['weight-only'], ['distill']]);
  expect(result.layers[0]!.refusal?.sentence).toMatch(/4 bits already/);
  const [{ parentLevel, bestLevel }] = result.training as [(typeof result.training & object)[number]];
  expect(bestLevel!).toBeLessThan(parentLevel!);
  const shallow = await run([distill({ student: 'shallower' })]);
  expect(shallow.result.layers.every(({ refusal }) => refusal?.sentence.startsWith('It has no two blocks'))).toBe(true);
});

it('goes on after an interruption, with the answers that were kept, to the same bytes', async () => {
  const folder = join(home, 'interrupted');
  await mkdir(folder);
  const stop = new AbortController();
  let points = 0;
  const work: Work = {
    ...quiet,
    signal: stop.signal,
    emit: (event) => void (event.kind === 'curve' && ++points === 20 && stop.abort()),
  };
  const recipe = { lathe: 1 as const, steps: [distill()] as never };
  const ask = { path: teacher, recipe, seed: 7, folder, dataset: { path: join(home, 'labelled') }, checkpoint: 'same' };
  await expect(runRecipe(ask, work)).rejects.toMatchObject({ name: 'AbortError' });
  const kept = (await readdir(join(folder, 'checkpoints'))).filter((name) => name.endsWith('.rows'));
  expect(kept).toHaveLength(2);
  const result = await runRecipe(ask, quiet);
  const { weights } = await run([distill()]);
  const { model } = await open(join(folder, 'artifact', result.files[0]!.path));
  for (const [name, values] of weights) expect(await readFloats(model.graph.initializers.get(name)!)).toEqual(values);
  expect(await readdir(folder)).toEqual(['artifact']);
});

it('without the teacher’s share it is the task’s loss alone', async () => {
  const own = await run([distill({ student: 'child', alpha: 0 })]);
  const tuned = await run([{ method: 'finetune', params: { learningRate: 0.02, epochs: 8 } }]);
  expect(own.weights).toEqual(tuned.weights);
});
