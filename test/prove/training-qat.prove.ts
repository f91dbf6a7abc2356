// What training through rounding wins back on real data, measured on the exported models; docs/evidence/training-qat.json.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SplitName } from '../../src/contract/words/dataset';
import { openDataset } from '../../src/engine/data';
import { encode } from '../../src/engine/formats/onnx';
import { runRecipe } from '../../src/engine/run';
import { openSession } from '../../src/engine/runtime/session';
import type { Work } from '../../src/engine/tasks';
import { partsOf } from '../../src/engine/train/training-data';
import { hasTestData, testData } from '../data';
import { smallCnn } from '../engine/train/networks';
import { storiesModel, storiesParagraphs } from '../stories';
import { record } from './evidence';

// A folder that is given stays, and what was run in it is not run again.
const given = process.env.LATHE_PROVE_FOLDER;
const folder = given ?? mkdtempSync(join(tmpdir(), 'lathe-prove-qat-'));
afterAll(() => given === undefined && rmSync(folder, { recursive: true, force: true }));
const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

interface Ran {
  readonly before: number;
  readonly after: number;
  readonly bytes: number;
  readonly fused: Record<string, number>;
  readonly training: { steps: number; parentLevel: number | null; bestLevel: number | null } | null;
  readonly trainSeconds: number;
}

async function run(name: string, path: string, dataset: string, method: string, params: object, seed = 7) {
  const job = join(folder, name);
  const [kept, artifact] = [join(job, 'ran.json'), join(job, 'artifact', 'model.onnx')];
  if (existsSync(kept)) return { ...(JSON.parse(readFileSync(kept, 'utf8')) as Ran), path: artifact };
  mkdirSync(job, { recursive: true });
  const recipe = { lathe: 1 as const, steps: [{ method, params: params as never }] };
  const made = await runRecipe({ path, recipe, seed, folder: job, dataset: { path: dataset } }, quiet);
  const { steps, parentLevel, bestLevel } = made.training?.[0] ?? {};
  const ran: Ran = {
    before: made.baseline!.quality.value,
    after: made.compressed!.quality.value,
    bytes: made.files.reduce((sum, { bytes }) => sum + bytes, 0),
    fused: made.fused,
    training: steps === undefined ? null : { steps, parentLevel: parentLevel ?? null, bestLevel: bestLevel ?? null },
    trainSeconds: made.stages.find(({ stage }) => stage === 'train')?.seconds ?? 0,
  };
  writeFileSync(kept, JSON.stringify(ran));
  return { ...ran, path: artifact };
}

function writeData(name: string, spec: object): string {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'dataset.json'), JSON.stringify({ lathe: 1, name, ...spec }));
  return home;
}

const fashion = (part: string) => ({
  inputs: testData(`data/fashion-mnist/${part}-images-idx3-ubyte.gz`),
  labels: testData(`data/fashion-mnist/${part}-labels-idx1-ubyte.gz`),
});
const fashionData = () =>
  writeData('fashion-mnist', {
    task: 'classification',
    inputs: { '*': { layout: 'NCHW', scale: 1 / 255, mean: [0.286], std: [0.353] } },
    splits: { train: fashion('train'), test: fashion('t10k') },
  });

/** The small CNN, four epochs from scratch. */
async function floatCnn(data: string): Promise<string> {
  const path = join(folder, 'small-cnn.onnx');
  writeFileSync(path, await encode(smallCnn({ seed: 1 })));
  const params = { epochs: 4, batch: 128, learningRate: 2e-3, patience: 0 };
  return (await run('float-cnn', path, data, 'finetune', params, 1)).path;
}

interface Answers {
  readonly logits: Float32Array;
  readonly picked: readonly number[];
  readonly isRight: readonly boolean[];
  /** Mean cross-entropy. */
  readonly loss: number;
}

/** `written`: every operator as it stands in the file, none joined: what QuantizeLinear and DequantizeLinear mean. */
async function answersOf(path: string, data: string, part: Part, written = false): Promise<Answers> {
  const session = await openSession(path, written ? { level: 'disabled' } : {});
  const dataset = await openDataset({ path: data });
  const logits: number[] = [];
  const picked: number[] = [];
  const isRight: boolean[] = [];
  let loss = 0;
  const { split, ...range } = part;
  for await (const { feeds, labels } of dataset.batches(split, session.inputs, { batch: 250, ...range })) {
    const answer = Object.values(await session.run(feeds))[0]!;
    const scores = answer.data as Float32Array;
    const classes = answer.dims[1]!;
    for (const [i, label] of labels!.entries()) {
      const own = scores.subarray(i * classes, (i + 1) * classes);
      const most = Math.max(...own);
      picked.push(own.indexOf(most));
      isRight.push(own.indexOf(most) === label);
      loss += Math.log(own.reduce((sum, one) => sum + Math.exp(one - most), 0)) + most - own[label]!;
    }
    logits.push(...scores);
  }
  await session.close();
  return { logits: Float32Array.from(logits), picked, isRight, loss: loss / picked.length };
}
interface Part {
  readonly split: SplitName;
  readonly from?: number;
  readonly limit?: number;
}

/** Difference of two accuracies on the same samples, with its 95 % interval. */
function paired(one: Answers, other: Answers) {
  const n = one.isRight.length;
  const apart = one.isRight.map((right, i) => Number(right) - Number(other.isRight[i]));
  const difference = apart.reduce((a, b) => a + b, 0) / n;
  const variance = apart.reduce((sum, one) => sum + (one - difference) ** 2, 0) / (n - 1);
  const half = 1.96 * Math.sqrt(variance / n);
  return { difference, interval: [difference - half, difference + half], n };
}

/** The samples that chose the best weights. */
async function tunedOf(data: string): Promise<Part> {
  const { split, from, samples } = partsOf(await openDataset({ path: data })).tune!;
  return { split, from, limit: samples };
}

/** Of the 60,000 samples a tenth is spared to choose by. */
const batch = 128;
const epochsOf = (steps: number): number => steps / Math.floor(54_000 / batch);

/** The integer model beside what its file says in float, and its loss beside the one that was reached in training. */
async function sameness({ path, training }: Awaited<ReturnType<typeof run>>, data: string) {
  const part: Part = { split: 'test', limit: 2000 };
  const [joined, plain] = [await answersOf(path, data, part), await answersOf(path, data, part, true)];
  const step = (Math.max(...plain.logits) - Math.min(...plain.logits)) / 255;
  const far = joined.logits.map((one, i) => Math.abs(one - plain.logits[i]!));
  return {
    differentAnswers: joined.picked.filter((one, i) => one !== plain.picked[i]).length,
    of: joined.picked.length,
    largestDifference: Math.max(...far),
    step,
    lossInTraining: training!.bestLevel,
    lossExported: (await answersOf(path, data, await tunedOf(data))).loss,
  };
}

const short = (ran: Ran) => ({ accuracy: ran.after, bytes: ran.bytes, fused: ran.fused });

describe.skipIf(!hasTestData)('quantization-aware training', () => {
  it.each([2, 4])('%i-bit weights on Fashion-MNIST, 300 steps', { timeout: 1_800_000 }, async (weightBits) => {
    const data = fashionData();
    const float = await floatCnn(data);
    const nearest = await run(`nearest-${weightBits}`, float, data, 'weight-only', { bits: weightBits, groupSize: 0 });
    const shared = { weightBits, batch, epochs: epochsOf(300), learningRate: 1e-3 };
    const packed = await run(`packed-${weightBits}`, float, data, 'qat', {
      ...{ ...shared, activationBits: 0, groupSize: 0 },
    });
    const whole = await run(`integer-${weightBits}`, float, data, 'qat', shared);
    const wonBack = ({ after }: Ran): number => (after - nearest.after) / (nearest.before - nearest.after);
    const parent = await answersOf(float, data, { split: 'test' });
    const toFloat = async (ran: typeof packed) => paired(await answersOf(ran.path, data, { split: 'test' }), parent);
    const found = { packed: await toFloat(packed), whole: await toFloat(whole) };
    record('training-qat', `fashionMnist${weightBits}Bits`, {
      ...{ float: nearest.before, nearest: nearest.after, steps: whole.training!.steps },
      floatActivations: { ...short(packed), wonBack: wonBack(packed), toFloat: found.packed },
      integers: { ...short(whole), wonBack: wonBack(whole), toFloat: found.whole, same: await sameness(whole, data) },
      seconds: { floatActivations: packed.trainSeconds, integers: whole.trainSeconds },
    });
    if (weightBits === 2) expect(Math.min(wonBack(packed), wonBack(whole))).toBeGreaterThan(0.7);
    else expect(Math.min(found.packed.difference, found.whole.difference)).toBeGreaterThan(-0.01);
  });

  it('a depthwise network with batch norms in integers', { timeout: 1_800_000 }, async () => {
    const data = fashionData();
    const float = join(folder, 'mobile-net.onnx');
    copyFileSync(resolve(import.meta.dirname, '../fixtures/mobile-net-fashion.onnx'), float);
    const parent = await answersOf(float, data, { split: 'test' });
    const toFloat = async ({ path }: { path: string }) =>
      paired(await answersOf(path, data, { split: 'test' }), parent);
    const still = await run('mobile-static', float, data, 'int8-static', {});
    const trained: Record<string, unknown> = {};
    for (const [weightBits, steps] of [
      [8, 100],
      [4, 200],
    ] as const) {
      const params = { weightBits, batch, epochs: epochsOf(steps), learningRate: 5e-4 };
      const ran = await run(`mobile-${weightBits}`, float, data, 'qat', params);
      trained[`weights${weightBits}Bits`] = {
        ...{ ...short(ran), ...ran.training, seconds: ran.trainSeconds },
        ...{ toFloat: await toFloat(ran), same: await sameness(ran, data) },
      };
    }
    record('training-qat', 'mobileNetFashionMnist', {
      float: still.before,
      staticInt8: { ...short(still), toFloat: await toFloat(still) },
      ...trained,
    });
  });

  it('a small language model with 4-bit weights', { timeout: 1_200_000 }, async () => {
    const all = storiesParagraphs();
    const home = writeData('stories', {
      task: 'language-modelling',
      splits: { train: { inputs: 'train.json' }, test: { inputs: 'test.json' } },
    });
    writeFileSync(join(home, 'train.json'), JSON.stringify(all.filter((_, i) => i % 2 === 1)));
    writeFileSync(join(home, 'test.json'), JSON.stringify(all.filter((_, i) => i % 2 === 0)));
    const nearest = await run('stories-nearest', storiesModel, home, 'weight-only', { bits: 4, groupSize: 32 });
    const params = { weightBits: 4, activationBits: 0, groupSize: 32, epochs: 8, batch: 8, learningRate: 3e-4 };
    const trained = await run('stories-trained', storiesModel, home, 'qat', params);
    record('training-qat', 'stories260k4Bits', {
      ...{ float: nearest.before, nearest: nearest.after, trained: trained.after, ...trained.training },
      ...{ seconds: trained.trainSeconds, fused: trained.fused },
    });
    expect(trained.after).toBeLessThan(nearest.after);
  });
});
