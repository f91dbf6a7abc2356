// The filter language of run lists: words match names, `size < 12`, `top-1 > 94` and `state = done` match figures.
import type { MethodCard } from '../../../contract/words/method';
import type { RunRow } from '../../../contract/words/run';
import { runTitle } from '../runs/words';

interface Comparison {
  field: 'size' | 'quality' | 'latency' | 'number';
  sign: '<' | '>' | '=';
  value: number;
}

const fields: Record<string, Comparison['field']> = {
  size: 'size',
  mb: 'size',
  'top-1': 'quality',
  top1: 'quality',
  accuracy: 'quality',
  quality: 'quality',
  agreement: 'quality',
  perplexity: 'quality',
  latency: 'latency',
  ms: 'latency',
  run: 'number',
};

/** Words and comparisons of a filter text; sizes are in MB, fractions in per cent, latency in ms. */
export function parseFilter(text: string): { words: string[]; comparisons: Comparison[] } {
  const comparisons: Comparison[] = [];
  const rest = text.replace(
    /([\w-]+)\s*([<>=])\s*(-?[\d.]+)\s*(?:mb|ms|%)?/gi,
    (whole, name: string, sign: string, value: string) => {
      const field = fields[name.toLowerCase()];
      if (!field || !Number.isFinite(Number(value))) return whole;
      comparisons.push({ field, sign: sign as Comparison['sign'], value: Number(value) });
      return ' ';
    },
  );
  return { words: rest.toLowerCase().split(/\s+/).filter(Boolean), comparisons };
}

function figure(row: RunRow, field: Comparison['field']): number | null {
  switch (field) {
    case 'size':
      return row.bytes === null ? null : row.bytes / 1e6;
    case 'quality':
      return row.value === null
        ? null
        : row.metric === 'perplexity' || row.metric === 'rmse'
          ? row.value
          : row.value * 100;
    case 'latency':
      return row.document?.compressed?.latencyMs?.p50 ?? null;
    case 'number':
      return row.number;
    default:
      return field satisfies never;
  }
}

export function filterRuns(rows: readonly RunRow[], text: string, cards: readonly MethodCard[]): RunRow[] {
  const { words, comparisons } = parseFilter(text);
  return rows.filter((row) => {
    const said =
      `${row.number} ${runTitle(row, cards)} ${row.model} ${row.dataset ?? ''} ${row.state} ${row.id}`.toLowerCase();
    return (
      words.every((word) => said.includes(word)) &&
      comparisons.every(({ field, sign, value }) => {
        const own = figure(row, field);
        if (own === null) return false;
        return sign === '<' ? own < value : sign === '>' ? own > value : own === value;
      })
    );
  });
}
