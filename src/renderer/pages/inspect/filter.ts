// The filter of the layer table: words match name and operator; `> 1 MB`, `kurtosis > 13` and `bits = 8` match figures.
import type { Statistics } from '../../../contract/words/model';
import type { LayerRow } from './rows';

const units: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, k: 1e3, m: 1e6 };

type Field = 'bytes' | 'parameters' | 'bits' | 'kurtosis' | 'outliers' | 'zeros' | 'macs';

const fields: Record<string, Field> = {
  bytes: 'bytes',
  size: 'bytes',
  parameters: 'parameters',
  bits: 'bits',
  kurtosis: 'kurtosis',
  outliers: 'outliers',
  zeros: 'zeros',
  macs: 'macs',
};

interface Comparison {
  field: Field;
  sign: '<' | '>' | '=';
  value: number;
}

/** A comparison without a field is of bytes where it names a unit of them, of parameters else. */
export function parseFilter(text: string): { words: string[]; comparisons: Comparison[] } {
  const comparisons: Comparison[] = [];
  const pattern =
    /(?:\b(bytes|size|parameters|bits|kurtosis|outliers|zeros|macs)\s*)?([<>=])\s*([\d.]+)\s*(kb|mb|gb|b|k|m|%)?\b/gi;
  const rest = text.replace(pattern, (whole, name: string | undefined, sign: string, digits: string, unit?: string) => {
    const value = Number(digits) * (unit === '%' ? 0.01 : (units[unit?.toLowerCase() ?? ''] ?? 1));
    if (!Number.isFinite(value)) return whole;
    const field = name ? fields[name.toLowerCase()] : unit && /b$/i.test(unit) ? 'bytes' : 'parameters';
    if (!field) return whole;
    comparisons.push({ field, sign: sign as Comparison['sign'], value });
    return ' ';
  });
  return { words: rest.toLowerCase().split(/\s+/).filter(Boolean), comparisons };
}

const ofStats = (stats: Statistics | undefined, field: 'kurtosis' | 'outliers' | 'zeros'): number | null =>
  stats ? stats[field] : null;

function figure(row: LayerRow, field: Field): number | null {
  switch (field) {
    case 'bytes':
    case 'parameters':
    case 'bits':
    case 'macs':
      return row[field];
    default:
      return ofStats(row.stats, field);
  }
}

export function filterLayers(rows: readonly LayerRow[], text: string): readonly LayerRow[] {
  const { words, comparisons } = parseFilter(text);
  if (words.length === 0 && comparisons.length === 0) return rows;
  return rows.filter((row) => {
    const said = `${row.name} ${row.op}`.toLowerCase();
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
