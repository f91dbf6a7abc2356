// The filter language of run lists: words match names, `size < 12 MB`, `top-1 > 94` and `state = done` match figures and states.
import type { MethodCard } from '../../../contract/words/method';
import type { RunRow } from '../../../contract/words/run';
import { isFraction } from '../../model-words';
import { runTitle, stateWords, wasRefused } from '../runs/words';

type Sign = '<' | '>' | '=';
type Figure = 'size' | 'quality' | 'latency' | 'run';
type Word = 'state' | 'model' | 'data' | 'method' | 'kind';

const figures: Readonly<Record<string, Figure>> = {
  size: 'size',
  'top-1': 'quality',
  top1: 'quality',
  accuracy: 'quality',
  quality: 'quality',
  agreement: 'quality',
  perplexity: 'quality',
  latency: 'latency',
  run: 'run',
};
const wordFields: readonly Word[] = ['state', 'model', 'data', 'method', 'kind'];

/** Sizes without a unit are in MB, latencies in ms, fractions in per cent. */
const units: Readonly<Record<string, number>> = { b: 1e-6, kb: 1e-3, mb: 1, gb: 1e3, ms: 1, s: 1e3, '%': 1 };

export interface Filter {
  words: string[];
  comparisons: { field: Figure; sign: Sign; value: number }[];
  /** *state = done*: the field holds the word. */
  equalities: { field: Word; word: string }[];
}

export function parseFilter(text: string): Filter {
  const filter: Filter = { words: [], comparisons: [], equalities: [] };
  const rest = text
    .replace(
      /([\w-]+)\s*([<>=])\s*(-?\d[\d.]*)\s*(kb|mb|gb|b|ms|s|%)?(?![\w.])/gi,
      (whole, name, sign, digits, unit) => {
        const field = figures[String(name).toLowerCase()];
        const value = Number(digits) * (units[String(unit ?? '').toLowerCase()] ?? 1);
        if (!field || !Number.isFinite(value)) return whole;
        filter.comparisons.push({ field, sign, value });
        return ' ';
      },
    )
    .replace(/([a-z]+)\s*=\s*([\w.-]+)/gi, (whole, name, word) => {
      const field = wordFields.find((each) => each === String(name).toLowerCase());
      if (!field) return whole;
      filter.equalities.push({ field, word: String(word).toLowerCase() });
      return ' ';
    });
  filter.words = rest.toLowerCase().split(/\s+/).filter(Boolean);
  return filter;
}

function figureOf(row: RunRow, field: Figure): number | null {
  switch (field) {
    case 'size':
      return row.bytes === null ? null : row.bytes / 1e6;
    case 'quality':
      return row.value === null || row.metric === null ? null : row.value * (isFraction(row.metric) ? 100 : 1);
    case 'latency':
      return row.document?.compressed?.latencyMs?.p50 ?? null;
    case 'run':
      return row.number;
    default:
      return field satisfies never;
  }
}

/** The state's own word and the one that is shown: a failed run that was refused answers to both. */
const stateOf = (row: RunRow): string =>
  `${row.state} ${stateWords[row.state].word} ${wasRefused(row) ? 'refused' : ''}`;

function wordOf(row: RunRow, field: Word): string {
  switch (field) {
    case 'state':
      return stateOf(row);
    case 'model':
      return row.model;
    case 'data':
      return row.dataset ?? '';
    case 'method':
      return row.recipe.steps.map((step) => step.method).join(' ');
    case 'kind':
      return row.kind;
    default:
      return field satisfies never;
  }
}

export function filterRuns(rows: readonly RunRow[], text: string, cards: readonly MethodCard[]): readonly RunRow[] {
  const { words, comparisons, equalities } = parseFilter(text);
  if (words.length + comparisons.length + equalities.length === 0) return rows;
  return rows.filter((row) => {
    const said =
      `${row.number} ${runTitle(row, cards)} ${row.model} ${row.dataset ?? ''} ${stateOf(row)} ${row.id}`.toLowerCase();
    return (
      words.every((word) => said.includes(word)) &&
      equalities.every(({ field, word }) => wordOf(row, field).toLowerCase().includes(word)) &&
      comparisons.every(({ field, sign, value }) => {
        const own = figureOf(row, field);
        if (own === null) return false;
        return sign === '<' ? own < value : sign === '>' ? own > value : own === value;
      })
    );
  });
}
