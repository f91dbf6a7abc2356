// The live preview of a quantizer on one tensor, which stays in the shared memory while its dials are turned.
import { statSync } from 'node:fs';
import { storedBytes, type Tensor } from '../graph/graph';
import type { Weights } from './bench';
import type { GroupPlan } from './group-plan';
import type { QuantizePreview, QuantizeRequest } from './kernels';
import type { Pool } from './pool';
import { planOf, totalLoss, wayOf } from './quantize';
import { binCount, binWidth } from './reference/histogram';
import type { Grid, Loss } from './reference/quantize';
import { countedBins, sweep } from './statistics';
import { loadPiece } from './tasks/load';
import { requireFloats } from './tensor-source';

/** A larger tensor is not kept, and without `sampleRows` it is answered from a sample of about `sampleWeights`. */
const warmBytes = 2 ** 28;
const wholeWeights = 24 * 2 ** 20;
const sampleWeights = 16 * 2 ** 20;
/** Roundings that search answer from every sixteenth row first, unless there are few weights. */
const searchedShare = 1 / 16;
const fewWeights = 2 ** 18;
/** Feedback runs over K² products a channel: 2^30 of them take about 30 ms on two threads. */
const mostProducts = 2 ** 30;

/** What is known of the tensor that was looked at last. */
export interface Warm {
  readonly key: string;
  readonly weights: Weights;
  readonly min: number;
  readonly max: number;
  readonly nonFinite: number;
  /** Histogram of the whole tensor, once someone asked for it. */
  before: readonly number[] | null;
}

export class Previews {
  readonly #pool: Pool;
  #warm: Warm | null = null;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async preview(request: QuantizeRequest): Promise<QuantizePreview> {
    const started = performance.now();
    const pool = this.#pool;
    const { tensor, bits, signal } = request;
    const { count } = requireFloats(tensor, 'quantized');
    const { plan, rule } = planOf({ ...request, ...sampled(request, count) }, count);
    pool.arena.growSlots(plan.slotBytes, tensor.name);
    const warm = await this.#warmUp(tensor, signal);
    const way = await wayOf(pool, request, rule);
    const sample = sampleOf(plan);
    if (!sample) warm.before ??= [...(await countedBins(pool, { ...warm.weights, count }, warm, null, signal)).counts];
    const before = sample ? null : warm.before;
    const scaled = scaledRange(bits, rule);
    const losses: Loss[] = [];
    const ends = await pool.run({
      name: 'preview',
      ask: {
        weights: warm.weights,
        shape: plan.shape,
        way,
        bins: { min: warm.min, width: binWidth(warm.min, warm.max) },
        scaledBins: { min: scaled.min, width: binWidth(scaled.min, scaled.max) },
        before: before === null,
      },
      pieces: plan.pieces,
      here: warm.weights.source.kind === 'bytes',
      signal,
      onPiece: (index, loss) => {
        losses[index] = loss;
      },
    });
    const sum = (part: 'before' | 'after' | 'scaled' | 'levels') => totalCounts(ends.map((end) => end[part]));
    const { min, max } = warm;
    const loss = totalLoss(losses);
    return {
      ...loss,
      sqnrDb: loss.noise > 0 ? 10 * Math.log10(loss.signal / loss.noise) : null,
      before: { min, max, counts: [...(before ?? sum('before'))] },
      after: { min, max, counts: sum('after') },
      levels: levelsOf(sum('levels')),
      scaled: { ...scaled, counts: sum('scaled') },
      sample,
      milliseconds: performance.now() - started,
    };
  }

  /** Brings the tensor into the shared memory and learns its range, unless it was looked at last. */
  async #warmUp(tensor: Tensor, signal: AbortSignal | undefined): Promise<Warm> {
    const pool = this.#pool;
    const key = keyOf(tensor);
    if (this.#warm?.key === key && (this.#warm.weights.source.kind !== 'arena' || pool.arena.warm === key))
      return this.#warm;
    const { count, ...cold } = requireFloats(tensor, 'quantized');
    const bytes = storedBytes(tensor);
    let weights: Weights = cold;
    if (bytes <= Math.min(warmBytes, pool.arena.warmRoom)) {
      pool.arena.warm = null;
      const address = pool.arena.coverWarm(bytes);
      await pool.run({
        name: 'load',
        ask: { source: cold.source, bytes, to: address },
        pieces: Math.ceil(bytes / loadPiece),
        here: cold.source.kind === 'bytes',
        signal,
      });
      pool.arena.warm = key;
      weights = { element: cold.element, source: { kind: 'arena', address } };
    }
    const { sums } = await sweep(pool, { ...weights, count }, null, signal);
    const { nonFinite } = sums;
    const [min, max] = sums.count > 0 ? [sums.min, sums.max] : [0, 0];
    this.#warm = { key, weights, min, max, nonFinite, before: null };
    return this.#warm;
  }
}

/** Bytes of the caller have no name: each array gets a number the first time it is seen. */
const numbered = new WeakMap<Uint8Array, number>();
let nextNumber = 1;

function keyOf({ data, dtype }: Tensor): string {
  switch (data.kind) {
    case 'file': {
      const seen = statSync(data.file, { throwIfNoEntry: false });
      return `${dtype} ${data.offset} ${data.length} ${seen?.size} ${seen?.mtimeMs} ${seen?.ino} ${data.file}`;
    }
    case 'bytes':
      if (!numbered.has(data.bytes)) numbered.set(data.bytes, nextNumber++);
      return `${dtype} bytes ${numbered.get(data.bytes)}`;
    case 'strings':
      return dtype;
    default:
      return data satisfies never;
  }
}

/** What is asked of a request that does not say it: everything where that is quick. */
function sampled(request: QuantizeRequest, count: number): { sampleRows?: number } {
  const { sampleRows, order, rows, columns, rounding = 'nearest' } = request;
  if (sampleRows !== undefined) return { sampleRows };
  const stored = order === 'rows' ? rows : columns;
  if (rounding !== 'nearest') {
    const most = rounding === 'gptq' ? mostProducts / (count * columns) : 1;
    return count > fewWeights ? { sampleRows: Math.ceil(stored * Math.min(searchedShare, most)) } : {};
  }
  return count > wholeWeights ? { sampleRows: Math.ceil((stored * sampleWeights) / count) } : {};
}

/** In stored rows, as the request counts them; in channels where these are whole. */
function sampleOf({ shape, columns }: GroupPlan): { rows: number; of: number } | null {
  if (shape.taken === shape.of) return null;
  return shape.order === 'rows' || shape.whole
    ? { rows: shape.taken, of: shape.of }
    : { rows: columns, of: shape.columns };
}

/** Where weights in units of the scale can lie, half a step wider on both sides. */
function scaledRange(bits: number, rule: Grid['rule']): { min: number; max: number } {
  const end = (rule === 'asymmetric' ? 2 ** bits - 1 : 2 ** (bits - 1)) + 0.5;
  return { min: -end, max: end };
}

function totalCounts(parts: readonly Uint32Array[]): number[] {
  const total = new Array<number>(parts[0]?.length ?? binCount).fill(0);
  for (const counts of parts) for (let bin = 0; bin < total.length; bin++) total[bin]! += counts[bin]!;
  return total;
}

/** From the first level in use to the last, unused ones between them included. */
function levelsOf(counts: readonly number[]): QuantizePreview['levels'] {
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return first < 0 ? [] : counts.slice(first, last + 1).map((count, i) => ({ value: first + i - 256, count }));
}
