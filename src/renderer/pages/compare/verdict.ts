// What comparing runs comes to, in words: from what was measured only, never from a hope.
import { points as asPoints, bytes, count, fixed, milliseconds, percent, significant } from '../../format';
import { qualityText } from '../../measures';
import { isFraction, isGain } from '../../model-words';
import { type Point, pairOf, toldApart } from './front';
import { type Paired, samplesNeeded } from './paired';

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

/** *2.3 times the speed here*, *1.4 times the time here*. */
function speedAgainst(point: Point, parent: Point): string | null {
  if (point.latencyMs === null || parent.latencyMs === null) return null;
  const ratio = parent.latencyMs / point.latencyMs;
  if (latencyDifference(point, parent)?.tone === 'same') return null;
  return ratio > 1
    ? `${significant(ratio, 2)} times the speed here`
    : `${significant(1 / ratio, 2)} times the time here`;
}

/** *0.32 points*, *0.4* for perplexity. */
const amount = (difference: number, metric: string): string =>
  isFraction(metric) ? `${fixed(Math.abs(difference) * 100, 2)} points` : significant(Math.abs(difference), 2);

const isBetter = (a: Point, b: Point, metric: string) => (isGain(metric) ? a.value > b.value : a.value < b.value);

/** The finding of the Compare page: the chosen run against its parent. */
export function finding(chosen: Point | null, parent: Point | null, metric: string): string {
  if (!parent && chosen)
    return `Run ${chosen.number} has ${qualityText(metric, chosen.value)} at ${bytes(chosen.bytes)}.`;
  if (!parent) return 'Nothing measured yet.';
  if (!chosen || chosen.parent)
    return parent.reference
      ? `The parent weighs ${bytes(parent.bytes)}; runs are measured by how often they answer as it does.`
      : `The parent has ${qualityText(metric, parent.value)} at ${bytes(parent.bytes)}.`;
  const size = shareOfBytes(chosen.bytes / parent.bytes);
  const speed = speedAgainst(chosen, parent);
  const rest = speed ? `${size} and ${speed}` : size;
  if (parent.reference)
    return `Run ${chosen.number} agrees with its parent on ${qualityText(metric, chosen.value)} of ${count(chosen.n)} samples, with ${rest}.`;
  if (!toldApart(chosen, parent)) return `Run ${chosen.number} cannot be told from its parent, with ${rest}.`;
  const better = isBetter(chosen, parent, metric) ? 'better' : 'worse';
  return `Run ${chosen.number} is ${better} than its parent by ${amount(chosen.value - parent.value, metric)}, with ${rest}.`;
}

/** Which run to put first: on the front, not told apart from the parent, and smallest; else the best of the front. */
export function favourite(front: readonly Point[], parent: Point | null, metric: string): Point | null {
  const runs = front.filter((point) => !point.parent);
  const alike = parent ? runs.filter((point) => !toldApart(point, parent) || isBetter(point, parent, metric)) : [];
  return alike.sort((a, b) => a.bytes - b.bytes)[0] ?? runs.at(-1) ?? null;
}

export interface Difference {
  text: string;
  tone: 'good' | 'bad' | 'same';
}

/** A difference to the pinned run, signed, and whether what was measured lets anyone say so. */
export function difference(point: Point, pinned: Point, metric: string): Difference {
  const change = point.value - pinned.value;
  const text = isFraction(metric) ? asPoints(change) : `${change >= 0 ? '+' : '−'}${significant(Math.abs(change), 2)}`;
  if (!toldApart(point, pinned)) return { text, tone: 'same' };
  return { text, tone: isBetter(point, pinned, metric) ? 'good' : 'bad' };
}

/** A change in median latency, signed; coloured only when the intervals of the two medians leave each other. */
export function latencyDifference(point: Point, pinned: Point): Difference | null {
  if (point.latencyMs === null || pinned.latencyMs === null) return null;
  const change = point.latencyMs - pinned.latencyMs;
  const size = milliseconds(Math.abs(change));
  const text = /[1-9]/.test(size) ? `${change >= 0 ? '+' : '−'}${size}` : size;
  const [mine, theirs] = [point.latencyInterval, pinned.latencyInterval];
  if (!mine || !theirs || (mine[0] <= theirs[1] && theirs[0] <= mine[1])) return { text, tone: 'same' };
  return { text, tone: change < 0 ? 'good' : 'bad' };
}

export interface Verdict {
  head: string;
  body: string;
  /** How it was reckoned, in the trade's words. */
  how: string | null;
}

/** B against A: *B is better by 0.32 points, and the difference is real.* */
export function verdict(a: Point, b: Point, metric: string): Verdict {
  const pair = pairOf(a, b);
  if (!pair) {
    const apart = toldApart(a, b);
    const n = count(Math.min(a.n, b.n));
    return {
      head: apart
        ? `B is ${isBetter(b, a, metric) ? 'better' : 'worse'} by ${amount(b.value - a.value, metric)}.`
        : `These two cannot be told apart with ${n} samples.`,
      body: apart ? 'Their 95 % intervals leave each other.' : 'Their 95 % intervals overlap.',
      how: null,
    };
  }
  return pair.labelled ? byRight(pair) : byAgreement(pair, a, b);
}

function byRight(pair: Paired): Verdict {
  const { n, wins, losses, difference, real } = pair;
  const changing = wins + losses;
  const split = `B wins ${count(wins)} and A wins ${count(losses)}`;
  if (changing === 0)
    return {
      head: `These two are right on the same samples, all ${count(n)}.`,
      body: pair.sides.length > 0 ? `${count(pair.sides.length)} wrong answers differ.` : 'No answer differs.',
      how: null,
    };
  const needed = samplesNeeded(pair);
  const more = needed !== null && needed > n ? ` About ${count(roundUp(needed))} would be needed.` : '';
  return real
    ? {
        head: `B is ${difference > 0 ? 'better' : 'worse'} by ${fixed(Math.abs(difference) * 100, 2)} points, and the difference is real.`,
        body: `Of ${count(n)} samples, ${count(changing)} change sides: ${split}. ${chance(pair.p)}`,
        how: reckoned(pair),
      }
    : {
        head: `These two cannot be told apart with ${count(n)} samples.`,
        body: `${count(changing)} change sides: ${split}.${more}`,
        how: reckoned(pair),
      };
}

function byAgreement(pair: Paired, a: Point, b: Point): Verdict {
  const { n, wins, losses, real, sides } = pair;
  if (a.parent || b.parent) {
    const run = a.parent ? 'B' : 'A';
    return {
      head: `${run} answers as its parent does on ${percent((n - sides.length) / n)} of ${count(n)} samples.`,
      body:
        sides.length === 0
          ? 'No answer differs.'
          : `${count(sides.length)} answers differ; none has a label to say which is right.`,
      how: null,
    };
  }
  const split = `B alone agrees with the parent on ${count(wins)}, A alone on ${count(losses)}`;
  return real
    ? {
        head: `B stays ${wins > losses ? 'closer to' : 'less close to'} the parent than A, and the difference is real.`,
        body: `Of ${count(n)} samples, ${split}. ${chance(pair.p)}`,
        how: reckoned(pair),
      }
    : {
        head: `These two stay equally close to the parent, as far as ${count(n)} samples tell.`,
        body: `${split}.`,
        how: reckoned(pair),
      };
}

/** *Chance alone would do this 3 times in 1,000.* */
export function chance(p: number): string {
  if (p < 0.001) return 'Chance alone would do this less than once in 1,000 times.';
  const times = p < 0.0095 ? [Math.round(p * 1000), '1,000'] : [Math.round(p * 100), '100'];
  return `Chance alone would do this ${times[0] === 1 ? 'once' : `${times[0]} times`} in ${times[1]}.`;
}

/** Two digits, upwards: a needed number of samples is never understated. */
function roundUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / unit) * unit;
}

function reckoned({ p, low, high }: Paired): string {
  const said = p < 0.001 ? 'p\u00a0<\u00a00.001' : `p\u00a0=\u00a0${fixed(p, p < 0.1 ? 3 : 2)}`;
  return `McNemar, ${said}; 95 % interval ${asPoints(low)} to ${asPoints(high)} points`;
}
