// How far a model's answers moved from its parent's, sample by sample, labels or not.
import type { Agreement, ChangedAnswer, Quality } from '../../contract/words/quality';
import { refuse } from '../../contract/words/refusal';
import { type Answers, classOf, row } from './answers';
import { wilson } from './quality';

/** Changed answers that are listed; `flips` counts them all. The list must stay small enough for a message. */
const listed = 2000;

type Row = Float32Array | Float64Array;

export class AgreementScore {
  private n = 0;
  private flips = 0;
  private divergence = 0;
  private cosine = 0;
  private classes = true;
  private scores = true;
  readonly changed: ChangedAnswer[] = [];

  /** Row `before` of the parent's answers against row `after` of the child's. */
  add(parent: Answers, before: number, child: Answers, after: number, index: number, label: number | null): void {
    if (parent.width !== child.width) {
      refuse(
        'unsupported',
        `One model answers with ${parent.width} numbers a sample and the other with ${child.width}.`,
      );
    }
    this.n++;
    this.scores &&= !parent.isIndex && !child.isIndex;
    this.classes &&= (parent.isIndex && child.isIndex) || (parent.width > 1 && parent.isVector);
    const was = row(parent, before);
    const is = row(child, after);
    if (this.scores) this.cosine += cosineOf(was, is);
    if (!this.classes) return;
    if (this.scores) this.divergence += divergenceOf(was, is);
    const from = classOf(parent, before);
    const to = classOf(child, after);
    if (from === to) return;
    this.flips++;
    if (this.changed.length < listed) this.changed.push({ index, label, before: from, after: to });
  }

  finish(): Agreement {
    const { n } = this;
    return {
      ...(this.classes ? { top1: (n - this.flips) / n } : {}),
      ...(this.classes && this.scores ? { klDivergence: this.divergence / n } : {}),
      ...(this.scores ? { cosine: this.cosine / n } : {}),
      flips: this.flips,
      n,
    };
  }

  /** Where there are no labels, agreement is the quality: the share of equal answers, or the mean cosine. */
  quality(): Quality {
    const { n } = this;
    if (this.classes) {
      const same = n - this.flips;
      return { metric: 'agreement', value: same / n, n, ci95: wilson(same, n), correct: same };
    }
    const value = this.cosine / n;
    return { metric: 'agreement', value, n, ci95: [value, value], more: { cosine: value } };
  }
}

/** Cosine of two rows; two rows of zeros are the same. */
export function cosineOf(a: Row, b: Row): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  const size = Math.sqrt(aa * bb);
  if (size === 0) return aa === bb ? 1 : 0;
  return Number.isFinite(dot / size) ? dot / size : 0;
}

/** KL(parent ‖ child) in nats: Σ p·(log p − log q). Rows of probabilities are taken as they are, others through a softmax. */
export function divergenceOf(parent: Row, child: Row): number {
  const p = logProbabilities(parent);
  const q = logProbabilities(child);
  let sum = 0;
  for (let i = 0; i < p.length; i++) if (p[i]! > Number.NEGATIVE_INFINITY) sum += Math.exp(p[i]!) * (p[i]! - q[i]!);
  return Number.isFinite(sum) ? Math.max(0, sum) : 0;
}

/** The smallest probability that counts: a child that says exactly 0 diverges much, not without end. */
const floor = Math.log(1e-12);

function logProbabilities(scores: Row): Float64Array {
  let sum = 0;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    sum += score;
    lowest = Math.min(lowest, score);
    highest = Math.max(highest, score);
  }
  const areProbabilities = lowest >= 0 && Math.abs(sum - 1) < 1e-3;
  if (areProbabilities) return Float64Array.from(scores, (score) => Math.max(floor, Math.log(score / sum)));
  let total = 0;
  for (const score of scores) total += Math.exp(score - highest);
  const logTotal = highest + Math.log(total);
  return Float64Array.from(scores, (score) => Math.max(floor, score - logTotal));
}
