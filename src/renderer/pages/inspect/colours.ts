// What the tiles and the filled column are coloured by: nothing, the precision, or how heavy the tails are.
import { compact, fixed, percent } from '../../format';
import { onPrecision, precisionOf } from '../../precision';
import type { LayerRow } from './rows';

export type Colouring = 'bytes' | 'precision' | 'kurtosis' | 'outliers';

export const colourings = [
  { value: 'bytes', label: 'bytes' },
  { value: 'precision', label: 'precision' },
  { value: 'kurtosis', label: 'kurtosis' },
  { value: 'outliers', label: 'beyond 6 σ' },
] as const satisfies readonly { value: Colouring; label: string }[];

/** Upper edges of s0 … s3; what lies above the last is s4. 3 is a bell curve. */
const edges = { kurtosis: [4, 6, 9, 13], outliers: [1e-5, 1e-4, 5e-4, 1e-3] } as const;

/** 0 … 4, calm to hurts; null where nothing is known yet. */
export function binOf(value: number | null | undefined, colouring: 'kurtosis' | 'outliers'): number | null {
  if (value === null || value === undefined) return null;
  const at = edges[colouring].findIndex((edge) => value <= edge);
  return at < 0 ? 4 : at;
}

export const inkOn = (bin: number | null): string =>
  bin === 4 ? 'var(--l-on-s4)' : bin === 3 ? 'var(--l-on-s3)' : 'var(--l-ink)';

export function fillOf(row: LayerRow, colouring: Colouring): { fill: string; ink: string } {
  if (colouring === 'precision') {
    const precision = precisionOf(row.bits);
    return { fill: `var(--l-${precision})`, ink: onPrecision(precision) };
  }
  if (colouring === 'bytes') return { fill: 'var(--l-s0)', ink: 'var(--l-ink)' };
  const bin = binOf(row.stats?.[colouring], colouring);
  return { fill: `var(--l-s${bin ?? 0})`, ink: inkOn(bin) };
}

/** The ends of the legend. */
export const legendEnds = (colouring: 'kurtosis' | 'outliers'): [string, string] =>
  colouring === 'kurtosis' ? ['3', '13+'] : ['0', `${percent(0.001, 1)}+`];

/** A line for the tile: what the colour means here. */
export function colourLine(row: LayerRow, colouring: Colouring): string | null {
  if (colouring === 'bytes') return percent(row.share, 1);
  if (colouring === 'precision') return `${compact(row.parameters)} weights`;
  const value = row.stats?.[colouring];
  if (value === null || value === undefined) return null;
  return colouring === 'kurtosis' ? `kurtosis ${fixed(value, 1)}` : `${percent(value, 3)} beyond 6 σ`;
}
