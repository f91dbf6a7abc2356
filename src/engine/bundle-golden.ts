// Golden inputs and outputs: what this very file answered when it was exported, and how near another machine must come.
import type { BundleManifest } from '../contract/words/bundle';
import { refuse } from '../contract/words/refusal';
import { type Dataset, fixedBatchOf, openDataset } from './data/index';
import type { Model } from './graph/graph';
import { decodeFloat16, encodeFloat16 } from './graph/tensor';
import { everyNode } from './graph/walk';
import { mulberry32 } from './measure/quality';
import { Failure } from './runtime/failure';
import type { Feed, FeedData, Feeds, Session, SessionPort } from './runtime/session';
import type { DatasetReference } from './tasks';

export type Tolerance = BundleManifest['outputs'][number]['tolerance'];

export interface Golden {
  readonly inputs: Feeds;
  readonly outputs: Feeds;
}

/** At least three; a fourth where the data has one. */
export const goldenCount = 4;
const candidates = 32;
const relative = { float: 1e-4, integer: 2e-2 };

/** Operators that compute on integers, or are fused into one that does: their rounding differs between CPUs. */
const integerOperators =
  /^(MatMulNBits|GatherBlockQuantized|MatMulInteger|ConvInteger|QLinear.*|QGemm|DynamicQuantize.*|QuantizeLinear|DequantizeLinear|MatMulIntegerToFloat|QAttention|QMoE)$/;

export async function recordGolden(session: Session, dataset: DatasetReference | undefined): Promise<Golden[]> {
  const golden: Golden[] = [];
  const inputs = dataset ? samplesOf(await openDataset(dataset), session) : madeUp(session);
  for await (const feeds of inputs) golden.push({ inputs: feeds, outputs: await session.run(feeds) });
  if (golden.length < 3)
    refuse('unsupported', 'A bundle needs three golden inputs, and the dataset has fewer samples.');
  return choose(golden, session);
}

async function* samplesOf(dataset: Dataset, session: Session): AsyncGenerator<Feeds> {
  const split = (['test', 'validation', 'train'] as const).find((name) => dataset.samples(name) > 0) ?? 'test';
  const batch = fixedBatchOf(session.inputs) ?? 1;
  const request = { batch, limit: candidates * batch, fill: batch > 1 };
  for await (const { feeds } of dataset.batches(split, session.inputs, request)) yield feeds;
}

/** Sizes tried, in turn, for what a model leaves free besides its batch. */
const freeSizes = [1, 16, 32, 64, 224, 256, 512];

/** How free sizes are filled in; `nameless` are those without a symbol, which may be a batch too. */
interface Filling {
  readonly free: number;
  readonly nameless: 'free' | 'batch';
}

/** Seeded noise where there is no dataset: it proves the arithmetic, not the task. */
async function* madeUp(session: Session): AsyncGenerator<Feeds> {
  const free = session.inputs.flatMap(({ shape }) => shape.slice(1).filter((dim) => typeof dim !== 'number'));
  const hasNameless = free.some((dim) => dim === null);
  const fillings = freeSizes.flatMap((size): Filling[] => [
    { free: size, nameless: 'free' },
    ...(hasNameless ? [{ free: size, nameless: 'batch' } as const] : []),
  ]);
  let last: unknown;
  for (const filling of free.length > 0 ? fillings : fillings.slice(0, 1)) {
    try {
      await session.run(noise(session.inputs, filling, 1));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      last = error;
      continue;
    }
    for (let seed = 1; seed <= goldenCount * 2; seed++) yield noise(session.inputs, filling, seed);
    return;
  }
  const reason = last instanceof Failure ? ` ${last.sentence}` : '';
  refuse(
    'unsupported',
    `The model does not run on made-up inputs, so nothing golden can be recorded.${reason}`,
    'Name a dataset: its samples are used instead.',
  );
}

function noise(ports: readonly SessionPort[], filling: Filling, seed: number): Feeds {
  const random = mulberry32(seed * 7919);
  const feeds: Feeds = {};
  for (const port of ports) {
    const dims = dimsOf(port, ports, filling);
    const count = dims.reduce((product, dim) => product * dim, 1);
    feeds[port.name] = { dtype: port.dtype ?? 'float32', dims, data: noiseOf(port, count, random) };
  }
  return feeds;
}

/** One sample: the first axis is the batch, and so is every axis of the same name (a recurrent state has it second). */
function dimsOf({ shape }: SessionPort, ports: readonly SessionPort[], { free, nameless }: Filling): number[] {
  const leading = new Set(ports.map((port) => port.shape[0]).filter((dim) => typeof dim === 'string'));
  return shape.map((dim, axis) => {
    if (typeof dim === 'number' && dim >= 0) return dim;
    if (axis === 0 || (typeof dim === 'string' && leading.has(dim))) return 1;
    return typeof dim !== 'string' && nameless === 'batch' && shape.length > 2 ? 1 : free;
  });
}

function noiseOf(port: SessionPort, count: number, random: () => number): FeedData {
  const small = () => Math.floor(random() * 8);
  const unit = () => random() * 2 - 1;
  const make: Record<string, () => FeedData> = {
    float32: () => Float32Array.from({ length: count }, unit),
    float64: () => Float64Array.from({ length: count }, unit),
    float16: () => encodeFloat16(Float32Array.from({ length: count }, unit)),
    int64: () => BigInt64Array.from({ length: count }, () => BigInt(small())),
    uint64: () => BigUint64Array.from({ length: count }, () => BigInt(small())),
    int32: () => Int32Array.from({ length: count }, small),
    uint32: () => Uint32Array.from({ length: count }, small),
    int16: () => Int16Array.from({ length: count }, small),
    uint16: () => Uint16Array.from({ length: count }, small),
    int8: () => Int8Array.from({ length: count }, small),
    uint8: () => Uint8Array.from({ length: count }, small),
    bool: () => Uint8Array.from({ length: count }, () => Math.floor(random() * 2)),
  };
  const made = make[port.dtype ?? ''];
  return made ? made() : refuse('unsupported', `The input "${port.name}" takes what a golden file cannot hold.`);
}

/** Prefers samples with different answers, each clear enough that no rounding turns it. */
function choose(golden: readonly Golden[], session: Session): Golden[] {
  const output = session.outputs[0]!.name;
  const seen = new Set<string>();
  const ranked = golden.map((one) => {
    const answer = argmaxes(one.outputs[output]!).join();
    const isNew = !seen.has(answer);
    seen.add(answer);
    return { one, isNew, isClear: margin(one.outputs[output]!) > 4 * relative.integer };
  });
  const rank = (entry: { isNew: boolean; isClear: boolean }) => (entry.isClear ? 0 : 2) + (entry.isNew ? 0 : 1);
  // A stable sort: equals stay in the order of the data.
  return ranked
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, goldenCount)
    .map(({ one }) => one);
}

/** One tolerance an output: the same answer is only asked for where every golden answer is clear. */
export function tolerancesOf(
  model: Model,
  outputs: readonly SessionPort[],
  golden: readonly Golden[],
): Map<string, Tolerance> {
  const computesOnIntegers = everyNode(model).some(({ node }) => integerOperators.test(node.op));
  const value = computesOnIntegers ? relative.integer : relative.float;
  return new Map(
    outputs.map(({ name }): [string, Tolerance] => {
      const all = golden.map((one) => one.outputs[name]!);
      if (!isFloat(all[0]!)) return [name, { kind: 'exact', value: 0, argmax: false }];
      const argmax = all.every((output) => (output.dims.at(-1) ?? 1) > 1 && margin(output) > 4 * value);
      return [name, { kind: 'relative', value, argmax }];
    }),
  );
}

function isFloat(feed: Feed): boolean {
  return feed.dtype === 'float32' || feed.dtype === 'float16' || feed.dtype === 'float64';
}

export function toNumbers({ dtype, data }: Feed): ArrayLike<number> {
  if (dtype === 'float16' && data instanceof Uint16Array) return decodeFloat16(data);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Array.from(data, Number);
  return data as ArrayLike<number>;
}

/** The largest position of each row of the last axis. */
export function argmaxes(feed: Feed): number[] {
  const values = toNumbers(feed);
  const width = feed.dims.at(-1) ?? 1;
  const rows: number[] = [];
  for (let at = 0; width > 0 && at < values.length; at += width) {
    let best = at;
    for (let i = at; i < at + width; i++) if (values[i]! > values[best]!) best = i;
    rows.push(best - at);
  }
  return rows;
}

/** The least lead of a first over a second in any row, as a share of the largest number. */
function margin(feed: Feed): number {
  const values = toNumbers(feed);
  const width = feed.dims.at(-1) ?? 1;
  let least = Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let at = 0; width > 1 && at < values.length; at += width) {
    let first = Number.NEGATIVE_INFINITY;
    let second = Number.NEGATIVE_INFINITY;
    for (let i = at; i < at + width; i++) {
      const value = values[i]!;
      largest = Math.max(largest, Math.abs(value));
      if (value > first) [first, second] = [value, first];
      else if (value > second) second = value;
    }
    least = Math.min(least, first - second);
  }
  return largest === 0 || !Number.isFinite(least) ? 0 : least / largest;
}

/**
 * The largest difference as a share of the largest expected number (where all are 0, the difference itself).
 * Infinite where shapes differ or only one of two is not a number.
 */
export function distance(expected: Feed, given: Feed): number {
  if (expected.dims.join() !== given.dims.join() || expected.dtype !== given.dtype) return Number.POSITIVE_INFINITY;
  const wanted = toNumbers(expected);
  const got = toNumbers(given);
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    const a = wanted[i]!;
    const b = got[i]!;
    if (Object.is(a, b) || a === b) {
      if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a));
      continue;
    }
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(a));
    difference = Math.max(difference, Math.abs(a - b));
  }
  return largest === 0 ? difference : difference / largest;
}
