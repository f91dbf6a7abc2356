// How well a language model predicts text: the negative log-likelihood of each scored token, perplexity, and the share guessed right.
import type { Quality } from '../../contract/words/quality';
import { refuse } from '../../contract/words/refusal';
import type { TokenBatch } from '../data/index';
import { type Answers, classOf, row } from './answers';
import { mulberry32 } from './quality';

const bootstrapSeed = 7;
const resamples = 1000;

/** A scored token: its row in the answers, which the token before it made, and its id. */
export interface Scored {
  readonly window: number;
  readonly row: number;
  readonly id: number;
}

/** Rows are [windows · length]; row t predicts token t + 1. */
export function* scoredTokens({ ids, length, scoredFrom }: TokenBatch): Generator<Scored> {
  for (let window = 0; window < scoredFrom.length; window++) {
    for (let token = scoredFrom[window]!; token < length; token++) {
      const at = window * length + token;
      yield { window, row: at - 1, id: ids[at]! };
    }
  }
}

export class PerplexityScore {
  private readonly sums: number[] = [];
  private readonly counts: number[] = [];
  private right = 0;
  private notNumbers = 0;

  /** Logits of whole windows: `answers.width` is the vocabulary. */
  add(answers: Answers, tokens: TokenBatch): void {
    const first = this.sums.length;
    for (let i = 0; i < tokens.scoredFrom.length; i++) {
      this.sums.push(0);
      this.counts.push(0);
    }
    for (const scored of scoredTokens(tokens)) {
      const loss = lossOf(row(answers, scored.row), scored.id);
      const window = first + scored.window;
      if (!Number.isFinite(loss)) this.notNumbers++;
      else this.sums[window]! += loss;
      this.counts[window]!++;
      if (classOf(answers, scored.row) === scored.id) this.right++;
    }
  }

  /** Perplexity is e to the mean negative log-likelihood per scored token; its interval a bootstrap over windows. */
  finish(notes: string[]): Quality {
    const n = total(this.counts);
    if (this.notNumbers > 0)
      refuse('unsupported', `The model's answers to ${this.notNumbers} of ${n} tokens are not numbers.`);
    const mean = total(this.sums) / n;
    const windows = this.counts.length;
    if (windows < 2) notes.push('One window has no interval: the bounds are its own value.');
    const ci95 = windows < 2 ? [Math.exp(mean), Math.exp(mean)] : this.interval();
    return {
      metric: 'perplexity',
      value: Math.exp(mean),
      n,
      ci95: ci95 as [number, number],
      more: { nllPerToken: mean, top1: this.right / n, windows, bootstrapSeed },
    };
  }

  private interval(): number[] {
    const random = mulberry32(bootstrapSeed);
    const windows = this.counts.length;
    const drawn: number[] = [];
    for (let r = 0; r < resamples; r++) {
      let sum = 0;
      let count = 0;
      for (let i = 0; i < windows; i++) {
        const window = Math.floor(random() * windows);
        sum += this.sums[window]!;
        count += this.counts[window]!;
      }
      drawn.push(Math.exp(sum / count));
    }
    drawn.sort((a, b) => a - b);
    return [drawn[Math.floor(resamples * 0.025)]!, drawn[Math.ceil(resamples * 0.975) - 1]!];
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** −log softmax(logits)[id] in nats, in double precision. */
export function lossOf(logits: Float32Array | Float64Array, id: number): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > highest) highest = logits[i]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - highest);
  return highest + Math.log(sum) - logits[id]!;
}
