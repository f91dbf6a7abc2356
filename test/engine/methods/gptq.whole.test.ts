// Weight-only by GPTQ through the run itself: what it needs, what it wins, the same bytes every time, nothing left behind.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { forecast } from '../../../src/engine/forecast';
import type { TensorData } from '../../../src/engine/graph/graph';
import { readBytes } from '../../../src/engine/graph/tensor';
import { openKernels } from '../../../src/engine/kernels';
import { openCalibration } from '../../../src/engine/measure/calibration';
import type { Gathering } from '../../../src/engine/methods/cutting/gathering';
import { Scratch } from '../../../src/engine/methods/cutting/scratch';
import { kernelWorkshop, type Quantized, type Workshop } from '../../../src/engine/methods/cutting/workshop';
import { inputsOf, openSubject } from '../../../src/engine/open';
import { runRecipe } from '../../../src/engine/run';
import type { TaskEvent, Work } from '../../../src/engine/tasks';
import { hasTestData, testData } from '../../data';
import { preparation } from '../../datasets';
import { storiesModel } from '../../stories';
import { take, withoutTraining } from './bench';

const folder = mkdtempSync(join(tmpdir(), 'lathe-gptq-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const work = (events: TaskEvent[] = []): Work => ({
  emit: (event) => events.push(event),
  stopping: false,
  signal: new AbortController().signal,
});

const recipe = (params: Record<string, string | number>) => ({
  lathe: 1 as const,
  steps: [{ method: 'weight-only', params: { rounding: 'gptq', ...params } }],
});

function classifier(name: 'mnistfc' | 'cifar10-vit-ibp'): { path: string; dataset: { path: string } } {
  const mnist = (from: number, to: number) => ({
    inputs: testData('data/mnist/t10k-images-idx3-ubyte.gz'),
    labels: testData('data/mnist/t10k-labels-idx1-ubyte.gz'),
    ...{ from, to },
  });
  const splits = {
    mnistfc: { calibration: mnist(0, 200), test: mnist(2000, 3000) },
    'cifar10-vit-ibp': {
      calibration: { inputs: testData('data/cifar10/train-5k.bin') },
      test: { inputs: testData('data/cifar10/test-1k.bin') },
    },
  }[name];
  const file = join(folder, `${name}.json`);
  const inputs = { '*': preparation[name] };
  writeFileSync(file, JSON.stringify({ lathe: 1, name, task: 'classification', inputs, splits }));
  const model = { mnistfc: 'mnistfc/mnist-net_256x4.onnx', 'cifar10-vit-ibp': 'cifar10-vit-ibp/model.onnx' }[name];
  return { path: testData(`models/${model}`), dataset: { path: file } };
}

let runs = 0;
function place(): string {
  const own = join(folder, `run-${runs++}`);
  mkdirSync(own);
  return own;
}

describe.skipIf(!hasTestData)('weight-only by GPTQ', () => {
  it('without samples it is refused before anything is computed', async () => {
    const { path } = classifier('mnistfc');
    const ask = { path, recipe: recipe({}), folder: place() };
    const refusal = {
      refusal: { code: 'bad-dataset', sentence: 'steps[0] needs calibration samples: choose a dataset.' },
    };
    await expect(forecast(ask, work())).rejects.toMatchObject(refusal);
    await expect(runRecipe({ ...ask, seed: 1 }, work())).rejects.toMatchObject(refusal);
  });

  it('keeps answers that nearest loses, and gives the same bytes every time', async () => {
    const subject = classifier('mnistfc');
    const accuracy = async (params: Record<string, string | number>) => {
      const own = place();
      const { compressed } = await runRecipe({ ...subject, recipe: recipe(params), folder: own, seed: 1 }, work());
      expect(readdirSync(own)).toEqual(['artifact']);
      const bytes = readFileSync(join(own, 'artifact/model.onnx'));
      return { value: compressed!.quality.value, hash: createHash('sha256').update(bytes).digest('hex') };
    };
    const nearest = await accuracy({ rounding: 'nearest', bits: 2 });
    const gptq = await accuracy({ bits: 2 });
    expect(nearest.value).toBeLessThan(0.9);
    expect(gptq.value).toBeGreaterThan(0.96);
    expect((await accuracy({ bits: 2 })).hash).toBe(gptq.hash);
  });

  it.each([
    { bits: 8, groupSize: 0 },
    { bits: 4, groupSize: 16 },
    { bits: 4, groupSize: 256 },
    { bits: 2, groupSize: 64 },
  ])('a vision transformer at $bits bits in groups of $groupSize: told before, done so', async (params) => {
    const ask = { ...classifier('cifar10-vit-ibp'), recipe: recipe({ ...params, samples: 16 }), limit: 8 };
    const foreseen = await forecast({ ...ask, folder: place() }, work());
    const events: TaskEvent[] = [];
    const result = await runRecipe({ ...ask, folder: place(), seed: 1 }, work(events));
    expect(result.files[0]!.bytes).toBe(foreseen.bytesAfter);
    expect(events.some((event) => event.kind === 'progress' && event.stage === 'gather')).toBe(true);
    const cut = foreseen.layers.filter(({ methods }) => methods.length > 0);
    expect(cut.length).toBeGreaterThan(15);
  });

  it('goes on where weights are cut already: the same codes behind them, and no sums for those', async () => {
    const { model } = (await openSubject(storiesModel)).subject;
    const calibration = await openCalibration(
      { path: testData('models/stories260K/selfgen_ids.json') },
      inputsOf(await openSubject(storiesModel)),
    );
    const kernels = await openKernels();
    const scratch = await Scratch.open(join(folder, 'scratch.bin'));
    const { signal } = new AbortController();
    const gathering: Gathering = {
      ...withoutTraining,
      declared: new Map(),
      calibration,
      folder: place(),
      kernels,
      signal,
      tell: () => {},
    };
    const workshop = kernelWorkshop(kernels, scratch, signal, gathering);
    const cut = async (known: readonly Quantized[]) => {
      const made: Quantized[] = [];
      let sums = 0;
      const asked: Workshop = {
        ...workshop,
        async quantize(order, hessian) {
          const counted = async () => {
            sums++;
            return await hessian!();
          };
          const answer = known[made.length] ?? (await workshop.quantize(order, hessian && counted));
          made.push(answer);
          return answer;
        },
      };
      await take(model, [{ method: 'weight-only', params: { rounding: 'gptq', samples: 4 } }], asked);
      return { made, sums };
    };
    try {
      const whole = await cut([]);
      const rest = await cut(whole.made.slice(0, ready));
      expect(rest.sums).toBe(whole.sums - ready + tables);
      for (const [i, { codes }] of rest.made.entries())
        expect(await bytesOf(codes), `order ${i}`).toEqual(await bytesOf(whole.made[i]!.codes));
    } finally {
      await kernels.close();
      await scratch.remove();
    }
  });
});

/** Orders that a run before has answered; the embeddings come first and need no inputs. */
const [ready, tables] = [17, 1];

const bytesOf = (data: TensorData): Promise<Uint8Array> =>
  readBytes({ name: 'codes', dtype: 'uint8', dims: [data.kind === 'file' ? data.length : byteCount(data)], data });
const byteCount = (data: TensorData): number => (data.kind === 'bytes' ? data.bytes.length : 0);
