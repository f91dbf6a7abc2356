// The corridors over tiny models on disk: open, statistics, forecast, preview, run; stopped, aborted, out of room.
import { copyFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { methodCard } from '../../../src/contract/words/method';
import { layer, modelSummary, statistics as statisticsShape } from '../../../src/contract/words/model';
import { preview as previewShape, type Recipe, runForecast, type Step } from '../../../src/contract/words/recipe';
import { layerOutcome } from '../../../src/contract/words/run';
import { describe as describeEngine } from '../../../src/engine/describe';
import { forecast, shortOf } from '../../../src/engine/forecast';
import { write } from '../../../src/engine/formats/onnx';
import { methods } from '../../../src/engine/methods';
import { openModel, statistics } from '../../../src/engine/open';
import { closePreview, preview } from '../../../src/engine/preview';
import { runRecipe } from '../../../src/engine/run';
import type { RunCost } from '../../../src/engine/run-cost';
import type { TaskEvent, Work } from '../../../src/engine/tasks';
import { subjects } from '../methods/bench';
import { tinyConv, tinyMlp } from '../models';

let home: string;
let mlp: string;
let conv: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lathe-corridors-'));
  await write(tinyMlp(), { folder: join(home, 'mlp'), file: 'model.onnx' });
  await write(tinyConv(), { folder: join(home, 'conv'), file: 'model.onnx' });
  await write(subjects['tiny-lstm']!(), { folder: join(home, 'lstm'), file: 'model.onnx' });
  mlp = join(home, 'mlp', 'model.onnx');
  conv = join(home, 'conv', 'model.onnx');
});
afterAll(async () => {
  await closePreview();
  await rm(home, { recursive: true, force: true });
});

function working(more: Partial<Work> = {}): { work: Work; events: TaskEvent[] } {
  const events: TaskEvent[] = [];
  const signal = new AbortController().signal;
  return {
    events,
    work: Object.assign({ emit: (event: TaskEvent) => events.push(event), stopping: false, signal }, more),
  };
}
const quiet = (): Work => working().work;
const recipeOf = (...steps: unknown[]): Recipe => ({ lathe: 1, steps }) as Recipe;
const job = (): Promise<string> => mkdtemp(join(home, 'job-'));

test('describe: cards by their schema, devices, this machine', async () => {
  const answer = await describeEngine({}, quiet());
  expect(answer.methods.map((card) => methodCard.parse(card).id)).toEqual(methods.map(({ card }) => card.id));
  for (const { help, params } of answer.methods)
    for (const text of [help, ...params.map((one) => one.help)]) expect(text).toMatch(/\.$/);
  expect(answer.physicalCores).toBeGreaterThan(0);
});

test('open: from headers, in the contract’s words', async () => {
  const answer = await openModel({ path: conv }, quiet());
  modelSummary.parse(answer.summary);
  for (const one of answer.layers) layer.parse(one);
  expect(answer.summary).toMatchObject({ sha256: null, format: 'onnx', opset: 21, parameters: 216 + 72 + 128 + 160 });
  expect(answer.summary.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 3, 16, 16] }]);
  expect(answer.layers.map(({ name, macs }) => [name, macs])).toEqual([
    ['/conv1/Conv', 216 * 256],
    ['/dw/Conv', 72 * 256],
    ['/conv2/Conv', 128 * 256],
    ['/fc/Gemm', 160],
  ]);
  expect(answer.operators[0]).toEqual({ op: 'Conv', count: 3 });
  expect(answer.files.map(({ path }) => path)).toEqual([conv]);
});

test('statistics: each layer as an event, those known left out', async () => {
  const { work, events } = working();
  expect(await statistics({ path: conv, skip: ['/dw/Conv'] }, work)).toEqual({ layers: 3 });
  const seen = events.filter((event) => event.kind === 'layer');
  expect(seen.map(({ name, done, total }) => [name, done, total])).toEqual([
    ['/conv1/Conv', 1, 3],
    ['/conv2/Conv', 2, 3],
    ['/fc/Gemm', 3, 3],
  ]);
  for (const { stats } of seen) expect(statisticsShape.parse(stats).channels?.axis).toBe(0);
});

describe('forecast', () => {
  test('tells layer by layer, with warnings and refusals, and what the run needs', async () => {
    const recipe = recipeOf(
      { method: 'int8-dynamic', layers: { include: ['/fc/*', '/conv1/*'] } },
      { method: 'weight-only' },
    );
    const answer = runForecast.parse(await forecast({ path: conv, recipe, folder: home }, quiet()));
    expect(answer.layers.map(({ name, methods, bitsAfter }) => [name, methods, bitsAfter])).toEqual([
      ['/conv1/Conv', ['weight-only'], 4],
      ['/dw/Conv', ['weight-only'], 4],
      ['/conv2/Conv', ['weight-only'], 4],
      ['/fc/Gemm', ['int8-dynamic'], 8],
    ]);
    expect(answer.layers[0]!.warnings).toContain(
      '27 weights a channel, fewer than a group of 32: one scale per channel used.',
    );
    expect(answer.layers[0]!.warnings[0]).toMatch(/^Smaller, not faster here/);
    expect(answer.layers[3]!.refusal?.sentence).toBe('/fc/Gemm: Its weights are in 8 bits already.');
    expect(answer.possible).toBe(true);
    expect(answer.seconds).toBeGreaterThan(0);
    expect(answer.peakBytes).toBeGreaterThan(1e6);
  });

  test('says when nothing is cut, and when there is no room', async () => {
    const recipe = recipeOf({ method: 'int8-dynamic', layers: { exclude: ['/fc/*'] } });
    const answer = await forecast({ path: conv, recipe, folder: home }, quiet());
    expect(answer.sentences).toEqual(['No layer is cut: every one is refused, each with its reason.']);
    const short = { diskBytes: 3e9, freeDiskBytes: 2e9, peakBytes: 5e8, freeMemoryBytes: 4e8 } as RunCost;
    expect(shortOf(short)).toEqual([
      'The disk has 2.00\u202fGB free and the run needs 3.00\u202fGB.',
      'This machine has 400\u202fMB of memory free and the run needs 500\u202fMB.',
    ]);
  });
});

describe('preview', () => {
  const ask = (path: string, layer: string, method: string, params = {}) =>
    preview({ path, layer, method, params }, quiet());

  test('agrees with the run it stands for', async () => {
    const answer = previewShape.parse(await ask(mlp, '/fc1/MatMul', 'weight-only', { bits: 4, groupSize: 16 }));
    const recipe = recipeOf({ method: 'weight-only', params: { bits: 4, groupSize: 16 } });
    const { layers } = await runRecipe({ path: mlp, recipe, seed: 0, folder: await job() }, quiet());
    expect(answer.sqnrDb).toBeCloseTo(layers[0]!.sqnrDb!, 6);
    expect([answer.bytesBefore, answer.bytesAfter, answer.bits]).toEqual([
      layers[0]!.bytesBefore,
      layers[0]!.bytesAfter,
      4,
    ]);
    const count = (bins: { counts: number[] } | null) => bins!.counts.reduce((a, b) => a + b, 0);
    expect([count(answer.before), count(answer.after), count(answer.scaled)]).toEqual([6144, 6144, 6144]);
    expect(answer.levels!.reduce((sum, level) => sum + level.count, 0)).toBe(6144);
  });

  test('of half precision, of an LSTM’s two weights, of a refusal', async () => {
    const half = previewShape.parse(await ask(mlp, '/fc1/MatMul', 'float16'));
    expect(half.sqnrDb).toBeGreaterThan(65);
    expect([half.bits, half.levels, half.bytesAfter]).toEqual([16, null, 64 * 96 * 2]);
    const recurrent = previewShape.parse(await ask(join(home, 'lstm', 'model.onnx'), 'b/R', 'int8-dynamic'));
    expect(recurrent.bits).toBe(8);
    const pruned = previewShape.parse(await ask(mlp, '/fc1/MatMul', 'prune-magnitude', { sparsity: 0.25 }));
    expect(pruned.notes).toContain('25 % of its weights are zero, the layer taken alone.');
    expect(pruned.sqnrDb).toBeGreaterThan(10);
    const before: Step[] = [{ method: 'prune-magnitude', params: { sparsity: 0.9 } }];
    const ask8 = { path: mlp, layer: '/fc1/MatMul', method: 'weight-only', params: { bits: 8 }, before };
    const behind = previewShape.parse(await preview(ask8, quiet()));
    const zero = behind.levels!.find(({ value }) => value === 0)!;
    expect(zero.count / behind.levels!.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0.89);
    const unseen = previewShape.parse(await ask(mlp, '/fc1/MatMul', 'prune-wanda'));
    expect(unseen.refusal?.sentence).toMatch(/learns from calibration samples/);
    const no = previewShape.parse(await ask(conv, '/dw/Conv', 'int8-dynamic'));
    expect(no.refusal?.sentence).toMatch(/^int8-dynamic cannot take this layer\./);
  });

  test('what needs data says so: an estimate that is marked, or why there is nothing to see', async () => {
    const params = { bits: 4, groupSize: 16 };
    const gptq = previewShape.parse(await ask(mlp, '/fc1/MatMul', 'weight-only', { ...params, rounding: 'gptq' }));
    const nearest = previewShape.parse(await ask(mlp, '/fc1/MatMul', 'weight-only', params));
    expect([gptq.estimate, gptq.sqnrDb, nearest.estimate]).toEqual([true, nearest.sqnrDb, false]);
    expect(gptq.notes.join()).toMatch(/GPTQ .* nearest stands for it/);
    const integer = previewShape.parse(await ask(conv, '/conv1/Conv', 'int8-static'));
    expect(integer.sqnrDb).toBeGreaterThan(30);
    expect(integer.notes.join()).toMatch(/The weights alone/);
  });

  test('steps that prepare weights come first, where that needs no data', async () => {
    const behind = (before: readonly Step[]) =>
      preview(
        { path: conv, layer: '/dw/Conv', method: 'weight-only', params: { bits: 4, groupSize: 0 }, before },
        quiet(),
      );
    const alone = await behind([]);
    const equalized = await behind([{ method: 'equalize', params: {} }]);
    expect(equalized.notes).toEqual([]);
    expect(equalized.before).not.toEqual(alone.before);
    const unseen = await behind([{ method: 'smooth', params: {} }]);
    expect(unseen.notes).toEqual(['Without SmoothQuant, which learns from calibration samples.']);
    expect(unseen.sqnrDb).toBe(alone.sqnrDb);
    const itself = previewShape.parse(await ask(conv, '/conv1/Conv', 'equalize'));
    expect(itself.refusal).toBeUndefined();
    expect([itself.sqnrDb, itself.levels, itself.bytesAfter]).toEqual([null, null, itself.bytesBefore]);
    expect(itself.after).not.toEqual(itself.before);
  });

  test('wrong values and unknown layers are refused; a changed file is read again', async () => {
    await expect(ask(mlp, '/fc1/MatMul', 'weight-only', { bits: 3 })).rejects.toThrow(
      'params.bits: 3 is not one of 2, 4, 8',
    );
    await expect(ask(mlp, '/fc9', 'weight-only')).rejects.toThrow('has no layer /fc9');
    const copy = join(home, 'copy.onnx');
    await copyFile(mlp, copy);
    await ask(copy, '/fc1/MatMul', 'weight-only');
    await copyFile(conv, copy);
    await utimes(copy, 1, 2);
    await expect(ask(copy, '/fc1/MatMul', 'weight-only')).rejects.toThrow('has no layer');
  });
});

describe('run', () => {
  test('tells its stages and layers, and leaves the artifact alone in its folder', async () => {
    const folder = await job();
    const before = await readFile(conv);
    const { work, events } = working();
    const recipe = recipeOf({ method: 'float16', layers: { include: ['/conv*'] } }, { method: 'int8-dynamic' });
    const result = await runRecipe({ path: conv, recipe, seed: 0, folder }, work);
    for (const one of result.layers) layerOutcome.parse(one);
    expect(result.layers.map(({ methods, bits }) => [methods, bits])).toEqual([
      [['float16'], 16],
      [[], undefined],
      [['float16'], 16],
      [['int8-dynamic'], 8],
    ]);
    expect(result.fused).toEqual({ 'com.microsoft:DynamicQuantizeMatMul': 1 });
    expect(result.notes).toContain(
      '/conv1/Conv, /dw/Conv, /conv2/Conv were asked for and not cut; each layer says why.',
    );
    expect(events.find((event) => event.kind === 'stages')).toMatchObject({
      stages: [{ stage: 'fit' }, { stage: 'apply' }, { stage: 'write' }, { stage: 'reload' }],
    });
    expect(events).toContainEqual({ kind: 'log', level: 'info', text: '3 of 4 layers cut.' });
    expect(events.filter(({ kind }) => kind === 'progress')[0]).toMatchObject({ text: 'Half precision, layer 1 of 2' });
    expect(await readdir(folder)).toEqual(['artifact']);
    expect(await readFile(conv)).toEqual(before);
  });

  test('stops between steps and keeps what was gained', async () => {
    const folder = await job();
    const recipe = recipeOf({ method: 'float16' }, { method: 'weight-only' });
    let turned = 0;
    const work: Work = {
      signal: new AbortController().signal,
      get stopping() {
        return turned > 0;
      },
      emit: ({ kind }) => {
        if (kind === 'progress') turned++;
      },
    };
    const result = await runRecipe({ path: mlp, recipe, seed: 0, folder }, work);
    expect(result.stopped).toBe(true);
    expect(result.layers.map(({ methods }) => methods)).toEqual([['float16'], ['float16']]);
    expect(await readdir(join(folder, 'artifact'))).toEqual(['model.onnx']);
  });

  test('an abort leaves no scratch behind', async () => {
    const folder = await job();
    const stop = new AbortController();
    const { work } = working({ signal: stop.signal, emit: ({ kind }) => kind === 'progress' && stop.abort() });
    const recipe = recipeOf({ method: 'weight-only' });
    await expect(runRecipe({ path: mlp, recipe, seed: 0, folder }, work)).rejects.toMatchObject({ name: 'AbortError' });
    expect(await readdir(folder)).toEqual([]);
  });

  test('weights that vanish under it are a refusal that names the file', async () => {
    const folder = join(home, 'vanishing');
    await write(tinyMlp(), { folder, file: 'model.onnx', external: 'always' });
    const gone = join(folder, 'model.onnx.data');
    const work = working({
      emit: (event) => {
        if (event.kind === 'stages') void rm(gone);
      },
    }).work;
    const asked = runRecipe(
      { path: join(folder, 'model.onnx'), recipe: recipeOf({ method: 'float16' }), seed: 0, folder: await job() },
      work,
    );
    await expect(asked).rejects.toThrow(/model\.onnx\.data is no longer where it was/);
  });

  test('a broken recipe or model touches nothing', async () => {
    const folder = await job();
    const bad = join(home, 'bad.onnx');
    await writeFile(bad, 'no');
    await expect(runRecipe({ path: mlp, recipe: recipeOf({ method: 'x' }), seed: 0, folder }, quiet())).rejects.toThrow(
      'steps[0].method',
    );
    await expect(
      runRecipe({ path: bad, recipe: recipeOf({ method: 'float16' }), seed: 0, folder }, quiet()),
    ).rejects.toMatchObject({
      refusal: { code: 'bad-model' },
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
