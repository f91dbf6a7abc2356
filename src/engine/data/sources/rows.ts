// Answers that stand beside the features in a row or a line: collected while it is opened, words turned into classes.
import { refuse } from '../../../contract/words/refusal';
import { mostSamples } from '../bytes';
import { toClasses } from './array';
import type { Labels } from './source';

const mostWords = 100_000;

/** Collects one answer a row, as text; `finish` tells what they are. */
export class AnswerColumn {
  private readonly texts: string[] = [];
  private readonly seen = new Map<string, string>();

  constructor(
    private readonly file: string,
    private readonly task: 'classification' | 'regression',
    private readonly classNames: readonly string[] | null,
  ) {}

  add(text: string): void {
    if (this.texts.length >= mostSamples) refuse('bad-dataset', `${this.file} has more rows than are read here.`);
    // Equal answers share one string.
    let kept = this.seen.get(text);
    if (kept === undefined) {
      kept = text;
      if (this.seen.size < mostWords) this.seen.set(text, text);
    }
    this.texts.push(kept);
  }

  finish(): Labels {
    const { texts, file } = this;
    const base = { files: [], count: texts.length };
    const numbers = Float64Array.from(texts, (text) => (text.trim() === '' ? Number.NaN : Number(text)));
    const isNumeric = numbers.every(Number.isFinite);
    if (this.task === 'regression') {
      const bad = numbers.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        refuse('bad-dataset', `${file}: the answer of sample ${bad} is "${shown(texts[bad]!)}", which is no number.`);
      return { ...base, classes: null, numbers: { data: numbers, width: 1 }, names: null };
    }
    if (isNumeric) return { ...base, classes: toClasses(numbers, file), numbers: null, names: null };
    if (this.seen.size >= mostWords) refuse('bad-dataset', `${file} has more than 100,000 different labels.`);
    const names = this.classNames ?? [...this.seen.keys()].sort();
    const index = new Map(names.map((name, i) => [name, i]));
    const classes = Int32Array.from(texts, (text, i) => {
      const found = index.get(text);
      return (
        found ?? refuse('bad-dataset', `${file}: the label of sample ${i}, "${shown(text)}", is not among the classes.`)
      );
    });
    return { ...base, classes, numbers: null, names };
  }
}

export function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
