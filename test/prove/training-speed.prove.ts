// Step time of training beside PyTorch: the same networks, batches and threads, alternating rounds in one run.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { open, write } from '../../src/engine/formats/onnx';
import { elementCount, type Model } from '../../src/engine/graph/graph';
import { normalise } from '../../src/engine/graph/normalise';
import { readFloats } from '../../src/engine/graph/tensor';
import { openOptimizerKernel } from '../../src/engine/kernels/optimizer';
import { physicalCores } from '../../src/engine/runtime/machine';
import { type Feed, type Feeds, openSession } from '../../src/engine/runtime/session';
import { differentiate } from '../../src/engine/train/backward';
import { decompose } from '../../src/engine/train/decompose';
import { withBatchStatistics } from '../../src/engine/train/decompose/batch-statistics';
import { withFixedInputs } from '../../src/engine/train/fix';
import { attachLoss } from '../../src/engine/train/loss';
import { hasTestData, testData } from '../data';
import { mlp, mobileNet, residualNet, smallCnn, transformerBlock } from '../engine/train/networks';
import { record } from './evidence';

const python = '/usr/bin/python3';
const hasPeer = (() => {
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('No PyTorch here (Debian: python3-torch): step time has nothing to stand beside and is not measured.');
    return false;
  }
})();

interface Contest {
  readonly name: string;
  readonly batch: number;
  readonly task: 'classification' | 'regression' | 'language';
  readonly input: readonly number[];
  readonly model: () => Promise<Model>;
}

const contests: readonly Contest[] = [
  { name: 'mlp', batch: 64, task: 'classification', input: [784], model: async () => mlp() },
  { name: 'small-cnn', batch: 64, task: 'classification', input: [1, 28, 28], model: async () => smallCnn() },
  { name: 'residual-net', batch: 16, task: 'classification', input: [3, 32, 32], model: async () => residualNet() },
  { name: 'mobile-net', batch: 64, task: 'classification', input: [1, 28, 28], model: async () => mobileNet() },
  { name: 'transformer-block', batch: 8, task: 'regression', input: [128, 256], model: async () => transformerBlock() },
  {
    name: 'stories260K',
    batch: 16,
    task: 'language',
    input: [128],
    model: async () => (await normalise((await open(testData('models/stories260K/model.onnx'))).model)).model,
  },
];

/** Milliseconds of [forward + backward, AdamW, processor time of both]: the last says the same on a busy machine. */
type Times = readonly [number, number, number];

interface Side {
  readonly parameters: number;
  steps(count: number): Promise<Times[]>;
  close(): Promise<void>;
}

const noise = (count: number, seed: number): Float32Array => {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
};

const threads = Number(process.env.LATHE_THREADS ?? physicalCores());

async function ours({ batch, task, input, model: make }: Contest, folder: string, profile?: string): Promise<Side> {
  const model = await make();
  const isLanguage = task === 'language';
  const dims = [batch, ...input];
  const port = model.graph.inputs[0]!.name;
  const fixed = await withFixedInputs(model, new Map([[port, dims]]));
  const normed = withBatchStatistics(fixed.model, fixed.known);
  const plain = await decompose(normed.model, normed.known);
  const output = model.graph.outputs[0]!.name;
  const lossy = await attachLoss(plain.model, { task, output, known: plain.known });
  const weights = [...model.graph.initializers.values()].filter(
    ({ name, dtype }) => dtype === 'float32' && /weight|bias/.test(name),
  );
  const statistics = normed.statistics.flatMap(({ batchMean, batchVariance }) => [batchMean, batchVariance]);
  const made = await differentiate(lossy.model, {
    loss: lossy.loss,
    wrt: weights.map(({ name }) => name),
    keep: statistics,
    known: lossy.known,
  });
  const [file] = await write(made.model, { folder, file: `${task}-${batch}.onnx` });
  const session = await openSession(join(folder, file!), { threads, ...(profile ? { profile } : {}) });
  const total = weights.reduce((all, { dims: size }) => all + elementCount(size), 0);
  const kernel = openOptimizerKernel(total);
  const feeds: Record<string, Feed> = {};
  const fetches: Record<string, Feed> = {};
  let at = 0;
  for (const tensor of weights) {
    const count = elementCount(tensor.dims);
    kernel.weights.set(await readFloats(tensor), at);
    const view = (array: Float32Array): Feed => ({
      dtype: 'float32',
      dims: tensor.dims,
      data: array.subarray(at, at + count),
    });
    feeds[tensor.name] = view(kernel.weights);
    fetches[made.gradients.get(tensor.name)!] = view(kernel.grads);
    at += count;
  }
  fetches[lossy.loss] = { dtype: 'float32', dims: [], data: new Float32Array(1) };
  for (const name of statistics) {
    const { dims: size } = normed.known.get(name)!;
    fetches[name] = { dtype: 'float32', dims: size, data: new Float32Array(elementCount(size)) };
  }
  const ids = BigInt64Array.from(noise(elementCount(dims), 3), (value) => BigInt(Math.floor((value + 1) * 255)));
  feeds[port] = isLanguage
    ? { dtype: 'int64', dims, data: ids }
    : { dtype: 'float32', dims, data: noise(elementCount(dims), 1) };
  const labels = lossy.labels;
  const labelDims = (labels.type as { shape: readonly number[] }).shape;
  const classes = BigInt64Array.from(noise(elementCount(labelDims), 2), (value) => BigInt(Math.floor((value + 1) * 5)));
  feeds[labels.name] =
    task === 'regression'
      ? { dtype: 'float32', dims: labelDims, data: noise(elementCount(labelDims), 2) }
      : { dtype: 'int64', dims: labelDims, data: isLanguage ? ids : classes };
  if (lossy.weights)
    feeds[lossy.weights.name] = { dtype: 'float32', dims, data: new Float32Array(elementCount(dims)).fill(1) };
  const asked = new Set(session.inputs.map(({ name }) => name));
  const given: Feeds = Object.fromEntries(Object.entries(feeds).filter(([name]) => asked.has(name)));
  let step = 0;
  return {
    parameters: total,
    async steps(count) {
      const times: Times[] = [];
      for (let i = 0; i < count; i++) {
        const used = process.cpuUsage();
        const start = performance.now();
        await session.run(given, fetches);
        const between = performance.now();
        step++;
        kernel.step({
          learningRate: 1e-4,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          biasCorrection1: 1 - 0.9 ** step,
          biasCorrection2: 1 - 0.999 ** step,
          weightDecay: 0.01,
          gradScale: 1,
        });
        const end = performance.now();
        const { user, system } = process.cpuUsage(used);
        times.push([between - start, end - between, (user + system) / 1000]);
      }
      return times;
    },
    close: () => session.close(),
  };
}

/** The process that holds PyTorch's networks, one at a time. */
class Peer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor() {
    const script = join(import.meta.dirname, 'training-peer.py');
    this.child = spawn(python, [script], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Threads that spin while the other side computes would be measured there.
      env: { ...process.env, OMP_WAIT_POLICY: 'passive', OMP_NUM_THREADS: String(threads) },
    });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  private async ask(question: object): Promise<unknown> {
    this.child.stdin!.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the PyTorch process ended');
    return JSON.parse(value);
  }

  async side({ name, batch }: Contest): Promise<Side & { torch: string }> {
    const opened = (await this.ask({ network: name, batch, threads })) as { parameters: number; torch: string };
    return { ...opened, steps: (count) => this.ask({ steps: count }) as Promise<Times[]>, close: async () => {} };
  }

  close(): void {
    this.child.kill();
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const round = (value: number): number => Number(value.toPrecision(3));
const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

const rounds = Number(process.env.LATHE_ROUNDS ?? 9);
const only = process.env.LATHE_NETWORK;

describe.skipIf(!hasPeer || !hasTestData)('a training step beside PyTorch', () => {
  it('takes as long, within the bounds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lathe-step-'));
    const peer = new Peer();
    const table: Record<string, Record<string, number>> = {};
    let torch = '';
    try {
      for (const contest of contests.filter(({ name }) => !only || only.split(',').includes(name))) {
        const here = await ours(
          contest,
          folder,
          process.env.LATHE_PROFILE && join(process.env.LATHE_PROFILE, contest.name),
        );
        const there = await peer.side(contest);
        torch = there.torch;
        expect(there.parameters, `parameters of ${contest.name}`).toBe(here.parameters);
        const [first] = await here.steps(2);
        await there.steps(2);
        const count = Math.max(1, Math.min(20, Math.round(150 / first![0])));
        const [mine, theirs]: [Times[], Times[]] = [[], []];
        for (let i = 0; i < rounds; i++) {
          mine.push(...(await here.steps(count)));
          theirs.push(...(await there.steps(count)));
        }
        await here.close();
        const [passes, adamw] = [0, 1].map((part) => mine.map((times) => times[part]!)) as [number[], number[]];
        const [torchPasses, torchAdamw] = [0, 1].map((part) => theirs.map((times) => times[part]!)) as [
          number[],
          number[],
        ];
        const least = (values: readonly number[]): number => Math.min(...values);
        const whole = (times: readonly Times[]): number[] => times.map(([a, b]) => a + b);
        table[contest.name] = {
          parameters: here.parameters,
          ...{ ms: round(least(passes)), torchMs: round(least(torchPasses)) },
          ...{ adamwMs: round(least(adamw)), torchAdamwMs: round(least(torchAdamw)) },
          adamwNsPerParameter: round((1e6 * least(adamw)) / here.parameters),
          ratio: round(least(passes) / least(torchPasses)),
          ratioOfMedians: round(median(passes) / median(torchPasses)),
          ratioOfProcessorTime: round(least(mine.map(([, , used]) => used)) / least(theirs.map(([, , used]) => used))),
          ratioWithAdamw: round(least(whole(mine)) / least(whole(theirs))),
        };
        console.log(contest.name, JSON.stringify(table[contest.name]));
      }
    } finally {
      peer.close();
      rmSync(folder, { recursive: true, force: true });
    }
    const all = Object.values(table);
    const forwardBackward = round(geometricMean(all.map(({ ratio }) => ratio!)));
    const withAdamw = round(geometricMean(all.map(({ ratioWithAdamw }) => ratioWithAdamw!)));
    const processorTime = round(geometricMean(all.map(({ ratioOfProcessorTime }) => ratioOfProcessorTime!)));
    console.log('geometric means', forwardBackward, withAdamw, processorTime);
    if (only) return;
    record('training-speed', `beside PyTorch, ${threads} threads`, {
      peer: `Debian's PyTorch ${torch}, OMP_WAIT_POLICY=passive`,
      // Above the number of cores the machine was busy with other work: then processor time compares, time does not.
      ...{ threads, rounds, loadAverage: round(loadavg()[0]!), networks: table },
      geometricMean: { forwardBackward, withAdamw, processorTime },
    });
    expect(forwardBackward).toBeLessThanOrEqual(1.1);
    expect(withAdamw).toBeLessThanOrEqual(1.3);
    expect(table['mobile-net']!.ratio).toBeLessThanOrEqual(2.5);
  });
});
