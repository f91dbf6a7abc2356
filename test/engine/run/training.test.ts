// Runs that train: what they tell, keep, hold and refuse, on a network of three hundred weights and a table of points.
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { forecast } from '../../../src/engine/forecast';
import { encode, open } from '../../../src/engine/formats/onnx';
import { withInitializers } from '../../../src/engine/graph/edit';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor, readFloats } from '../../../src/engine/graph/tensor';
import { preview } from '../../../src/engine/preview';
import { runRecipe } from '../../../src/engine/run';
import type { TaskEvent, Work } from '../../../src/engine/tasks';
import { graph, model, node, randomWeights, value } from '../models';
import { blobNet, blobs } from '../train/blobs';

let home: string;
const counts = { train: 220, validation: 60, test: 60 } as const;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lathe-run-training-'));
  for (const labels of [true, false]) {
    const folder = join(home, labels ? 'labelled' : 'bare');
    await mkdir(folder);
    const splits: Record<string, object> = {};
    for (const split of ['train', 'validation', 'test'] as const) {
      const rows = [`a,b,c,d,e,f,g,h${labels ? ',label' : ''}`];
      for await (const { feeds, labels: classes } of blobs(counts).batches(split, [], { batch: 1 }))
        rows.push([...(feeds.x!.data as Float32Array), ...(labels ? [classes![0]] : [])].join());
      await writeFile(join(folder, `${split}.csv`), `${rows.join('\n')}\n`);
      splits[split] = { inputs: `${split}.csv`, ...(labels ? { labels: 'label' } : {}) };
    }
    const task = labels ? 'classification' : 'none';
    await writeFile(join(folder, 'dataset.json'), JSON.stringify({ lathe: 1, name: 'points', task, splits }));
  }
});

let runs = 0;
async function prepared(given: Model) {
  const folder = join(home, `run-${++runs}`);
  await mkdir(folder);
  const path = join(folder, '..', `model-${runs}.onnx`);
  await writeFile(path, await encode(given));
  return { path, folder };
}

async function tune(
  given: Model,
  step: object = {},
  { dataset = 'labelled', stopAt = Number.POSITIVE_INFINITY, seed = 7 } = {},
) {
  const { path, folder } = await prepared(given);
  const events: TaskEvent[] = [];
  const work: Work = {
    emit: (event) => void events.push(event),
    get stopping() {
      return events.some((event) => event.kind === 'progress' && /^Training/.test(event.text) && event.done >= stopAt);
    },
    signal: new AbortController().signal,
  };
  const recipe = { lathe: 1 as const, steps: [{ method: 'finetune', params: { learningRate: 0.01 }, ...step }] };
  const result = await runRecipe({ path, recipe, seed, folder, dataset: { path: join(home, dataset) } }, work);
  const { model: made } = await open(join(folder, 'artifact', result.files[0]!.path));
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of made.graph.initializers) weights.set(name, await readFloats(tensor));
  return { result, events, weights, left: (await readdir(folder)).sort() };
}

const asGiven = async (given: Model, name: string) => readFloats(given.graph.initializers.get(name)!);

describe('a run that fine-tunes', { timeout: 60_000 }, () => {
  it('gets better, tells its curves, keeps them, and leaves nothing but the artifact', async () => {
    const { result, events, left } = await tune(blobNet());
    expect(result.compressed!.quality.value).toBeGreaterThan(result.baseline!.quality.value + 0.2);
    const [{ curves, parentLevel, bestLevel, ending }] = result.training as [(typeof result.training & object)[number]];
    expect(ending).toBe('done');
    expect(bestLevel!).toBeLessThan(parentLevel!);
    const told = events.flatMap((event) => (event.kind === 'curve' ? [event.point] : []));
    for (const { series, points } of curves)
      expect(told.filter((point) => point.series === series).map(({ step, value }) => [step, value])).toEqual(points);
    expect(result.stages.map(({ stage }) => stage)).toContain('train');
    const stages = events.find((event) => event.kind === 'stages')!;
    expect(stages.stages.map(({ stage }) => stage)).toEqual([
      'fit',
      'gather',
      'train',
      'apply',
      'write',
      'reload',
      'evaluate',
      'time',
    ]);
    expect(left).toEqual(['artifact']);
    expect(result.notes.join('\n')).toMatch(
      /Fine-tune took 18 steps\. The weights of step \d+ are kept: validation loss/,
    );
  });

  it('gives the same bytes for the same seed', async () => {
    const weights = [await tune(blobNet(0.2)), await tune(blobNet(0.2)), await tune(blobNet(0.2), {}, { seed: 8 })];
    expect(weights[1]!.weights).toEqual(weights[0]!.weights);
    expect(weights[2]!.weights).not.toEqual(weights[0]!.weights);
  });

  it('keeps zeros of what was pruned, unless told otherwise', async () => {
    const whole = blobNet();
    const sparse = (await asGiven(whole, 'a.weight')).map((one, i) => (i % 2 ? one : 0));
    const given = { ...whole, graph: withInitializers(whole.graph, [floatTensor('a.weight', [16, 8], sparse)]) };
    const zeros = (values: Float32Array) => values.filter((one) => one === 0).length;
    expect(zeros((await tune(given)).weights.get('a.weight')!)).toBe(64);
    const grown = { params: { learningRate: 0.01, keepZeros: false } };
    expect(zeros((await tune(given, grown)).weights.get('a.weight')!)).toBeLessThan(10);
  });

  it('trains the layers that patterns choose', async () => {
    const given = blobNet();
    const { weights, result } = await tune(given, { layers: { include: ['Gemm_y'] } });
    expect(weights.get('a.weight')).toEqual(await asGiven(given, 'a.weight'));
    expect(weights.get('a.bias')).toEqual(await asGiven(given, 'a.bias'));
    expect(weights.get('b.weight')).not.toEqual(await asGiven(given, 'b.weight'));
    expect(weights.get('b.bias')).not.toEqual(await asGiven(given, 'b.bias'));
    expect(result.layers.map(({ methods }) => methods)).toEqual([[], ['finetune']]);
  });

  it('moves norms with their layers, and their statistics with the batches', async () => {
    const given = normed();
    const { weights } = await tune(given);
    for (const name of ['n.weight', 'n.bias', 'n.mean', 'n.var'])
      expect(weights.get(name), name).not.toEqual(await asGiven(given, name));
    const frozen = await tune(given, { params: { learningRate: 0.01, norms: 'frozen' } });
    for (const name of ['n.mean', 'n.var']) expect(frozen.weights.get(name), name).toEqual(await asGiven(given, name));
  });

  it('keeps and measures what was gained when it is stopped', async () => {
    const { result } = await tune(
      blobNet(),
      { params: { learningRate: 0.01, epochs: 1000, patience: 0 } },
      { stopAt: 40 },
    );
    expect(result.stopped).toBe(true);
    expect(result.training![0]).toMatchObject({ ending: 'stopped' });
    expect(result.compressed!.quality.n).toBe(60);
    expect(result.compressed!.quality.value).toBeGreaterThan(result.baseline!.quality.value);
  });

  it('says before the start how long it takes and what not to trust', async () => {
    const { path, folder } = await prepared(blobNet());
    const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
    const dataset = { path: join(home, 'labelled') };
    const ask = (epochs: number) => ({
      path,
      folder,
      dataset,
      recipe: { lathe: 1, steps: [{ method: 'finetune', params: { epochs, batch: 1 } }] },
    });
    await forecast(ask(1), quiet);
    const [short, long] = [await forecast(ask(1), quiet), await forecast(ask(1000), quiet)];
    expect(long.seconds).toBeGreaterThan(3 * short.seconds);
    expect(short.sentences).toEqual([
      expect.stringMatching(/^points has 60 validation samples: accuracy is known to ±12/),
    ]);
    expect(short.layers.map(({ methods }) => methods)).toEqual([['finetune'], ['finetune']]);
  });

  it('refuses samples without labels, and a run without samples', async () => {
    await expect(tune(blobNet(), {}, { dataset: 'bare' })).rejects.toMatchObject({
      refusal: { code: 'bad-dataset', sentence: 'steps[0] needs labels, and the train split of points has none.' },
    });
    const { path, folder } = await prepared(blobNet());
    const recipe = { lathe: 1 as const, steps: [{ method: 'finetune', params: {} }] };
    const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
    await expect(runRecipe({ path, recipe, seed: 1, folder }, quiet)).rejects.toMatchObject({
      refusal: { sentence: 'Fine-tune learns from samples: choose a dataset with a train split.' },
    });
  });

  it('shows no preview of what only samples can tell', async () => {
    const { path } = await prepared(blobNet());
    const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
    const { refusal } = await preview({ path, layer: 'Gemm_y', method: 'finetune', params: {} }, quiet);
    expect(refusal?.sentence).toMatch(/^Fine-tune learns from training samples, and a preview has none/);
  });

  it('refuses overrides', async () => {
    const overrides = { Gemm_y: { learningRate: 0.1 } };
    await expect(tune(blobNet(), { overrides })).rejects.toMatchObject({ refusal: { code: 'bad-recipe' } });
  });
});

/** x[N, 8] → 1×1 convolution → BatchNormalization → Relu → 3. */
function normed(): Model {
  const ints = (name: string, values: number[]) => ({
    name,
    dtype: 'int64' as const,
    dims: [values.length],
    data: { kind: 'bytes' as const, bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) },
  });
  const vector = (name: string, number: number) => floatTensor(name, [16], new Float32Array(16).fill(number));
  const parts = graph({
    inputs: [value('x', 'float32', ['n', 8])],
    outputs: [value('y', 'float32', ['n', 3])],
    nodes: [
      node('Reshape', ['x', 'picture'], ['p']),
      node('Conv', ['p', 'c.weight'], ['c'], { kernel_shape: [1, 1] }),
      node('BatchNormalization', ['c', 'n.weight', 'n.bias', 'n.mean', 'n.var'], ['n']),
      node('Relu', ['n'], ['r']),
      node('Flatten', ['r'], ['f'], { axis: 1 }),
      node('Gemm', ['f', 'b.weight', 'b.bias'], ['y'], { transB: 1 }),
    ],
    initializers: [
      ints('picture', [0, 8, 1, 1]),
      floatTensor('c.weight', [16, 8, 1, 1], randomWeights(128, 0.4, 3)),
      ...[vector('n.weight', 1), vector('n.bias', 0), vector('n.mean', 0), vector('n.var', 1)],
      floatTensor('b.weight', [3, 16], randomWeights(48, 0.3, 4)),
      floatTensor('b.bias', [3], [0, 0, 0]),
    ],
  });
  return { ...model({ outputs: [], nodes: [] }), graph: parts };
}
