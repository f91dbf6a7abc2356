// What a run will need: seconds of each stage, memory, disk. From a dry pass over the same steps and throughputs measured here and now.

import { readFileSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recipe, Suggestion } from '../contract/words/recipe';
import type { Stage } from '../contract/words/run';
import { type InputPort, openDataset } from './data';
import { allInside, encodeModel } from './formats/onnx/encode-model';
import { dataTypes, elementCount, storedBytes, type Tensor } from './graph/graph';
import { everyNode } from './graph/walk';
import type { Kernels } from './kernels';
import { methods } from './methods';
import { type Order, orderBytes, requestOf } from './methods/cutting/order';
import { elementsOf, hollowWorkshop } from './methods/cutting/workshop';
import type { Method, Subject } from './methods/method';
import { type Taken, takeSteps } from './recipe-steps';
import type { Matrix } from './run-cost-feedback';
import { gatherCost } from './run-cost-gather';
import { trainingCost } from './run-cost-train';
import { freeMemoryBytes, ownMemoryBytes } from './runtime/machine';
import { type RuntimeSpeed, runtimeSpeed } from './runtime/speed';
import type { DatasetReference } from './tasks';

/** The runtime holds a loaded model at about this multiple of its file (measured: 1.43 for a 944 MB MatMulNBits model). */
export const loadedPerByte = 1.5;
/** Above this no optimised copy is written: it would double the disk and the load. */
export const largestOptimised = 1_000_000_000;

/** Warm-ups and runs of one latency measurement. */
const latencyRuns = 60;
/** Samples that are evaluated together where the model's batch is free. */
const usualBatch = 32;
/** Batches that are read to learn how long reading takes. */
const measuredBatches = 4;

export interface RunCost {
  /** The elements ordered up to and with each layer of each step, in the order in which they are cut: how the time is spread. */
  readonly turns: readonly number[];
  /** The steps taken without computing anything: exact sizes, refusals, warnings. */
  readonly dry: Taken;
  readonly bytesAfter: number;
  readonly peakBytes: number;
  readonly diskBytes: number;
  readonly stages: readonly { readonly stage: Stage; readonly seconds: number }[];
  /** What to know before the start. */
  readonly sentences: readonly string[];
  /** Settings of steps that train. */
  readonly suggestions: readonly Suggestion[];
  readonly freeDiskBytes: number;
  readonly freeMemoryBytes: number;
  /** The compressed model can be loaded here. */
  readonly loads: boolean;
  /** The outputs of single layers are compared with the parent's; both models are written once more for it. */
  readonly looksInside: boolean;
}

export interface CostQuestion {
  readonly subject: Subject;
  readonly recipe: Recipe;
  readonly kernels: Kernels;
  /** An existing folder on the disk the run will use. */
  readonly folder: string;
  readonly dataset?: DatasetReference;
  readonly limit?: number;
  /** Inputs of the model as it came. */
  readonly inputs: readonly InputPort[];
  /** The parent's quality is known already. */
  readonly hasBaseline: boolean;
  /** What lies in the scratch file already, from before the run was interrupted. */
  readonly ready?: { readonly orders: number; readonly bytes: number };
  readonly signal: AbortSignal;
}

export async function costOf(question: CostQuestion): Promise<RunCost> {
  const { subject, folder, kernels, signal } = question;
  const started = performance.now();
  const orders: (Order | Tensor)[] = [];
  const made: number[] = [];
  const steps = takeSteps(
    subject,
    question.recipe,
    hollowWorkshop(
      (order) => orders.push(order),
      (length) => made.push(length),
    ),
  );
  let dry: Taken;
  const turns: number[] = [];
  let ordered = 0;
  for (let counted = 0; ; ) {
    const next = await steps.next();
    for (; counted < orders.length; counted++) ordered += elementsOf(orders[counted]!);
    if (next.done) {
      dry = next.value;
      break;
    }
    turns.push(ordered);
  }
  const bytesAfter = encodeModel(dry.subject.model, allInside).length;
  const newBytes =
    orders.reduce((sum, order) => sum + resultBytes(order), 0) + made.reduce((sum, length) => sum + length, 0);
  const bytesBefore = encodeModel(subject.model, allInside).length;
  const optimised = bytesAfter <= largestOptimised ? bytesAfter : 0;
  const fitSeconds = (performance.now() - started) / 1000;

  const weightsPerSecond = await cuttingSpeed(kernels, orders, signal);
  const { ready = { orders: 0, bytes: 0 } } = question;
  const writePerSecond = await writingSpeed(folder, newBytes + bytesAfter);
  const runtime = await runtimeSpeed();
  const { dataset } = question;
  const gather = dataset
    ? await gatherCost({ ...question, dataset, runtime, fedBack: fedBackOf(orders, dry, subject) })
    : null;
  const training = await trainingCost({ ...question, dataset, runtime });
  const freeMemory = freeMemoryBytes();
  const loads = bytesAfter * loadedPerByte <= freeMemory;
  const looksInside = loads && dataset !== undefined && bytesBefore <= largestOptimised;
  const copies = looksInside ? bytesBefore + bytesAfter : 0;
  const ahead = orders.slice(ready.orders).reduce((sum, order) => sum + elementsOf(order), 0);
  const apply =
    ahead / weightsPerSecond + Math.max(0, newBytes - ready.bytes) / writePerSecond + (gather?.roundSeconds ?? 0);
  const stages: { stage: Stage; seconds: number }[] = [
    { stage: 'fit', seconds: fitSeconds },
    ...(gather || training
      ? [{ stage: 'gather' as const, seconds: (gather?.seconds ?? 0) + (training?.readSeconds ?? 0) }]
      : []),
    ...(training ? [{ stage: 'train' as const, seconds: training.seconds }] : []),
    { stage: 'apply', seconds: apply },
    { stage: 'write', seconds: bytesAfter / writePerSecond },
  ];
  // Of a small one an optimised copy is written and counted as well.
  const loadings = bytesAfter > largestOptimised ? 1 : 2;
  if (loads) stages.push({ stage: 'reload', seconds: (loadings * bytesAfter) / runtime.loadBytesPerSecond });
  if (loads && dataset) stages.push(...(await evaluationCost(question, dataset, runtime)));
  return {
    dry,
    turns,
    bytesAfter,
    peakBytes:
      ownMemoryBytes() +
      hostMemoryBytes() +
      Math.max(largestInMemory(orders, kernels) + (gather?.peakBytes ?? 0), training?.peakBytes ?? 0),
    diskBytes:
      newBytes -
      ready.bytes +
      bytesAfter +
      (training?.diskBytes ?? 0) +
      Math.max(optimised, gather?.diskBytes ?? 0, copies),
    stages,
    sentences: training?.sentences ?? [],
    suggestions: training?.suggestions ?? [],
    freeDiskBytes: await freeDisk(folder),
    freeMemoryBytes: freeMemory,
    loads,
    looksInside,
  };
}

/** Matrices that are rounded by gptq, and those that a method feeds back by itself. */
function fedBackOf(orders: readonly (Order | Tensor)[], dry: Taken, { sites }: Subject): Matrix[] {
  const rounded = orders.filter((order): order is Order => 'rows' in order && order.rounding === 'gptq');
  const itself = sites.flatMap((site) =>
    (dry.records.get(site.name)?.methods ?? []).flatMap((id) => {
      const method: Method | undefined = methods.find(({ card }) => card.id === id);
      const found = method?.feedsBack?.(site);
      return found ? [{ tensor: site.tensor, rows: found.rows, columns: found.columns }] : [];
    }),
  );
  return [...rounded, ...itself];
}

function resultBytes(order: Order | Tensor): number {
  if (!('rows' in order)) return elementCount(order.dims) * 2;
  const { codes, scales, zeroPoints } = orderBytes(order);
  return codes + scales + zeroPoints;
}

/** Slots of the kernels' memory that a thread fills with a piece of the tensor and its result, at most. */
const slotBytes = 64 * 2 ** 20;

/** The largest result, twice (as the kernel gives it and as it is stored), and the pieces the threads work on. */
function largestInMemory(orders: readonly (Order | Tensor)[], kernels: Kernels): number {
  const pieces = (kernels.threads + 1) * slotBytes;
  const tensors = orders.map((order) => storedBytes('rows' in order ? order.tensor : order));
  const largest = orders.reduce((most, order) => Math.max(most, resultBytes(order)), 0);
  return Math.min(pieces, 2 * tensors.reduce((a, b) => a + b, 0)) + 2 * largest;
}

/** The host that forked this engine; 0 where the system does not tell. */
function hostMemoryBytes(): number {
  try {
    const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process.ppid}/status`, 'utf8'));
    return line ? Number(line[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

const sampleWeights = 2 ** 20;
/** The first try also starts the threads, which takes ten times as long as the sample: the fastest counts. */
const cuttingTries = 3;

/** Weights a second over about a million weights of the largest tensor of the run. */
async function cuttingSpeed(
  kernels: Kernels,
  orders: readonly (Order | Tensor)[],
  signal: AbortSignal,
): Promise<number> {
  const largest = orders.toSorted((a, b) => elementsOf(b) - elementsOf(a)).find(isReadable);
  if (!largest) return Infinity;
  let fastest = 0;
  for (let tried = 0; tried < cuttingTries; tried++) {
    const started = performance.now();
    const weights = await cutSample(kernels, largest, signal);
    fastest = Math.max(fastest, weights / ((performance.now() - started) / 1000));
  }
  return fastest;
}

/** How many weights were cut. */
async function cutSample(kernels: Kernels, largest: Order | Tensor, signal: AbortSignal): Promise<number> {
  if (!('rows' in largest)) {
    const piece = firstElements(largest, sampleWeights);
    await kernels.toFloat16(piece, { signal });
    return elementCount(piece.dims);
  }
  // Inputs that gptq rounds by are not there yet.
  const { rounding } = largest;
  const alike: Order = rounding === 'gptq' ? { ...largest, rounding: 'nearest' } : largest;
  const weights = elementsOf(largest);
  const stored = largest.order === 'rows' ? largest.rows : largest.columns;
  const sampleRows = Math.max(1, Math.round((stored * sampleWeights) / weights));
  const isWhole = sampleRows >= stored;
  await kernels.quantize({ ...requestOf(alike, signal), ...(isWhole ? {} : { sampleRows }) });
  return isWhole ? weights : (weights * sampleRows) / stored;
}

/** Tensors that an earlier step will make are not there yet. */
function isReadable(order: Order | Tensor): boolean {
  const { data } = 'rows' in order ? order.tensor : order;
  return data.kind !== 'file' || data.file !== '';
}

function firstElements(tensor: Tensor, count: number): Tensor {
  const { data, dtype, dims } = tensor;
  const total = elementCount(dims);
  if (total <= count) return tensor;
  const length = (count * dataTypes[dtype].bits) / 8;
  if (data.kind === 'file') return { ...tensor, dims: [count], data: { ...data, length } };
  if (data.kind === 'bytes')
    return { ...tensor, dims: [count], data: { kind: 'bytes', bytes: data.bytes.subarray(0, length) } };
  return tensor;
}

/** A disk takes a little at once into its cache: the more there is to write, the longer it is watched. */
const leastProbe = 8 * 2 ** 20;
const mostProbe = 64 * 2 ** 20;

/** Bytes a second that reach this folder's disk. */
async function writingSpeed(folder: string, toWrite: number): Promise<number> {
  const probeBytes = Math.round(Math.min(mostProbe, Math.max(leastProbe, toWrite / 64)));
  const file = join(folder, `.speed-${process.pid}`);
  const handle = await open(file, 'w');
  try {
    const started = performance.now();
    await handle.write(new Uint8Array(probeBytes));
    await handle.datasync();
    return probeBytes / ((performance.now() - started) / 1000);
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}

async function freeDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Quality needs a pass of the compressed model, one of its parent beside it for the comparison, and one of the parent alone where its
 * quality is not known; speed needs a measurement of each that is not known. Reading samples is measured on the first of them.
 */
async function evaluationCost(
  { subject, inputs, limit = Infinity, hasBaseline }: CostQuestion,
  reference: DatasetReference,
  runtime: RuntimeSpeed,
): Promise<{ stage: Stage; seconds: number }[]> {
  const opening = performance.now();
  const dataset = await openDataset(reference);
  const openSeconds = (performance.now() - opening) / 1000;
  const split = (['test', 'validation', 'train'] as const).find((name) => dataset.samples(name) > 0);
  if (!split) return [];
  const samples = Math.min(limit, dataset.samples(split));
  const first = inputs[0]?.shape[0];
  const batch = typeof first === 'number' ? Math.max(1, first) : usualBatch;
  // The first batch also unpacks files; the best of the others is what the rest will take.
  let readSeconds = Infinity;
  let since = performance.now();
  let firstSeconds = 0;
  for await (const part of dataset.batches(split, inputs, { batch: usualBatch, limit: measuredBatches * usualBatch })) {
    const seconds = (performance.now() - since) / 1000;
    if (firstSeconds === 0) firstSeconds = seconds;
    else readSeconds = Math.min(readSeconds, seconds / part.samples);
    since = performance.now();
  }
  if (readSeconds === Infinity) readSeconds = firstSeconds / usualBatch;

  const macs = subject.sites.reduce((sum, site) => sum + (site.macs ?? site.parameters), 0);
  const nodes = everyNode(subject.model).length;
  const runSeconds = (many: number): number =>
    runtime.runSeconds + nodes * runtime.nodeSeconds + (many * macs) / runtime.macsPerSecond;
  const passes = hasBaseline ? 2 : 3;
  const sweeps = hasBaseline ? 1 : 2;
  const runs = Math.ceil(samples / batch);
  return [
    {
      stage: 'evaluate',
      seconds: passes * runs * runSeconds(batch) + sweeps * (openSeconds + firstSeconds + samples * readSeconds),
    },
    { stage: 'time', seconds: sweeps * latencyRuns * runSeconds(1) },
  ];
}
