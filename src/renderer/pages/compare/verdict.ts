// What comparing runs comes to, in words: from measured intervals only, never from a hope.
import { points as asPoints, bytes, milliseconds, percent, significant } from '../../format';
import { apart, lowerIsBetter, type Point } from './front';

const qualityOf = (value: number, metric: string) =>
  metric === 'perplexity' || metric === 'rmse' ? significant(value, 4) : percent(value);

/** *a quarter of the bytes*, *62 % of the bytes*. */
function shareOfBytes(share: number): string {
  const named: [number, string][] = [
    [1 / 2, 'half the bytes'],
    [1 / 3, 'a third of the bytes'],
    [1 / 4, 'a quarter of the bytes'],
    [1 / 5, 'a fifth of the bytes'],
    [1 / 8, 'an eighth of the bytes'],
  ];
  const near = named.find(([value]) => Math.abs(share - value) / value < 0.04);
  return near ? near[1] : `${percent(share, share < 0.1 ? 1 : 0)} of the bytes`;
}

/** *2.3 times the speed*, *slower here: 1.4 times the time*. */
function speedAgainst(point: Point, parent: Point): string | null {
  if (point.latencyMs === null || parent.latencyMs === null) return null;
  const ratio = parent.latencyMs / point.latencyMs;
  if (latencyDifference(point, parent)?.tone === 'same') return null;
  return ratio > 1
    ? `${significant(ratio, 2)} times the speed here`
    : `${significant(1 / ratio, 2)} times the time here`;
}

/** The finding of the Compare page: the chosen run against its parent. */
export function finding(chosen: Point | null, parent: Point | null, metric: string): string {
  if (!parent) return 'Nothing measured yet.';
  if (!chosen)
    return `The parent stands at ${qualityOf(parent.value, metric)} and ${bytes(parent.bytes)}; no run was measured beside it.`;
  const size = shareOfBytes(chosen.bytes / parent.bytes);
  const speed = speedAgainst(chosen, parent);
  const rest = speed ? `${size} and ${speed}` : size;
  if (!apart(chosen, parent)) return `Run ${chosen.number} cannot be told from its parent, with ${rest}.`;
  const difference = chosen.value - parent.value;
  const better = lowerIsBetter(metric) ? difference < 0 : difference > 0;
  const amount = lowerIsBetter(metric)
    ? significant(Math.abs(difference), 2)
    : `${asPoints(Math.abs(difference)).replace('+', '')} points`;
  return `Run ${chosen.number} is ${better ? 'better' : 'worse'} than its parent by ${amount}, with ${rest}.`;
}

/** Which run to put first: on the front, not told apart from the parent, and smallest; else the best of the front. */
export function favourite(front: readonly Point[], parent: Point | null, metric: string): Point | null {
  const runs = front.filter((point) => !point.parent);
  const alike = parent ? runs.filter((point) => !apart(point, parent) || isBetter(point, parent, metric)) : [];
  return alike.sort((a, b) => a.bytes - b.bytes)[0] ?? runs.at(-1) ?? null;
}

const isBetter = (a: Point, b: Point, metric: string) =>
  lowerIsBetter(metric) ? a.value < b.value : a.value > b.value;

/** A difference to the parent, signed, and whether the intervals let anyone say so. */
export function difference(
  point: Point,
  parent: Point,
  metric: string,
): { text: string; tone: 'good' | 'bad' | 'same' } {
  const change = point.value - parent.value;
  const text = lowerIsBetter(metric)
    ? `${change >= 0 ? '+' : '−'}${significant(Math.abs(change), 2)}`
    : asPoints(change);
  if (!apart(point, parent)) return { text, tone: 'same' };
  return { text, tone: isBetter(point, parent, metric) ? 'good' : 'bad' };
}

/** A change in median latency, signed; coloured only when the intervals of the two medians leave each other. */
export function latencyDifference(point: Point, parent: Point): { text: string; tone: 'good' | 'bad' | 'same' } | null {
  if (point.latencyMs === null || parent.latencyMs === null) return null;
  const change = point.latencyMs - parent.latencyMs;
  const text = `${change >= 0 ? '+' : '−'}${milliseconds(Math.abs(change))}`;
  const [mine, theirs] = [point.latencyInterval, parent.latencyInterval];
  if (!mine || !theirs || (mine[0] <= theirs[1] && theirs[0] <= mine[1])) return { text, tone: 'same' };
  return { text, tone: change < 0 ? 'good' : 'bad' };
}
