// How good answers are: accuracy with Wilson's interval and top-5, or the error of a regression with a bootstrap's.
import type { Quality } from '../../contract/words/quality';
import { refuse } from '../../contract/words/refusal';
import { type Answers, classOf, row } from './answers';

/** z of a two-sided 95 % interval. */
const z = 1.959963984540054;

/** Wilson's score interval for `correct` of `n`. Wilson 1927; stays inside [0, 1] and is fair near its ends. */
export function wilson(correct: number, n: number): [number, number] {
  if (n === 0) return [0, 1];
  const p = correct / n;
  const centre = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Counts right answers. */
export class AccuracyScore {
  private n = 0;
  private correct = 0;
  private amongFive = 0;
  private notNumbers = 0;
  private width = 0;

  add(answers: Answers, labels: Int32Array): void {
    if (!answers.isIndex && answers.width === 1) {
      refuse('unsupported', 'The model answers with one score, and a classification needs one for each class.');
    }
    this.width = answers.isIndex ? 0 : answers.width;
    for (let i = 0; i < answers.rows; i++) {
      const label = labels[i]!;
      if (!answers.isIndex && label >= answers.width) {
        refuse(
          'bad-dataset',
          `A sample is of class ${label}, and the model knows ${answers.width} classes.`,
          'Check the labels and the model.',
        );
      }
      const answer = classOf(answers, i);
      this.n++;
      if (answer < 0) this.notNumbers++;
      if (answer === label) this.correct++;
      if (!answers.isIndex && isAmongFive(row(answers, i), label)) this.amongFive++;
    }
  }

  finish(notes: string[]): Quality {
    if (this.notNumbers > 0) notes.push(`${this.notNumbers} answers were not numbers and count as wrong.`);
    const { n, correct } = this;
    return {
      metric: 'accuracy',
      value: correct / n,
      n,
      ci95: wilson(correct, n),
      correct,
      ...(this.width > 5 ? { more: { top5: this.amongFive / n } } : {}),
    };
  }
}

/** Fewer than five classes score higher, or equal and come earlier. */
function isAmongFive(scores: Float32Array | Float64Array, label: number): boolean {
  const own = scores[label]!;
  if (Number.isNaN(own)) return false;
  let ahead = 0;
  for (let i = 0; i < scores.length && ahead < 5; i++) {
    if (scores[i]! > own || (scores[i] === own && i < label)) ahead++;
  }
  return ahead < 5;
}

const bootstrapSeed = 7;
const resamples = 1000;

/** Root of the mean squared error over all numbers, and PSNR against the peak the answers should reach. */
export class RegressionScore {
  private readonly squares: number[] = [];
  private numbers = 0;
  private lowest = Number.POSITIVE_INFINITY;
  private highest = Number.NEGATIVE_INFINITY;

  add(answers: Answers, targets: { readonly data: Float64Array; readonly width: number }): void {
    if (answers.width !== targets.width) {
      refuse(
        'bad-dataset',
        `The model answers with ${answers.width} numbers a sample and the dataset has ${targets.width}.`,
      );
    }
    for (let i = 0; i < answers.rows; i++) {
      const given = row(answers, i);
      let sum = 0;
      for (let k = 0; k < targets.width; k++) {
        const wanted = targets.data[i * targets.width + k]!;
        sum += (given[k]! - wanted) ** 2;
        this.lowest = Math.min(this.lowest, wanted);
        this.highest = Math.max(this.highest, wanted);
      }
      this.squares.push(sum / targets.width);
      this.numbers += targets.width;
    }
  }

  finish(notes: string[]): Quality {
    const n = this.squares.length;
    const mean = this.squares.reduce((sum, square) => sum + square, 0) / n;
    if (!Number.isFinite(mean))
      refuse('unsupported', 'The model answers with what are not numbers, so its error is unknown.');
    const value = Math.sqrt(mean);
    const peak = peakOf(this.lowest, this.highest);
    const ci95 = bootstrap(this.squares).map(Math.sqrt) as [number, number];
    notes.push(`Error over ${this.numbers.toLocaleString('en')} numbers; the interval is a bootstrap over samples.`);
    const more: Record<string, number> = { bootstrapSeed };
    if (value > 0 && peak > 0) more.psnr = 20 * Math.log10(peak / value);
    return { metric: 'rmse', value, n, ci95, more };
  }
}

/** Pictures in [0, 1] or [0, 255] have that peak; anything else the range it spans. */
function peakOf(lowest: number, highest: number): number {
  if (lowest >= 0 && highest <= 1) return 1;
  if (lowest >= 0 && highest <= 255) return 255;
  return highest - lowest;
}

/** Percentiles 2.5 and 97.5 of the mean over seeded resamples. */
export function bootstrap(values: readonly number[], seed = bootstrapSeed): [number, number] {
  const random = mulberry32(seed);
  const means: number[] = [];
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)]!;
    means.push(sum / values.length);
  }
  means.sort((a, b) => a - b);
  return [means[Math.floor(resamples * 0.025)]!, means[Math.ceil(resamples * 0.975) - 1]!];
}

/** Tommy Ettinger's 32-bit generator: small, seeded, the same everywhere. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
