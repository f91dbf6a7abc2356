// Round ticks for a cost axis: 1, 2, 5 × powers of ten on a log axis, even steps on a linear one. Pure numbers.
import { roundTicks } from '../../charts/axes';

/** Costs that span more than a factor of 4 are read on a log axis. */
export const isWide = (values: readonly number[]): boolean =>
  values.length > 1 && Math.max(...values) / Math.min(...values) > 4;

export function costAxis(values: readonly number[]): {
  domain: [number, number];
  ticks: number[];
  scale: 'log' | 'linear';
} {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (isWide(values)) {
    const domain: [number, number] = [low * 0.75, high * 1.6];
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

/** Room for every whisker, a tenth on either side. */
export function qualityAxis(points: readonly { low: number; high: number }[]): {
  domain: [number, number];
  ticks: number[];
} {
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  const room = (high - low) * 0.1 || 0.01;
  const domain: [number, number] = [low - room, high + room];
  return { domain, ticks: roundTicks(domain[0], domain[1], 5) };
}
