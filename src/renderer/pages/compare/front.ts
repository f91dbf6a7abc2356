// The runs as points, the Pareto front among them, and whether two can be told apart: plain functions, no drawing.
import type { LayerOutcome, RunRow } from '../../../contract/words/run';
import { isGain } from '../../model-words';
import { type Answers, answersOf, type Paired, paired } from './paired';

export interface Point {
  id: string;
  number: number;
  title: string;
  bytes: number;
  /** Fraction or perplexity; `isGain` says which way is up. */
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
  /** Its value is what others are measured against, not a measurement: a parent without labels. */
  reference: boolean;
  /** Answer by answer, where every change was kept. */
  answers: Answers | null;
}

/** Points no other point beats in both size (or latency) and quality, by growing cost. Only what was measured. */
export function paretoFront(points: readonly Point[], metric: string, cost: (point: Point) => number | null): Point[] {
  const sign = isGain(metric) ? 1 : -1;
  const priced = points.filter((point) => cost(point) !== null && !point.reference);
  const sorted = [...priced].sort((a, b) => (cost(a) ?? 0) - (cost(b) ?? 0) || sign * (b.value - a.value));
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

/** B against A sample by sample, where both were kept. */
export const pairOf = (a: Point, b: Point): Paired | null =>
  a.answers && b.answers ? paired(a.answers, b.answers) : null;

/** Can two be told apart: by the same samples where every answer is known, else by intervals that leave each other. */
export function toldApart(a: Point, b: Point): boolean {
  const pair = pairOf(a, b);
  return pair ? pair.real : a.low > b.high || b.low > a.high;
}

/** The lowest precision that holds at least a fifth of the weights' bytes before the cut: what a run mainly is. */
export function mainBits(layers: readonly Pick<LayerOutcome, 'bits' | 'bytesBefore'>[]): number {
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
    reference: false,
    answers: answersOf(document),
  };
}
