// Two runs over the same samples: who wins on which, whether chance would do that, and how far apart they are.
// McNemar's exact test on the samples that change sides; both runs are told by where they differ from one parent.
import type { ChangedAnswer } from '../../../contract/words/quality';
import type { RunDocument } from '../../../contract/words/run';

/** The answers of a run, as differences to its parent. The parent's own are an empty set of them. */
export interface Answers {
  n: number;
  /** Right or wrong can be told; without labels only agreement with the parent can. */
  labelled: boolean;
  changed: ReadonlyMap<number, ChangedAnswer>;
}

export const parentAnswers = (n: number, labelled: boolean): Answers => ({ n, labelled, changed: new Map() });

/** Null where the list is not whole (it is cut off when very many answers change) or nothing was compared. */
export function answersOf({ agreement, changed, compressed }: RunDocument): Answers | null {
  if (!agreement || !changed || changed.length !== agreement.flips || !compressed) return null;
  return {
    n: agreement.n,
    labelled: compressed.quality.metric === 'accuracy',
    changed: new Map(changed.map((each) => [each.index, each])),
  };
}

/** One sample on which the two differ. */
export interface Side {
  index: number;
  label: number | null;
  a: number;
  b: number;
  aRight: boolean;
  bRight: boolean;
}

export interface Paired {
  n: number;
  labelled: boolean;
  /** Every sample the two answer differently. */
  sides: readonly Side[];
  /** Samples B has right and A has not, and the other way round. */
  wins: number;
  losses: number;
  /** Two-sided; the chance of a split at least this uneven between equals. */
  p: number;
  /** B − A, as a fraction of the samples, with its 95 % interval. */
  difference: number;
  low: number;
  high: number;
  /** The interval leaves zero and chance would rarely do it. */
  real: boolean;
}

/** 95 %: the standard normal's quantile at 0.975. */
const z = 1.959964;

export function paired(a: Answers, b: Answers): Paired | null {
  if (a.n !== b.n || a.labelled !== b.labelled) return null;
  const sides: Side[] = [];
  for (const index of new Set([...a.changed.keys(), ...b.changed.keys()])) {
    const [inA, inB] = [a.changed.get(index), b.changed.get(index)];
    const known = inA ?? inB;
    if (!known) continue;
    // Where a run did not change its answer, it gives the parent's.
    const [answerA, answerB] = [inA?.after ?? known.before, inB?.after ?? known.before];
    if (answerA === answerB) continue;
    const right = a.labelled ? known.label : known.before;
    sides.push({
      index,
      label: known.label,
      a: answerA,
      b: answerB,
      aRight: answerA === right,
      bRight: answerB === right,
    });
  }
  sides.sort((one, other) => one.index - other.index);
  const wins = sides.filter((side) => side.bRight && !side.aRight).length;
  const losses = sides.filter((side) => side.aRight && !side.bRight).length;
  const { n } = a;
  const difference = n === 0 ? 0 : (wins - losses) / n;
  const spread = n === 0 ? 0 : Math.sqrt(Math.max(0, wins + losses - (wins - losses) ** 2 / n)) / n;
  const [low, high] = [difference - z * spread, difference + z * spread];
  const p = evenSplit(wins, losses);
  return {
    n,
    labelled: a.labelled,
    sides,
    wins,
    losses,
    p,
    difference,
    low,
    high,
    real: p < 0.05 && (low > 0 || high < 0),
  };
}

/** Exact two-sided binomial test that a split is that of a fair coin. */
export function evenSplit(one: number, other: number): number {
  const n = one + other;
  if (n === 0) return 1;
  const fewer = Math.min(one, other);
  // Sum of C(n, k) / 2^n for k up to the fewer, in logarithms: n may be thousands.
  let logTerm = -n * Math.LN2;
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= fewer; k++) {
    logTerm += Math.log((n - k + 1) / k);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, 2 * sum);
}

/** Samples at which this difference would be told apart 8 times in 10; null where there is none to tell. */
export function samplesNeeded({ n, wins, losses, difference }: Paired): number | null {
  if (difference === 0 || n === 0) return null;
  const changing = (wins + losses) / n;
  const power = 0.841621;
  return Math.ceil(((z + power) ** 2 * changing) / difference ** 2);
}
