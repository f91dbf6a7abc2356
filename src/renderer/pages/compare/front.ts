// The Pareto front, and whether two runs can be told apart: plain functions over rows, no drawing.
import type { RunRow } from '../../../contract/words/run';

export interface Point {
  id: string;
  number: number;
  title: string;
  bytes: number;
  /** Fraction or perplexity; `better` says which way is up. */
  value: number;
  low: number;
  high: number;
  n: number;
  latencyMs: number | null;
  /** 95 % interval of the median latency; null where it was not kept. */
  latencyInterval: readonly [number, number] | null;
  /** Lowest main precision, in bits. */
  bits: number;
  parent: boolean;
}

export const lowerIsBetter = (metric: string): boolean => metric === 'perplexity' || metric === 'rmse';

/** Points no other point beats in both size (or latency) and quality, by growing cost. */
export function paretoFront(points: readonly Point[], metric: string, cost: (point: Point) => number | null): Point[] {
  const sign = lowerIsBetter(metric) ? -1 : 1;
  const priced = points.filter((point) => cost(point) !== null);
  const sorted = [...priced].sort((a, b) => cost(a)! - cost(b)! || sign * (b.value - a.value));
  const front: Point[] = [];
  let best = Number.NEGATIVE_INFINITY;
  for (const point of sorted) {
    if (sign * point.value > best) {
      front.push(point);
      best = sign * point.value;
    }
  }
  return front;
}

/** Do the 95 % intervals of two measurements leave each other? Overlap means: not told apart by these intervals alone. */
export const apart = (a: Point, b: Point): boolean => a.low > b.high || b.low > a.high;

/** The lowest precision that holds at least a fifth of the weights' bytes before the cut: what a run mainly is. */
export function mainBits(layers: readonly { bits?: number | undefined; bytesBefore: number }[]): number {
  const total = layers.reduce((sum, layer) => sum + layer.bytesBefore, 0);
  const share = new Map<number, number>();
  for (const layer of layers) share.set(layer.bits ?? 32, (share.get(layer.bits ?? 32) ?? 0) + layer.bytesBefore);
  const main = [...share].filter(([, held]) => held >= total / 5).map(([bits]) => bits);
  return main.length > 0 ? Math.min(...main) : 32;
}

/** A run's point, where it was measured; null where it has no quality to show. */
export function pointOf(row: RunRow, title: string): Point | null {
  const document = row.document;
  const measured = document?.compressed;
  if (row.state !== 'done' || !document || !measured) return null;
  return {
    id: row.id,
    number: row.number,
    title,
    bytes: document.artifact.bytes,
    value: measured.quality.value,
    low: measured.quality.ci95[0],
    high: measured.quality.ci95[1],
    n: measured.quality.n,
    latencyMs: measured.latencyMs?.p50 ?? null,
    latencyInterval: measured.latencyMs?.p50ci95 ?? null,
    bits: mainBits(document.layers),
    parent: false,
  };
}
