// Axes of the scatter: round ticks for costs (1, 2, 5 × powers of ten on a log axis), room for whiskers, and what lies out of range. Pure numbers.
import { roundTicks } from '../../charts/axes';

export interface Axis {
  domain: [number, number];
  ticks: number[];
}

/** Costs that span more than a factor of 4 are read on a log axis. */
export const isWide = (values: readonly number[]): boolean =>
  values.length > 1 && Math.max(...values) / Math.min(...values) > 4;

export function costAxis(values: readonly number[]): Axis & { scale: 'log' | 'linear' } {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (isWide(values)) {
    const domain: [number, number] = [low * 0.75, high * 1.45];
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(domain[0])); power <= Math.ceil(Math.log10(domain[1])); power++)
      for (const mantissa of [1, 2, 5]) {
        const tick = mantissa * 10 ** power;
        if (tick >= domain[0] && tick <= domain[1]) ticks.push(tick);
      }
    return { domain, ticks, scale: 'log' };
  }
  const spread = high - low || high * 0.2 || 1;
  const domain: [number, number] = [Math.max(0, low - spread * 0.15), high + spread * 0.35];
  return { domain, ticks: roundTicks(domain[0], domain[1], 6), scale: 'linear' };
}

interface Whisker {
  id: string;
  value: number;
  low: number;
  high: number;
}

/** A point this many times the others' spread away from them would press them flat. */
const farAway = 3;

/**
 * Room for every whisker, a tenth on either side. A collapsed run far from the rest is left out of the range and told at
 * the edge: the better half of the points (at least three) sets the scale. `also`: reference lines that must be in sight.
 */
export function qualityAxis(
  points: readonly Whisker[],
  gain: boolean,
  also: readonly number[] = [],
): Axis & { out: string[] } {
  const sign = gain ? 1 : -1;
  const best = [...points].sort((a, b) => sign * (b.value - a.value));
  const near = best.slice(0, Math.max(3, Math.ceil(best.length / 2)));
  const nearLow = Math.min(...near.map((point) => point.low));
  const nearHigh = Math.max(...near.map((point) => point.high));
  const reach = farAway * (nearHigh - nearLow || 0.01);
  const out = best
    .filter((point) => (gain ? point.value < nearLow - reach : point.value > nearHigh + reach))
    .map((point) => point.id);
  const shown = best.filter((point) => !out.includes(point.id));
  const low = Math.min(...shown.map((point) => point.low), ...also);
  const high = Math.max(...shown.map((point) => point.high), ...also);
  const room = (high - low) * 0.1 || 0.01;
  const domain: [number, number] = [low - room, high + room];
  return { domain, ticks: roundTicks(domain[0], domain[1], 5), out };
}

/** Decimals of per cents that tell one tick from the next. */
export function tickDecimals(ticks: readonly number[]): number {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) * 100;
  return Math.max(0, Math.min(3, Math.ceil(-Math.log10(step) - 1e-9)));
}

/** Where a value stands along an axis of so many pixels. */
export function along(
  value: number,
  [low, high]: readonly [number, number],
  scale: 'log' | 'linear',
  pixels: number,
): number {
  const share = scale === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low || 1);
  return share * pixels;
}
